"""Sentences in observations: the tokens that skip-gram reads, and what they are called."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.core.packing import Part, parts
from rlcourse.core.spoken import holds_tokens, names_in
from rlcourse.pretraining.frames import Frames

__all__ = ["names_of", "sentences"]


def sentences(frames: Frames) -> tuple[list[np.ndarray], Part]:
    """Return the tokens of each observation without its padding, and the part of the observations that holds them.

    Raises
    ------
    ValueError
        Where no part holds tokens or text, or several do.
    """
    whole = getattr(frames.space, "original", frames.space)
    found = [part for part in parts(whole) if holds_tokens(part.space)]
    if len(found) != 1:
        held = ", ".join(".".join(part.path) for part in found) or "none"
        raise ValueError(f"skip-gram needs one part of the observations that holds text or tokens; in {whole} there are: {held}")
    rows = np.asarray(frames.observations).reshape(len(frames.observations), -1)[:, found[0].start : found[0].stop].astype(np.int64)
    return [row[row != 0] for row in rows], found[0]


def names_of(env: Any, part: Part) -> list[str]:
    """Return what the tokens of a part are called: words of a wrapper or a world, characters of text, else their numbers."""
    return names_in(env, part.space) or [str(token) for token in range(int(part.space.nvec[0]))]  # type: ignore[attr-defined]
