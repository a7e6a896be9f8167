"""The Dyna mazes (Examples 8.1 to 8.4): a fixed one, two whose walls move, and the fixed one at finer and finer resolution.

A grid of 6 x 9 cells. Moves into a wall or out of the grid leave the agent where it is. Reaching the goal has reward +1 and ends
the episode; every other move has reward 0. State = columns * row + column, rows counted from the top, walls included (nothing leads
into them); actions are up, right, down, left. `dyna_maze` is an `MDP`.

In `blocking_maze` and `shortcut_maze` the walls change once, after a number of steps that are counted over all episodes: a `ChangingMaze`
holds this clock in an array. An agent has a clock of its own, which it saves with its tables. In an environment a reset with a seed
turns the clock back, as all else begins anew then; one without does not. An evaluation in fresh episodes therefore sees the first
walls. Copies made by `make_vec` share one clock, and change after as many steps each.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.config import Natural
from rlcourse.core.mdp import MDP
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = [
    "ChangingMaze",
    "blocking_maze",
    "dyna_maze",
    "make_env",
    "make_env_blocking",
    "make_env_shortcut",
    "make_vec",
    "make_vec_blocking",
    "make_vec_shortcut",
    "shortcut_maze",
]

FIXED = (".......#G", "..#....#.", "S.#....#.", "..#......", ".....#...", ".........")
ABOVE, BELOW = ("........G", ".........", "........."), (".........", "...S.....")
GAP_RIGHT, GAP_LEFT, GAP_BOTH = ("########.",), (".########",), (".#######.",)  # the wall between them
MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))  # up, right, down, left
FINEST = 10  # halvings at most: 47 * 2**10 = 48,128 free cells


class ChangingMaze(NamedTuple):
    """A maze whose walls change after `when` steps, counted over all episodes; a world.

    Attributes
    ----------
    successor : ndarray of int64, shape [2, S, A]
        Where each move leads, before and after the change.
    start, goal : int
    when : int
        Steps with the first walls.
    clock : ndarray of int64, shape [1]
        Steps taken so far.
    """

    successor: np.ndarray
    start: int
    goal: int
    when: int
    clock: np.ndarray

    @property
    def observation_space(self) -> gym.spaces.Discrete:
        """All cells."""
        return gym.spaces.Discrete(self.successor.shape[1])

    @property
    def action_space(self) -> gym.spaces.Discrete:
        """Up, right, down, left."""
        return gym.spaces.Discrete(self.successor.shape[2])

    def reset(self, rng):
        """Begin an episode; the clock goes on."""
        return self.start

    def step(self, state, action, rng):
        """Move in the maze of the present; one who stands where a wall comes up may walk out of it."""
        walls = 1 if self.clock[0] >= self.when else 0
        self.clock[0] += 1
        s_next = int(self.successor[walls, state, action])
        ended = s_next == self.goal
        return s_next, 1.0 if ended else 0.0, ended, False

    def observe(self, state):
        """Return the cell; the clock is hidden."""
        return state

    def model(self) -> MDP:
        """Return the exact model of the maze as its walls stand now."""
        return _mdp(self.successor[int(self.clock[0] >= self.when)], self.start, [self.goal])


@checked
def dyna_maze(halvings: Natural = 0) -> MDP:
    """Make the maze of Example 8.1 (47 free cells), or one of Example 8.4: the same maze on a finer grid.

    Parameters
    ----------
    halvings : int
        How often all cells are cut in two, by turns left from right and upper from lower: ``47 * 2**halvings`` free cells, the
        book's sequence of doubling sizes (its axis says 186 where doubling gives 188). The goal is all of its cell; the start
        is one piece of its cell, the one below and right of the centre.
    """
    rows, start, goals = _halved(halvings)
    return _mdp(_successors(rows), start, goals)


@checked
def blocking_maze(when: Natural = 1000) -> ChangingMaze:
    """Make the maze of Example 8.2: the short way is blocked after `when` steps, and a long one (16 instead of 10) opens."""
    return _changing(GAP_RIGHT, GAP_LEFT, when)


@checked
def shortcut_maze(when: Natural = 3000) -> ChangingMaze:
    """Make the maze of Example 8.3: after `when` steps a short way (10 instead of 16) opens, and the long one stays."""
    return _changing(GAP_LEFT, GAP_BOTH, when)


def _changing(before: tuple[str, ...], after: tuple[str, ...], when: int) -> ChangingMaze:
    if when < 0:
        raise ValueError(f"when must be at least 0, not {when}")
    maps = [ABOVE + wall + BELOW for wall in (before, after)]
    text = "".join(maps[0])
    successor = np.stack([_successors(rows) for rows in maps])
    return ChangingMaze(successor, text.index("S"), text.index("G"), int(when), np.zeros(1, np.int64))


def _halved(halvings: int) -> tuple[list[str], int, list[int]]:
    """Return the map of the finer maze, its start and its goals."""
    if not 0 <= halvings <= FINEST:
        raise ValueError(f"halvings must be 0..{FINEST}, not {halvings}")
    high, wide = 2 ** (halvings // 2), 2 ** ((halvings + 1) // 2)  # pieces of a cell
    rows = ["".join(sign * wide for sign in row) for row in FIXED for _ in range(high)]
    columns, text = len(rows[0]), "".join(FIXED)
    row, column = divmod(text.index("S"), len(FIXED[0]))
    start = (row * high + high // 2) * columns + column * wide + wide // 2
    return rows, start, [s for s, sign in enumerate("".join(rows)) if sign == "G"]


def _successors(rows: Any) -> np.ndarray:
    """Return where each move leads, shape [S, A]."""
    wall = np.array([[sign == "#" for sign in row] for row in rows])
    height, width = wall.shape
    y, x = np.divmod(np.arange(wall.size), width)
    after = np.empty((wall.size, len(MOVES)), np.int64)
    for a, (down, right) in enumerate(MOVES):
        y_next, x_next = np.clip(y + down, 0, height - 1), np.clip(x + right, 0, width - 1)
        after[:, a] = np.where(wall[y_next, x_next], np.arange(wall.size), y_next * width + x_next)
    return after


def _mdp(successor: np.ndarray, start: int, goals: list[int]) -> MDP:
    """Return the model with reward 1 for reaching a goal; a goal leads to itself, without reward."""
    S, A = successor.shape
    successor = successor.copy()
    successor[goals] = np.array(goals)[:, None]
    terminal = np.isin(successor, goals)
    reward = terminal.astype(float)
    reward[goals] = 0.0
    sure = np.ones((S, A, 1))
    begins = (np.arange(S) >= start).astype(float)
    return MDP(begins, sure, sure.copy(), successor[:, :, None], reward[:, :, None], terminal[:, :, None])


def make_env(render_mode: str | None = None, halvings: int = 0) -> WorldEnv:
    """Make ``rlcourse/DynaMaze-v0``; see `dyna_maze`."""
    rows, start, goals = _halved(halvings)
    return _env(dyna_maze(halvings), len(rows), start, goals, render_mode, cell=max(6, 48 // 2 ** ((halvings + 1) // 2)))


def make_env_blocking(render_mode: str | None = None, when: int = 1000) -> WorldEnv:
    """Make ``rlcourse/BlockingMaze-v0``; see `blocking_maze`."""
    world = blocking_maze(when)
    return _env(world, len(FIXED), world.start, [world.goal], render_mode)


def make_env_shortcut(render_mode: str | None = None, when: int = 3000) -> WorldEnv:
    """Make ``rlcourse/ShortcutMaze-v0``; see `shortcut_maze`."""
    world = shortcut_maze(when)
    return _env(world, len(FIXED), world.start, [world.goal], render_mode)


def _env(world: Any, rows: int, start: int, goals: list[int], render_mode: str | None, cell: int = 48) -> WorldEnv:
    from rlcourse.envs.drawing_maze import MazeGrid

    grid = MazeGrid(rows, world.observation_space.n // rows, start, goals, cell)
    return WorldEnv(world, render_mode=render_mode, picture=grid.picture, text=grid.text, fps=8)


def make_vec(num_envs: int = 1, halvings: int = 0, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(dyna_maze(halvings), num_envs, **options)


def make_vec_blocking(num_envs: int = 1, when: int = 1000, **options: Any) -> WorldVectorEnv:
    """Make N copies; they share one clock, which counts the steps of all."""
    return WorldVectorEnv(blocking_maze(when * num_envs), num_envs, **options)


def make_vec_shortcut(num_envs: int = 1, when: int = 3000, **options: Any) -> WorldVectorEnv:
    """Make N copies; they share one clock, which counts the steps of all."""
    return WorldVectorEnv(shortcut_maze(when * num_envs), num_envs, **options)
