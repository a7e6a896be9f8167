"""The rod of Example 8.5: how a rod gets around awkward obstacles in the fewest moves.

A rod lies in a square room. It moves along or across its long axis by about 1/20 of the room, either way, to the nearest of 20 x 20
positions, or turns about its centre by 10 degrees, either way: 20 x 20 x 36 = 14,400 states. A move on which it would touch an
obstacle or a wall leaves it where it is. Every move has reward -1; an episode ends where the rod lies in its goal, undiscounted.

The book gives its obstacles as a picture only, so these are others of that kind; it counts four actions where its text describes six
moves: all six are the default, and ``across=False`` leaves the four of a rod that never slides sideways.
State = 36 * (20 * y + x) + angle / 10 degrees, y upwards and angles anticlockwise.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.mdp import MDP
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["make_env", "make_vec", "moves_to_goal", "place", "rod_maneuvering", "state_at"]

SIZE, TURNS = 20, 36  # positions along a side, angles
HALF, RADIUS = 2.5, 0.25  # half the rod's length without its round ends, and half its thickness
OBSTACLES = (  # convex polygons, anticlockwise
    ((4.6, 0.0), (6.4, 0.0), (6.8, 6.6), (5.0, 7.2)),
    ((0.0, 10.6), (5.6, 10.2), (6.6, 12.4), (0.0, 13.0)),
    ((9.6, 4.4), (11.8, 3.4), (12.4, 12.6), (10.2, 13.4)),
    ((8.4, 16.6), (14.2, 16.2), (13.0, 18.2), (9.0, 18.4)),
    ((15.0, 8.0), (20.0, 7.2), (20.0, 9.2), (15.4, 10.6)),
)
START, GOAL = (2, 3, 9), (16, 3, 0)  # x, y, angle / 10 degrees
MOVES = ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))  # along, across (to its left), turn


def state_at(x: int, y: int, turn: int) -> int:
    """Return the number of a state."""
    return TURNS * (SIZE * y + x) + turn % TURNS


def place(state: int) -> tuple[float, float, float]:
    """Return centre and angle of the rod, in units of 1/20 of the room and radians."""
    cell, turn = divmod(int(state), TURNS)
    return cell % SIZE + 0.5, cell // SIZE + 0.5, turn * 2 * np.pi / TURNS


@checked
@functools.cache
def rod_maneuvering(across: bool = True) -> MDP:
    """Make the task of Example 8.5.

    Parameters
    ----------
    across : bool
        Six moves; with False four: forwards, backwards and the two turns.
    """
    moves = [move for move in MOVES if across or not move[1]]
    s = np.arange(SIZE * SIZE * TURNS)
    cell, turn = np.divmod(s, TURNS)
    x, y = cell % SIZE, cell // SIZE
    free = ~_touches(x, y, turn)
    successor = np.tile(s[:, None, None], (1, len(moves), 1))  # [S, A, 1]
    for a, (along, aside, turned) in enumerate(moves):
        dx, dy = _steps(turn + (0 if along else TURNS // 4))
        x_, y_, turn_ = x + (along + aside) * dx, y + (along + aside) * dy, turn + turned
        inside = (x_ >= 0) & (x_ < SIZE) & (y_ >= 0) & (y_ < SIZE) & free
        s_ = np.where(inside, TURNS * (SIZE * y_ + x_) + turn_ % TURNS, s)
        moved = np.flatnonzero(inside & free[s_])
        half_way = _touches((x + x_)[moved] / 2, (y + y_)[moved] / 2, (turn + turn_)[moved] / 2)
        moved = moved[~half_way]
        successor[moved, a, 0] = s_[moved]
    start = np.zeros(len(s))
    start[state_at(*START) :] = 1.0
    one = np.ones(successor.shape)
    return MDP(start, one, one.copy(), successor, -one, successor == state_at(*GOAL))


def moves_to_goal(world: MDP) -> np.ndarray:
    """Return the least number of moves from each state, shape [S], by breadth-first search from the goal; -1 where there is no way."""
    S, A, _ = world.successor.shape
    source, target = np.repeat(np.arange(S), A), world.successor.reshape(-1)
    distance, front, moves = np.full(S, -1), np.array([state_at(*GOAL)]), 0
    while len(front):
        distance[front], moves = moves, moves + 1
        front = np.unique(source[np.isin(target, front) & (distance[source] < 0)])
    return distance


def _steps(turn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the neighbour (dx, dy) that lies nearest to a direction; no multiple of 10 degrees is half-way between two."""
    eighth = np.rint(turn * 8 / TURNS) * np.pi / 4
    return np.rint(np.cos(eighth) * 1.2).astype(np.int64), np.rint(np.sin(eighth) * 1.2).astype(np.int64)


def _touches(x: np.ndarray, y: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Whether a rod with centre in cell (x, y) touches an obstacle or a wall: the rod is a chain of discs."""
    angle = np.asarray(turn) * 2 * np.pi / TURNS
    along = np.arange(-HALF, HALF + 1e-9, 0.5)
    px = x[:, None] + 0.5 + along * np.cos(angle)[:, None]  # [states, discs]
    py = y[:, None] + 0.5 + along * np.sin(angle)[:, None]
    touched = (np.minimum(px, py) < RADIUS) | (np.maximum(px, py) > SIZE - RADIUS)
    for polygon in OBSTACLES:
        outside = np.full(px.shape, -np.inf)  # how far a point lies outside the convex polygon
        for (x0, y0), (x1, y1) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
            normal = np.array([y1 - y0, x0 - x1]) / np.hypot(x1 - x0, y1 - y0)
            outside = np.maximum(outside, (px - x0) * normal[0] + (py - y0) * normal[1])
        touched |= outside < RADIUS
    return np.asarray(touched.any(axis=1))


def make_env(render_mode: str | None = None) -> WorldEnv:
    """Make ``rlcourse/RodManeuvering-v0``."""
    from rlcourse.envs.drawing_planning import Room

    room = Room()
    return WorldEnv(rod_maneuvering(), render_mode=render_mode, picture=room.picture, text=room.text, fps=8)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(rod_maneuvering(), num_envs, **options)
