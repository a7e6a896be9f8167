"""A robot in a room: the plainest task on which planning and learning must find exactly the same values.

A room of n x n cells. The step into the goal, the upper right corner, has reward +25 and ends the episode; every other step has
reward -1, also one against the wall, which leaves the robot where it is. Undiscounted, so the value of a state d steps from the goal is
v*(s) = 25 - (d - 1) = 26 - d. State = n * row + column, rows counted from the top; actions are up (north), right (east), down (south),
left (west). The start is any other cell.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.config import Count
from rlcourse.core.mdp import MDP, Outcome
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["make_env", "make_vec", "robot_room", "robot_room_values"]

SIZE = 5
MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))  # up, right, down, left


@checked
def robot_room(n: Count = SIZE) -> MDP:
    """Make a room of n x n cells, n at least 2."""
    if n < 2:
        raise ValueError(f"n must be at least 2, not {n}")
    table = {s: {a: [_outcome(n, s, a)] for a in range(4)} for s in range(n * n)}
    return MDP.of(table, [float(s != n - 1) / (n * n - 1) for s in range(n * n)])


def robot_room_values(n: int = SIZE) -> np.ndarray:
    """Return v*(s) = 26 - d(s), d the number of steps to the goal; 0 in the goal, where nothing is left to come. Shape [n * n]."""
    distance = np.add.outer(np.arange(n), np.arange(n - 1, -1, -1)).ravel()
    return np.where(distance == 0, 0.0, 26.0 - distance)


def _outcome(n: int, s: int, a: int) -> Outcome:
    if s == n - 1:
        return 1.0, s, 0.0, True
    row, column = min(max(s // n + MOVES[a][0], 0), n - 1), min(max(s % n + MOVES[a][1], 0), n - 1)
    s_next = row * n + column
    return (1.0, s_next, 25.0, True) if s_next == n - 1 else (1.0, s_next, -1.0, False)


def make_env(render_mode: str | None = None) -> WorldEnv:
    """Make ``rlcourse/RobotRoom-v0``."""
    from rlcourse.envs.drawing_boards import Board

    board = Board(SIZE, SIZE, {SIZE - 1: "G"})
    return WorldEnv(robot_room(), render_mode=render_mode, picture=board.picture, text=board.text, fps=8)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(robot_room(), num_envs, **options)
