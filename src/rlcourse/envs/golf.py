"""A golf hole in the spirit of Fig. 3.3: a strong club or an accurate one.

The book draws contours and publishes no course; this course is our own. The ball lies in a cell of a course of 36 x 90; every stroke has
reward -1 until it is in the hole. Undiscounted. The putter (action 0) sends the ball straight towards the hole: from the green into it,
from elsewhere `PUTT` cells far or onto the edge of the green or of sand, and out of sand not at all. The driver (1) carries it over
everything, as far as the hole but at most `DRIVE` cells; it stops `NEAR` cells from the hole at the nearest, unless it is hit from
as near as that. State = 90 * row + column, rows counted from the top; the start is the tee.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rlcourse.core.mdp import MDP, Outcome
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["golf_course", "golf_hole", "make_env", "make_vec"]

ROWS, COLUMNS = 36, 90
TEE, HOLE = (20, 6), (17, 76)  # row, column
GREEN = (17.5, 76.0, 6.8, 8.4)  # an ellipse: row, column, half its height, half its width
SAND = ((6.2, 79.0, 2.3, 6.0), (29.2, 74.0, 2.4, 6.6), (4.0, 50.0, 2.2, 4.6))
PUTT, DRIVE, NEAR = 13.5, 33.0, 3.4  # cells
PUTTER, DRIVER = 0, 1


def golf_course() -> tuple[np.ndarray, np.ndarray]:
    """Return where the green and where the sand is: booleans, shape [36, 90] each."""
    row, column = np.indices((ROWS, COLUMNS))

    def ellipse(y: float, x: float, height: float, width: float) -> np.ndarray:
        inside: np.ndarray = ((row - y) / height) ** 2 + ((column - x) / width) ** 2 <= 1.0
        return inside

    return ellipse(*GREEN), np.any([ellipse(*trap) for trap in SAND], axis=0)


def golf_hole() -> MDP:
    """Make the course."""
    green, sand = golf_course()
    table = {s: {club: [_stroke(s, club, green, sand)] for club in (PUTTER, DRIVER)} for s in range(ROWS * COLUMNS)}
    return MDP.of(table, _cell(*TEE))


def _cell(row: float, column: float) -> int:
    return COLUMNS * round(row) + round(column)


def _stroke(s: int, club: int, green: np.ndarray, sand: np.ndarray) -> Outcome:
    row, column = divmod(s, COLUMNS)
    dy, dx = HOLE[0] - row, HOLE[1] - column
    distance = math.hypot(dy, dx)
    if distance == 0:
        return 1.0, s, 0.0, True
    if (green[row, column] and club == PUTTER) or (distance <= NEAR and club == DRIVER):
        return 1.0, _cell(*HOLE), -1.0, True
    if club == DRIVER:
        share = min(DRIVE, distance - NEAR) / distance
        return 1.0, _cell(row + share * dy, column + share * dx), -1.0, False
    if sand[row, column]:
        return 1.0, s, -1.0, False
    y, x = float(row), float(column)
    for step in np.arange(0.25, PUTT + 1e-9, 0.25):  # rolling
        y, x = row + dy * step / distance, column + dx * step / distance
        if sand[round(y), round(x)] or green[round(y), round(x)]:
            break
    return 1.0, _cell(y, x), -1.0, False


def make_env(render_mode: str | None = None) -> WorldEnv:
    """Make ``rlcourse/Golf-v0``."""
    from rlcourse.envs.drawing_examples import course_picture, course_text

    green, sand = golf_course()
    signs = np.where(sand, ":", np.where(green, "o", "."))
    signs[HOLE] = "G"
    return WorldEnv(golf_hole(), render_mode=render_mode, picture=course_picture(signs), text=course_text(signs), fps=2)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(golf_hole(), num_envs, **options)
