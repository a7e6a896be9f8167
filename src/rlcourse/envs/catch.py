"""PixelCatch: the game of Catch (bsuite, Osband et al. 2020) seen as an image of 28 x 28 bytes, the size of a handwritten digit.

A board of 10 rows and 5 columns. A ball falls from the top row, one row a step, in a column that is uniform at random; a paddle in the
bottom row, which begins in the middle, moves left, stays or moves right. After nine steps the ball arrives: reward +1 where the paddle
stands, else -1, and the episode ends; other rewards are 0. The optimum is 1. A random policy catches one ball in five, since ball and
paddle are independent: its return is -0.6.

What is seen is the board enlarged to an image by its nearest cell. How it looks is data: for each theme a background image, and the shade
or colour of ball and paddle; an episode's theme is drawn at its reset. The plain game has one theme, white on black; `catch_themes`
makes others, to train on some and be tested on others. With backgrounds of 32 x 32 x 3 it is a game in colour.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.box import kernel
from rlcourse.core.config import Count, Natural
from rlcourse.core.rows import fill
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["PixelCatch", "catch_themes", "make_env", "make_vec", "pixel_catch"]

ROWS, COLUMNS = 10, 5


@kernel
def first_pixel(cell, cells, pixels):
    """Return the first pixel whose nearest cell is this one, where `cells` cells are enlarged to `pixels` pixels."""
    return (cell * pixels + cells - 1) // cells


class PixelCatch(NamedTuple):
    """The game; state = (column of the ball, its row, column of the paddle, theme). Make one with `pixel_catch`.

    Attributes
    ----------
    backgrounds : ndarray of uint8, shape [themes, height, width, channels]
        What is seen behind ball and paddle.
    shades : ndarray of uint8, shape [themes, 2, channels]
        Of the ball and of the paddle.
    """

    backgrounds: np.ndarray
    shades: np.ndarray

    @property
    def observation_space(self) -> gym.spaces.Box:
        """An image of bytes: height, width, channel."""
        return gym.spaces.Box(0, 255, self.backgrounds.shape[1:], np.uint8)

    @property
    def action_space(self) -> gym.spaces.Discrete:
        """Left (0), stay (1), right (2)."""
        return gym.spaces.Discrete(3)

    def reset(self, rng):
        """Begin with the ball in any column of the top row, the paddle in the middle, and any theme."""
        column = int(COLUMNS * rng.random())
        theme = int(len(self.backgrounds) * rng.random())
        return float(column), 0.0, float(COLUMNS // 2), float(theme)

    def step(self, state, action, rng):
        """Move the paddle, and let the ball fall by one row."""
        column, row, paddle, theme = state
        paddle = min(max(paddle + action - 1.0, 0.0), COLUMNS - 1.0)
        row = row + 1.0
        landed = row == ROWS - 1.0
        reward = 0.0
        if landed:
            reward = 1.0 if paddle == column else -1.0
        return (column, row, paddle, theme), reward, landed, False

    def observe(self, state):
        """Return the board as an image."""
        image = np.empty(self.backgrounds.shape[1:], np.uint8)
        self.paint(state, image)
        return image

    def paint(self, state, seen):
        """Write the board as an image."""
        column, row, paddle, theme = int(state[0]), int(state[1]), int(state[2]), int(state[3])
        fill(seen, self.backgrounds[theme])
        height, width = seen.shape[0], seen.shape[1]
        for part in range(2):
            x, y = (column, row) if part == 0 else (paddle, ROWS - 1)
            top, bottom = first_pixel(y, ROWS, height), first_pixel(y + 1, ROWS, height)
            left, right = first_pixel(x, COLUMNS, width), first_pixel(x + 1, COLUMNS, width)
            for channel in range(seen.shape[2]):
                seen[top:bottom, left:right, channel] = self.shades[theme, part, channel]

    def boxes(self, state):
        """Return the pixels of ball and paddle: (top, bottom, left, right) each, the ends not among them."""
        column, row, paddle, _ = (int(part) for part in state)
        height, width = self.backgrounds.shape[1:3]
        return [
            (*(first_pixel(y + i, ROWS, height) for i in (0, 1)), *(first_pixel(x + i, COLUMNS, width) for i in (0, 1)))
            for x, y in ((column, row), (paddle, ROWS - 1))
        ]


@checked
def catch_themes(n: Count, seed: Natural = 0, size: Count = 28, channels: Count = 1) -> tuple[np.ndarray, np.ndarray]:
    """Draw themes: waves of two dark shades behind a bright ball and paddle, or the reverse.

    Parameters
    ----------
    n : int
        How many. The first themes of a seed are the same for every n.
    seed : int
    size, channels : int
        Pixels of a side, and 1 (grey) or 3 (colour).

    Returns
    -------
    backgrounds : ndarray of uint8, shape [n, size, size, channels]
        All shades below 110 (or above 145, where the theme is bright).
    shades : ndarray of uint8, shape [n, 2, channels]
        Of ball and paddle: all above 170 (or below 85).
    """
    rng = np.random.default_rng(seed)
    backgrounds, shades = np.zeros((n, size, size, channels), np.uint8), np.zeros((n, 2, channels), np.uint8)
    y, x = np.mgrid[:size, :size] / size
    for theme in range(n):
        angle, waves, phase = rng.uniform(0, np.pi), rng.uniform(1, 4), rng.uniform(0, 2 * np.pi)
        share = 0.5 + 0.5 * np.sin(2 * np.pi * waves * (x * np.cos(angle) + y * np.sin(angle)) + phase)
        ends, objects = rng.uniform(0, 110, (2, channels)), rng.uniform(170, 255, (2, channels))
        background = ends[0] + share[:, :, None] * (ends[1] - ends[0])
        bright = rng.random() < 0.5
        backgrounds[theme] = 255 - background if bright else background
        shades[theme] = 255 - objects if bright else objects
    return backgrounds, shades


@checked
def pixel_catch(themes: Natural = 0, seed: Natural = 0, size: Count = 28, channels: int = 1) -> PixelCatch:
    """Make the game.

    Parameters
    ----------
    themes : int
        0: the plain game, white on black. Otherwise the number of `catch_themes`.
    seed : int
        Of the themes: another seed, other themes.
    size : int
        Pixels of a side, at least 10.
    channels : {1, 3}
        Grey or colour.
    """
    if size < ROWS:
        raise ValueError(f"size must be at least {ROWS} pixels, one for each row of the board, not {size}")
    if channels not in (1, 3):
        raise ValueError(f"channels must be 1 (grey) or 3 (colour), not {channels}")
    if themes == 0:
        return PixelCatch(np.zeros((1, size, size, channels), np.uint8), np.full((1, 2, channels), 255, np.uint8))
    return PixelCatch(*catch_themes(themes, seed, size, channels))


def make_env(render_mode: str | None = None, **game: Any) -> WorldEnv:
    """Make ``rlcourse/PixelCatch-v0``; further arguments are those of `pixel_catch`."""
    from rlcourse.envs.drawing_pixels import catch_text, enlarged

    return WorldEnv(pixel_catch(**game), render_mode=render_mode, picture=enlarged, text=catch_text, fps=8)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies of one game."""
    game = {name: options.pop(name) for name in ("themes", "seed", "size", "channels") if name in options}
    return WorldVectorEnv(pixel_catch(**game), num_envs, **options)
