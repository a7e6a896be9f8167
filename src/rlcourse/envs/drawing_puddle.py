"""The picture of puddle world: puddles by depth, the goal's corner, the agent and its last move."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.envs.canvas import BLUE, GREEN, GREY, INK, ORANGE, PAPER, SAND, Canvas

__all__ = ["puddle_world"]

SIDE, EDGE = 400.0, 20.0
WATER = ((196, 215, 238), (150, 184, 224), (104, 150, 206))  # deeper and deeper
MOVES = ((0, 1), (0, -1), (1, 0), (-1, 0))


def puddle_world(world: Any, state: Any, action: Any = None) -> np.ndarray:
    """Draw the square, the puddles, the goal and the agent; an arrow shows the last move."""
    canvas = Canvas(round(SIDE + 2 * EDGE), round(SIDE + 2 * EDGE))

    def at(x: float, y: float) -> tuple[float, float]:
        return EDGE + SIDE * x, EDGE + SIDE * (1.0 - y)

    canvas.box(EDGE, EDGE, EDGE + SIDE, EDGE + SIDE, SAND)
    for k, color in enumerate(WATER):
        reach = world.radius * (1.0 - k / len(WATER))
        for (x0, y0), (x1, y1) in (
            ((world.left, world.height), (world.right, world.height)),
            ((world.right, world.bottom), (world.right, world.top)),
        ):
            for x, y in ((x0, y0), (x1, y1)):
                canvas.disc(*at(x, y), SIDE * reach, color)
            wide, high = (0.0, reach) if y0 == y1 else (reach, 0.0)
            canvas.polygon([at(x0 - wide, y0 - high), at(x1 + wide, y0 - high), at(x1 + wide, y1 + high), at(x0 - wide, y1 + high)], color)
    canvas.polygon([at(1.0, world.goal - 1.0), at(1.0, 1.0), at(world.goal - 1.0, 1.0)], GREEN)
    canvas.line([at(0, 0), at(1, 0), at(1, 1), at(0, 1), at(0, 0)], GREY, 2)
    x, y = at(*state)
    if action is not None:
        right, up = MOVES[int(action)]
        canvas.arrow([(x - 34 * right, y + 34 * up), (x - 10 * right, y + 10 * up)], BLUE, 4)
    canvas.disc(x, y, 9, INK)
    canvas.disc(x, y, 7, ORANGE)
    canvas.disc(x, y, 2.5, PAPER)
    return canvas.array()
