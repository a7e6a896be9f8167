"""The small gridworld of Example 4.1: how far it is to the nearer of two corners.

A 4 x 4 grid whose upper left and lower right cells are one and the same terminal state. Every move has reward -1; one off the grid
leaves the agent where it is. Undiscounted. States are the book's: 0 is terminal, 1 to 14 are the other cells row by row, and the
variant of Exercise 4.2 adds state 15 below 13. Actions are up, right, down, left. The start is any state but the terminal one.
"""

from __future__ import annotations

from typing import Any

from rlcourse.core.arguments import checked
from rlcourse.core.mdp import MDP, Outcome
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["CELLS", "make_env", "make_vec", "small_gridworld"]

SIZE = 4
MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))  # up, right, down, left
CELLS = (*range(15), 0)  # state of each cell, row by row: the last corner is terminal too
BELOW_13 = (13, 14, 15, 12)  # where the actions lead from the new state


@checked
def small_gridworld(new_state: bool = False, changed: bool = False) -> MDP:
    """Make the gridworld of Example 4.1.

    Parameters
    ----------
    new_state : bool
        Add state 15 below 13, from where up, right, down, left lead to 13, 14, 15, 12 (Exercise 4.2).
    changed : bool
        Let down in state 13 lead to 15 (the second part of Exercise 4.2); needs `new_state`.
    """
    if changed and not new_state:
        raise ValueError("changed needs new_state=True")
    table = {s: {a: [_outcome(s, a)] for a in range(4)} for s in range(15)}
    if new_state:
        table[15] = {a: [(1.0, BELOW_13[a], -1.0, False)] for a in range(4)}
    if changed:
        table[13][2] = [(1.0, 15, -1.0, False)]
    return MDP.of(table, [float(s > 0) / (len(table) - 1) for s in range(len(table))])


def _outcome(s: int, a: int) -> Outcome:
    if s == 0:
        return 1.0, 0, 0.0, True
    row = min(max(s // SIZE + MOVES[a][0], 0), SIZE - 1)
    column = min(max(s % SIZE + MOVES[a][1], 0), SIZE - 1)
    s_next = CELLS[row * SIZE + column]
    return 1.0, s_next, -1.0, s_next == 0


def make_env(render_mode: str | None = None) -> WorldEnv:
    """Make ``rlcourse/SmallGridworld-v0``."""
    from rlcourse.envs.drawing_boards import Board

    board = Board(SIZE, SIZE, {0: "G"}, cells=CELLS)
    return WorldEnv(small_gridworld(), render_mode=render_mode, picture=board.picture, text=board.text, fps=8)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(small_gridworld(), num_envs, **options)
