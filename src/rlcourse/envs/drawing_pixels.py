"""Pictures and texts of the worlds that are seen as pixels: the picture is what the agent sees, each pixel enlarged."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["catch_text", "enlarged"]

SIDE = 384  # pixels of a picture's longer side, about


def enlarged(world: Any, state: Any, action: Any = None) -> np.ndarray:
    """Return the observation of a state as a picture, uint8 [H, W, 3]."""
    image = np.asarray(world.observe(state))
    times = max(1, SIDE // max(image.shape[:2]))
    return np.repeat(np.repeat(np.broadcast_to(image, (*image.shape[:2], 3)), times, axis=0), times, axis=1)


def catch_text(world: Any, state: Any, action: Any = None) -> str:
    """Return the board of PixelCatch as lines: o ball, = paddle; and the theme, where there are several."""
    from rlcourse.envs.catch import COLUMNS, ROWS

    column, row, paddle, theme = (int(number) for number in state)
    cells = [["."] * COLUMNS for _ in range(ROWS)]
    cells[-1][paddle] = "="
    cells[row][column] = "o"
    themes = f"theme {theme}\n" if len(world.backgrounds) > 1 else ""
    return "".join(" ".join(line) + "\n" for line in cells) + themes
