"""The windy gridworld of Example 6.5: a crosswind pushes upwards in the middle of the grid.

A 7 x 10 grid; from (3, 0) to (3, 7), each move -1, undiscounted. In the columns of `WIND` every move is also shifted up by that many
cells. Some policies never end an episode here, so Monte Carlo methods cannot be used easily; Sarsa learns during the episode that they
are poor. State = 10 * row + column, rows counted from the top; actions are up, right, down, left (then the diagonals, then staying).
"""

from __future__ import annotations

from typing import Any

from rlcourse.core.arguments import checked
from rlcourse.core.mdp import MDP, Outcome
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["make_env", "make_vec", "windy_gridworld"]

ROWS, COLUMNS = 7, 10
START, GOAL = 30, 37
WIND = (0, 0, 0, 1, 1, 1, 2, 2, 1, 0)  # cells per move, by column
MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1), (-1, 1), (1, 1), (1, -1), (-1, -1), (0, 0))


@checked
def windy_gridworld(kings_moves: bool = False, stay: bool = False, stochastic: bool = False) -> MDP:
    """Make the gridworld of Example 6.5.

    Parameters
    ----------
    kings_moves : bool
        Eight moves (Exercise 6.9).
    stay : bool
        A ninth move that only the wind moves (Exercise 6.9); needs `kings_moves`.
    stochastic : bool
        Where there is wind it is one cell stronger or weaker a third of the time each (Exercise 6.10).
    """
    if stay and not kings_moves:
        raise ValueError("stay needs kings_moves=True")
    moves = MOVES[: 9 if stay else 8 if kings_moves else 4]
    table = {s: {a: _outcomes(s, move, stochastic) for a, move in enumerate(moves)} for s in range(ROWS * COLUMNS)}
    return MDP.of(table, START)


def _outcomes(s: int, move: tuple[int, int], stochastic: bool) -> list[Outcome]:
    row, column = divmod(s, COLUMNS)
    winds = [WIND[column] + d for d in (-1, 0, 1)] if stochastic and WIND[column] else [WIND[column]]
    outcomes = []
    for wind in winds:
        r = min(max(row + move[0] - wind, 0), ROWS - 1)
        s_next = r * COLUMNS + min(max(column + move[1], 0), COLUMNS - 1)
        outcomes.append((1.0 / len(winds), s_next, -1.0, s_next == GOAL))
    return outcomes


def make_env(render_mode: str | None = None, kings_moves: bool = False, stay: bool = False, stochastic: bool = False) -> WorldEnv:
    """Make ``rlcourse/WindyGridworld-v0`` and its variants."""
    from rlcourse.envs.drawing import Grid

    grid = Grid(ROWS, COLUMNS, START, GOAL, wind=WIND)
    world = windy_gridworld(kings_moves, stay, stochastic)
    return WorldEnv(world, render_mode=render_mode, picture=grid.picture, text=grid.text, fps=8)


def make_vec(num_envs: int = 1, kings_moves: bool = False, stay: bool = False, stochastic: bool = False, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(windy_gridworld(kings_moves, stay, stochastic), num_envs, **options)
