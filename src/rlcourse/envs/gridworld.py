"""The gridworld of Example 3.5: two special states, no end, discounted by 0.9 in the book.

A 5 x 5 grid. A move off the grid has reward -1 and leaves the agent where it is; other moves have reward 0, except those out of two
special states: every action in A leads to A' with reward +10, and every action in B to B' with reward +5. State = 5 * row + column, rows
counted from the top; actions are up, right, down, left. The start is any state.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.core.mdp import MDP, Outcome
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["grid_world", "make_env", "make_vec"]

SIZE = 5
A, B, A_, B_ = 1, 3, 21, 13  # A' and B' are where A and B lead
MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))  # up, right, down, left


def grid_world() -> MDP:
    """Make the gridworld of Example 3.5."""
    table = {s: {a: [_outcome(s, a)] for a in range(4)} for s in range(SIZE * SIZE)}
    return MDP.of(table, np.full(SIZE * SIZE, 1.0 / (SIZE * SIZE)))


def _outcome(s: int, a: int) -> Outcome:
    if s in (A, B):
        return (1.0, A_, 10.0, False) if s == A else (1.0, B_, 5.0, False)
    row, column = s // SIZE + MOVES[a][0], s % SIZE + MOVES[a][1]
    if not (0 <= row < SIZE and 0 <= column < SIZE):
        return 1.0, s, -1.0, False
    return 1.0, row * SIZE + column, 0.0, False


def make_env(render_mode: str | None = None) -> WorldEnv:
    """Make ``rlcourse/GridWorld-v0``."""
    from rlcourse.envs.drawing_boards import Board

    board = Board(SIZE, SIZE, {A: "A", B: "B", A_: "a", B_: "b"}, agent="@")
    return WorldEnv(grid_world(), render_mode=render_mode, picture=board.picture, text=board.text, fps=8)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(grid_world(), num_envs, **options)
