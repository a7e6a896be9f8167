"""Four rooms, joined by four hallways (Sutton, Precup & Singh 1999), where ways of going somewhere can be learned once and used again.

A grid of 13 x 13 cells, of which 104 are free. Moves into a wall leave the agent where it is. With probability `slip` (a third in the
paper) one of the three other moves is made instead, each as likely. Entering the goal has reward +1 and ends the episode; every other
reward is 0. Any free cell can be the goal, by default the hallway in the east; the start is any other free cell. State = 13 * row +
column, rows counted from the top, walls included (nothing leads into them); actions are up, right, down, left. Without a goal one walks
for ever.
"""

from __future__ import annotations

from typing import Any

from rlcourse.core.arguments import checked
from rlcourse.core.mdp import MDP, Outcome
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["four_rooms", "make_env", "make_vec"]

MAP = (
    "#############",
    "#.....#.....#",
    "#.....#.....#",
    "#...........#",
    "#.....#.....#",
    "#.....#.....#",
    "##.####.....#",
    "#.....###.###",
    "#.....#.....#",
    "#.....#.....#",
    "#...........#",
    "#.....#.....#",
    "#############",
)
SIZE = len(MAP)
FREE = frozenset(s for s in range(SIZE * SIZE) if MAP[s // SIZE][s % SIZE] == ".")
MOVES = (-SIZE, 1, SIZE, -1)  # up, right, down, left: what each adds to a state
EAST = 7 * SIZE + 9  # the hallways are in rows and columns (3, 6), (6, 2), (7, 9), (10, 6)


@checked
def four_rooms(goal: int | None = EAST, slip: float = 0.0) -> MDP:
    """Make the rooms.

    Parameters
    ----------
    goal : int, optional
        A free cell; None: there is none, and no episode ends.
    slip : float
        Probability that another move is made than the one that was chosen.
    """
    if goal is not None and goal not in FREE:
        raise ValueError(f"goal must be a free cell, not {goal}; 13 * row + column, such as {EAST}, the hallway in the east")
    if not 0 <= slip <= 1:
        raise ValueError(f"slip must be a probability, 0..1, not {slip}")
    table = {s: {a: _outcomes(s, a, goal, slip) for a in range(4)} for s in range(SIZE * SIZE)}
    return MDP.of(table, [float(s in FREE and s != goal) / (len(FREE) - (goal is not None)) for s in range(SIZE * SIZE)])


def _outcomes(s: int, a: int, goal: int | None, slip: float) -> list[Outcome]:
    """Return what can follow, the chosen move first."""
    if s == goal or s not in FREE:
        return [(1.0, s, 0.0, s == goal)]
    others = [(slip / 3, b) for b in range(4) if b != a and slip > 0]
    moved = [(p, s + MOVES[b] if s + MOVES[b] in FREE else s) for p, b in [(1.0 - slip, a), *others]]
    return [(p, s_next, float(s_next == goal), s_next == goal) for p, s_next in moved]


def make_env(render_mode: str | None = None, goal: int | None = EAST, slip: float = 0.0) -> WorldEnv:
    """Make ``rlcourse/FourRooms-v0``; see `four_rooms`."""
    from rlcourse.envs.drawing_maze import MazeGrid

    world = four_rooms(goal, slip)
    grid = MazeGrid(SIZE, SIZE, None, [] if goal is None else [goal], cell=36)
    return WorldEnv(world, render_mode=render_mode, picture=grid.picture, text=grid.text, fps=8)


def make_vec(num_envs: int = 1, goal: int | None = EAST, slip: float = 0.0, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(four_rooms(goal, slip), num_envs, **options)
