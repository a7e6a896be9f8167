"""An open gridworld with one goal, as in Figure 7.4, to see how far back credit goes.

Nothing happens on the way: every reward is zero but that for entering the goal, which ends the episode. A first episode without any
knowledge wanders about, and what it learns shows how far back a method hands the credit. The book's picture names no size; here are 6
rows and 8 columns. State = 8 * row + column, rows counted from the top; actions are up, right, down, left.
"""

from __future__ import annotations

from typing import Any

from rlcourse.core.arguments import checked
from rlcourse.core.mdp import MDP
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["make_env", "make_vec", "open_grid"]

ROWS, COLUMNS = 6, 8
START, GOAL = 8, 29
MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))  # up, right, down, left


@checked
def open_grid(reward: float = 1.0) -> MDP:
    """Make the gridworld of Figure 7.4, with this reward for entering the goal."""
    return MDP.of({s: {a: [_outcome(s, a, reward)] for a in range(4)} for s in range(ROWS * COLUMNS)}, START)


def _outcome(s: int, a: int, reward: float) -> tuple[float, int, float, bool]:
    row = min(max(s // COLUMNS + MOVES[a][0], 0), ROWS - 1)
    column = min(max(s % COLUMNS + MOVES[a][1], 0), COLUMNS - 1)
    s_next = row * COLUMNS + column
    return 1.0, s_next, reward if s_next == GOAL else 0.0, s_next == GOAL


def make_env(render_mode: str | None = None) -> WorldEnv:
    """Make ``rlcourse/OpenGrid-v0``."""
    from rlcourse.envs.drawing import Grid

    grid = Grid(ROWS, COLUMNS, START, GOAL)
    return WorldEnv(open_grid(), render_mode=render_mode, picture=grid.picture, text=grid.text, fps=8)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(open_grid(), num_envs, **options)
