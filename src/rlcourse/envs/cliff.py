"""The cliff of Example 6.6: safe or optimal, when exploration costs.

A 4 x 12 grid; start in the lower left corner, goal in the lower right one. Every move has reward -1. Between them lies the cliff:
stepping into it has reward -100 and puts the agent back at the start, without ending the episode. Undiscounted. State = 12 * row +
column, rows counted from the top; actions are up, right, down, left.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.core.mdp import MDP
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["cliff_walk", "make_env", "make_vec"]

ROWS, COLUMNS = 4, 12
START, GOAL = 36, 47
MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))  # up, right, down, left


def cliff_walk() -> MDP:
    """Make the cliff of Example 6.6."""
    table = {s: {a: [_outcome(s, a)] for a in range(4)} for s in range(ROWS * COLUMNS)}
    return MDP.of(table, START)


def _outcome(s: int, a: int) -> tuple[float, int, float, bool]:
    row = int(np.clip(s // COLUMNS + MOVES[a][0], 0, ROWS - 1))
    column = int(np.clip(s % COLUMNS + MOVES[a][1], 0, COLUMNS - 1))
    if row == ROWS - 1 and 0 < column < COLUMNS - 1:
        return 1.0, START, -100.0, False
    s_next = row * COLUMNS + column
    return 1.0, s_next, -1.0, s_next == GOAL


def make_env(render_mode: str | None = None) -> WorldEnv:
    """Make ``rlcourse/CliffWalk-v0``."""
    from rlcourse.envs.drawing import Grid

    grid = Grid(ROWS, COLUMNS, START, GOAL, cliff=range(START + 1, GOAL))
    return WorldEnv(cliff_walk(), render_mode=render_mode, picture=grid.picture, text=grid.text, fps=8)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(cliff_walk(), num_envs, **options)
