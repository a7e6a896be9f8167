"""Sentences in observations: the tokens that skip-gram reads, and what they are called."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rlcourse.core.packing import Part, parts
from rlcourse.pretraining.frames import Frames

__all__ = ["names_of", "sentences"]

UNKNOWN = "<unknown>"


def sentences(frames: Frames) -> tuple[list[np.ndarray], Part]:
    """Return the tokens of each observation without its padding, and the part of the observations that holds them.

    Raises
    ------
    ValueError
        Where no part holds tokens or text, or several do.
    """
    whole = getattr(frames.space, "original", frames.space)
    found = [part for part in parts(whole) if _holds_tokens(part.space)]
    if len(found) != 1:
        held = ", ".join(".".join(part.path) for part in found) or "none"
        raise ValueError(f"skip-gram needs one part of the observations that holds text or tokens; in {whole} there are: {held}")
    rows = np.asarray(frames.observations).reshape(len(frames.observations), -1)[:, found[0].start : found[0].stop].astype(np.int64)
    return [row[row != 0] for row in rows], found[0]


def names_of(env: Any, part: Part) -> list[str]:
    """Return what the tokens of a part are called: words of a wrapper or a world, characters of text, else their numbers."""
    if isinstance(part.space, spaces.Text):
        return ["", *part.space.characters, UNKNOWN]
    count, inner = int(part.space.nvec[0]), env  # type: ignore[attr-defined]
    while inner is not None:
        for owner in (inner, getattr(inner, "world", None)):
            vocabulary = getattr(owner, "vocabulary", None)
            if vocabulary is not None and len(vocabulary) + 2 == count:
                return ["", UNKNOWN, *vocabulary]
        inner = inner.env if isinstance(inner, gym.Wrapper) else None
    return [str(token) for token in range(count)]


def _holds_tokens(space: Any) -> bool:
    """Whether a space is text, or several numbers of equal counts from 0."""
    if not isinstance(space, spaces.MultiDiscrete):
        return isinstance(space, spaces.Text)
    return space.nvec.ndim == 1 and len(space.nvec) > 1 and len(np.unique(space.nvec)) == 1 and not space.start.any()
