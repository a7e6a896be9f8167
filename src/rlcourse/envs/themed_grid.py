"""PixelGrid: a grid with walls seen as an image of 32 x 32 x 3 bytes, the size of CIFAR's photographs, in colours that are data.

An agent on 8 x 8 cells moves up, right, down or left; a move into a wall or off the grid leaves it where it is. Two objects lie on the
grid: reaching the one that is wanted has reward +1 and ends the episode, every other step costs 0.01, and the other object does nothing.
Agent and objects begin in three different free cells, all alike. The optimum follows from the shortest paths: 1 - 0.01 (d - 1) where the
wanted object is d moves away. The registered environment ends an episode after 100 steps (a truncation).

A cell is 4 x 4 pixels. A theme is five colours: floor, walls, agent and the two objects. The plain grid has one theme; `grid_themes` makes
others, to train on some and be tested on others; an episode's theme is drawn at its reset. The same grid with other colours is a
re-coloured task, and with the other object wanted, `target=1`, it is another task that looks the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.config import Count, Natural
from rlcourse.core.rows import fill
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["PixelGrid", "grid_themes", "make_env", "make_vec", "pixel_grid"]

MAP = ("........", ".##..#..", ".#...#..", "........", "....##..", ".#......", ".#...##.", "........")
MOVES = np.array([(-1, 0), (0, 1), (1, 0), (0, -1)])  # up, right, down, left
CELL = 4  # pixels
PLAIN = ((38, 40, 48), (128, 130, 136), (222, 120, 31), (84, 180, 96), (72, 132, 220))  # floor, walls, agent, the two objects
APART = 90.0  # two colours of a theme differ at least by this (Euclidean distance of red, green, blue)


class PixelGrid(NamedTuple):
    """The grid; state = (cell of the agent, of the first object, of the second, theme), cells row by row. Make one with `pixel_grid`.

    Attributes
    ----------
    walls : ndarray of bool, shape [rows, columns]
    free : ndarray of int64
        The cells without a wall.
    backgrounds : ndarray of uint8, shape [themes, 4 rows, 4 columns, 3]
        Floor and walls.
    colors : ndarray of uint8, shape [themes, 3, 3]
        Of the agent and the two objects.
    target : int
        Which object is wanted, 0 or 1.
    cost : float
        Of a step.
    """

    walls: np.ndarray
    free: np.ndarray
    backgrounds: np.ndarray
    colors: np.ndarray
    target: int = 0
    cost: float = 0.01

    @property
    def observation_space(self) -> gym.spaces.Box:
        """An image of bytes: height, width, red-green-blue."""
        return gym.spaces.Box(0, 255, self.backgrounds.shape[1:], np.uint8)

    @property
    def action_space(self) -> gym.spaces.Discrete:
        """Up, right, down, left."""
        return gym.spaces.Discrete(len(MOVES))

    def reset(self, rng):
        """Put agent and objects into free cells, and draw a theme."""
        theme = int(len(self.backgrounds) * rng.random())
        agent = first = second = self.free[int(len(self.free) * rng.random())]
        while first == agent:
            first = self.free[int(len(self.free) * rng.random())]
        while second in (agent, first):
            second = self.free[int(len(self.free) * rng.random())]
        return float(agent), float(first), float(second), float(theme)

    def step(self, state, action, rng):
        """Move by one cell."""
        rows, columns = self.walls.shape
        cell, wanted = int(state[0]), state[2] if self.target == 1 else state[1]
        row, column = cell // columns + MOVES[action, 0], cell % columns + MOVES[action, 1]
        if 0 <= row < rows and 0 <= column < columns and not self.walls[row, column]:
            cell = row * columns + column
        found = cell == wanted
        return (float(cell), state[1], state[2], state[3]), 1.0 if found else -self.cost, found, False

    def observe(self, state):
        """Return the grid as an image; the agent covers an object in its cell."""
        image = np.empty(self.backgrounds.shape[1:], np.uint8)
        self.paint(state, image)
        return image

    def paint(self, state, seen):
        """Write the image."""
        theme, columns = int(state[3]), self.walls.shape[1]
        fill(seen, self.backgrounds[theme])
        for part in range(3):
            cell = int(state[2 - part])
            top, left = CELL * (cell // columns), CELL * (cell % columns)
            for channel in range(3):
                seen[top : top + CELL, left : left + CELL, channel] = self.colors[theme, 2 - part, channel]


@checked
def grid_themes(n: Count, seed: Natural = 0) -> np.ndarray:
    """Draw themes: five colours each, any two of them far enough apart to tell.

    Parameters
    ----------
    n : int
        How many. The first themes of a seed are the same for every n.
    seed : int

    Returns
    -------
    ndarray of uint8, shape [n, 5, 3]
        Red, green, blue of floor, walls, agent and the two objects.
    """
    rng = np.random.default_rng(seed)
    themes = np.zeros((n, len(PLAIN), 3), np.uint8)
    for theme in themes:
        apart = 0.0
        while apart < APART:
            theme[...] = rng.integers(0, 256, theme.shape)
            distances = np.linalg.norm(theme[:, None].astype(float) - theme, axis=2)
            apart = float(distances[~np.eye(len(theme), dtype=bool)].min())
    return themes


@checked
def pixel_grid(
    themes: Natural = 0, seed: Natural = 0, target: Natural = 0, cost: float = 0.01, layout: Sequence[str] = MAP, palette: Any = None
) -> PixelGrid:
    """Make a grid.

    Parameters
    ----------
    themes : int
        0: the plain colours. Otherwise the number of `grid_themes`.
    seed : int
        Of the themes: another seed, other themes.
    target : {0, 1}
        Which object is wanted.
    cost : float
        Of a step.
    layout : sequence of str
        Rows of the grid, with ``#`` for walls.
    palette : array_like of uint8, shape [themes, 5, 3], optional
        Colours instead of drawn ones.
    """
    if themes < 0:
        raise ValueError(f"themes must be at least 0, not {themes}")
    if target not in (0, 1):
        raise ValueError(f"target must be 0 or 1, the first or the second object, not {target}")
    if len(layout) == 0 or len({len(row) for row in layout}) > 1:
        raise ValueError("layout must be rows of one length")
    walls = np.array([[sign == "#" for sign in row] for row in layout])
    free = np.flatnonzero(~walls)
    if len(free) < 3:
        raise ValueError(f"layout must have at least 3 free cells, not {len(free)}")
    try:
        colors = np.array(palette if palette is not None else grid_themes(themes, seed) if themes else [PLAIN], np.uint8)
    except (ValueError, TypeError, OverflowError):
        colors = np.zeros(0, np.uint8)
    if colors.ndim != 3 or colors.shape[1:] != (len(PLAIN), 3):
        raise ValueError(f"palette must have shape [themes, {len(PLAIN)}, 3], not {list(colors.shape)}")
    pixels = np.repeat(np.repeat(walls, CELL, axis=0), CELL, axis=1)
    backgrounds = np.ascontiguousarray(np.where(pixels[:, :, None], colors[:, None, None, 1], colors[:, None, None, 0]))
    return PixelGrid(walls, free, backgrounds, np.ascontiguousarray(colors[:, 2:]), int(target), float(cost))


def make_env(render_mode: str | None = None, **grid: Any) -> WorldEnv:
    """Make ``rlcourse/PixelGrid-v0``; further arguments are those of `pixel_grid`."""
    from rlcourse.envs.drawing_pixels import enlarged, grid_text

    return WorldEnv(pixel_grid(**grid), render_mode=render_mode, picture=enlarged, text=grid_text, fps=8)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies of one grid."""
    grid = {name: options.pop(name) for name in ("themes", "seed", "target", "cost", "layout", "palette") if name in options}
    return WorldVectorEnv(pixel_grid(**grid), num_envs, **options)
