"""`RandomShift`: every image moves by a few pixels (RAD, Laskin et al. 2020; DrQ, Kostrikov et al. 2020)."""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.box import typed_kernel
from rlcourse.wrappers.augment import Augmentation

__all__ = ["RandomShift", "Shift"]


def move(image, down, right):
    """Move an image [channels, height, width, channels] by whole pixels, in place; what comes into sight repeats the edge."""
    rows = np.clip(np.arange(image.shape[1]) - down, 0, image.shape[1] - 1)
    columns = np.clip(np.arange(image.shape[2]) - right, 0, image.shape[2] - 1)
    image[...] = image[:, rows][:, :, columns]


@typed_kernel(move)
def _move(image, down, right):
    def loops(image, down, right):  # from the side to which it moves, so that no pixel is written before it is read
        height, width = image.shape[1], image.shape[2]
        for row in range(height):
            i = height - 1 - row if down > 0 else row
            y = min(max(i - down, 0), height - 1)
            for column in range(width):
                j = width - 1 - column if right > 0 else column
                x = min(max(j - right, 0), width - 1)
                for k in range(image.shape[0]):
                    for m in range(image.shape[3]):
                        image[k, i, j, m] = image[k, y, x, m]

    return loops


class Shift(NamedTuple):
    """Move an image by up to so many pixels along both axes."""

    pixels: int

    def draw(self, rng):
        """Return the move down and to the right, whole numbers."""
        span = 2 * self.pixels + 1
        return float(int(rng.random() * span) - self.pixels), float(int(rng.random() * span) - self.pixels)

    def apply(self, image, drawn):
        """Move the image."""
        move(image, int(drawn[0]), int(drawn[1]))


class RandomShift(Augmentation):
    """Pad every image by its edge and cut it out again at a random place, afresh for every observation.

    Parameters
    ----------
    env : Env
        Observations are images or boards.
    pixels : int
        The furthest move along each axis.
    """

    def __init__(self, env: gym.Env[Any, Any], pixels: int = 4) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, pixels=pixels)
        if isinstance(pixels, bool) or not isinstance(pixels, int) or pixels < 1:
            raise ValueError(f"pixels must be a whole number of at least 1, not {pixels!r}")
        super().__init__(env, Shift(pixels), "observation")
