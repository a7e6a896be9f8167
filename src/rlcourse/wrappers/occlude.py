"""`Occlude`: a rectangle of every image is hidden, so that an agent must remember, or fill in, what is behind it."""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.wrappers.augment import Augmentation, image_axes

__all__ = ["Occlude", "Patch"]

PLACES = ("random", "center", "top", "bottom", "left", "right")


class Patch(NamedTuple):
    """A rectangle of height x width pixels, with its corner anywhere between `first` and `last` (row, column)."""

    height: int
    width: int
    first: tuple[int, int]
    last: tuple[int, int]
    value: float

    def draw(self, rng):
        """Return the corner, whole numbers; nothing is drawn where it has one place."""
        row, column = self.first
        if self.last[0] > row:
            row += int(rng.random() * (self.last[0] - row + 1))
        if self.last[1] > column:
            column += int(rng.random() * (self.last[1] - column + 1))
        return float(row), float(column)

    def apply(self, image, drawn):
        """Fill the rectangle; the image has shape [channels, height, width, channels]."""
        row, column = int(drawn[0]), int(drawn[1])
        image[:, row : row + self.height, column : column + self.width] = self.value


class Occlude(Augmentation):
    """Hide a share of every image behind a rectangle.

    Parameters
    ----------
    env : Env
        Observations are images or boards.
    share : float
        Share of the area that is hidden, 0 to 1, to whole pixels.
    place : {"random", "center", "top", "bottom", "left", "right"}
        Where: a rectangle of the image's proportions at random or in the middle, or a strip along an edge.
    value : float
        What is shown there; within the space.
    per : {"observation", "episode"}
        How often a random place is drawn.
    """

    @checked
    def __init__(
        self, env: gym.Env[Any, Any], share: float = 0.5, place: str = "random", value: float = 0.0, per: str = "observation"
    ) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, share=share, place=place, value=value, per=per)
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"share must be between 0 and 1, not {share!r}")
        if place not in PLACES:
            raise ValueError(f"place must be one of {', '.join(map(repr, PLACES))}, not {place!r}")
        height, width = image_axes(env.observation_space, "Occlude")[1:3]
        space: Any = env.observation_space
        if not np.all((space.low <= value) & (value <= space.high)):
            raise ValueError(f"value must lie within the observations, {space}, not be {value!r}")
        super().__init__(env, _patch(height, width, share, place, float(value)), per)


def _patch(height: int, width: int, share: float, place: str, value: float) -> Patch:
    """Return the rectangle in an image of height x width pixels."""
    h = round(height * (share if place in ("top", "bottom") else 1.0 if place in ("left", "right") else share**0.5))
    w = round(width * (share if place in ("left", "right") else 1.0 if place in ("top", "bottom") else share**0.5))
    spare = (height - h, width - w)
    first = {"center": (spare[0] // 2, spare[1] // 2), "bottom": (spare[0], 0), "right": (0, spare[1])}.get(place, (0, 0))
    return Patch(h, w, first, spare if place == "random" else first, value)
