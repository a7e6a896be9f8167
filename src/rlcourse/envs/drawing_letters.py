"""Pictures of sequence sorting: the letters that are shown, and below them the places of the answer."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.envs.canvas import BLUE, GREEN, GREY, INK, ORANGE, PAPER, SAND, Canvas

__all__ = ["picture", "text"]

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
END_SIGN = "."


def picture(world: Any, state: Any, action: Any = None) -> np.ndarray:
    """Draw the sequence, and the sign that was said last in its place: blue where all has been right so far, else orange."""
    _, position, said, faultless = state
    shown = _shown(world, state)
    canvas = Canvas(max(44 * (world.longest + 1) + 20, 240), 168)
    canvas.text(14, 18, "shown", GREY, 13, "lm")
    for i, letter in enumerate(shown):
        canvas.box(14 + 44 * i, 30, 52 + 44 * i, 70, SAND, 6)
        canvas.text(33 + 44 * i, 50, letter, INK, 24)
    canvas.text(14, 94, "said" if position else "nothing said yet", GREY, 13, "lm")
    if faultless and position == len(shown) + 1:
        canvas.text(60, 94, "all right", GREEN, 13, "lm")
    for i in range(len(shown) + 1):
        latest = i == position - 1
        canvas.box(14 + 44 * i, 106, 52 + 44 * i, 146, (BLUE if faultless else ORANGE) if latest else SAND, 6)
        if latest:
            canvas.text(33 + 44 * i, 126, _sign(said), PAPER, 24)
        elif i < min(position, len(shown)) and faultless:  # what was said before is known
            canvas.text(33 + 44 * i, 126, sorted(shown)[i], INK, 24)
    return canvas.array()


def text(world: Any, state: Any, action: Any = None) -> str:
    """Return the sequence, how many signs have been said, and the last one."""
    _, position, said, faultless = state
    told = (
        f"{int(position)} said, the last '{_sign(said)}', {'all right' if faultless else 'with a mistake'}" if position else "nothing said"
    )
    return f"{''.join(_shown(world, state))}: {told}\n"


def _shown(world: Any, state: Any) -> list[str]:
    return [ALPHABET[int(token) - 3] for token in world.observe(state)[1:] if token]


def _sign(said: float) -> str:
    return ALPHABET[int(said) - 1] if said > 0 else END_SIGN
