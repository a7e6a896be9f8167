"""Pictures and texts of the worlds that are seen as pixels: the picture is what the agent sees, each pixel enlarged."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.envs.canvas import INK, OCHRE, ORANGE, PAPER, SAND, Canvas

__all__ = ["breakout_picture", "breakout_text", "catch_text", "enlarged", "grid_text"]

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


def grid_text(world: Any, state: Any, action: Any = None) -> str:
    """Return PixelGrid as lines: A agent, G the wanted object, x the other one, # wall; and the theme, where there are several."""
    signs = np.where(world.walls, "#", ".")
    agent, first, second, theme = (int(number) for number in state)
    wanted, other = (second, first) if world.target else (first, second)
    for cell, sign in ((other, "x"), (wanted, "G"), (agent, "A")):
        signs.flat[cell] = sign
    themes = f"theme {theme}\n" if len(world.backgrounds) > 1 else ""
    return "".join(" ".join(line) + "\n" for line in signs.tolist()) + themes


def breakout_picture(world: Any, state: Any, action: Any = None) -> np.ndarray:
    """Draw the board of SmallBreakout: bricks, the ball and its trail, and the paddle."""
    board = np.asarray(world.observe(state))
    cell = SIDE // len(board)
    canvas = Canvas(cell * len(board), cell * len(board))
    canvas.box(0, 0, *canvas.size, SAND)
    for row, column, layer in np.argwhere(board).tolist():
        x, y = (column + 0.5) * cell, (row + 0.5) * cell
        if layer == 0:
            canvas.box(x - cell / 2, y - cell / 5, x + cell / 2, y + cell / 5, INK, 5)
        elif layer == 3:
            canvas.box(x - cell / 2 + 1, y - cell / 2 + 1, x + cell / 2 - 1, y + cell / 2 - 1, OCHRE, 3)
    for layer, radius, color in ((2, cell / 8, ORANGE), (1, cell / 3.2, PAPER), (1, cell / 3.6, ORANGE)):
        row, column = np.argwhere(board[:, :, layer])[0].tolist()
        canvas.disc((column + 0.5) * cell, (row + 0.5) * cell, radius, color)
    return canvas.array()


def breakout_text(world: Any, state: Any, action: Any = None) -> str:
    """Return the board of SmallBreakout as lines: # brick, o ball, ' its last place, = paddle."""
    board = np.asarray(world.observe(state))
    signs = np.full(board.shape[:2], ".")
    for layer, sign in ((3, "#"), (2, "'"), (0, "="), (1, "o")):
        signs[board[:, :, layer] == 1] = sign
    return "".join(" ".join(line) + "\n" for line in signs.tolist())
