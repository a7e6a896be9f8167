"""Features by name: ``tiles:8x8``, for an observation space."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from rlcourse.core import spaces
from rlcourse.features.one_hot import OneHot
from rlcourse.features.tiles import Tiles
from rlcourse.features.vector import Vector

__all__ = ["make"]


def make(text: str, space: Any) -> Any:
    """Make features by name.

    Parameters
    ----------
    text : str
        ``auto``, ``one-hot``, ``tiles:8x8`` (tilings x tiles), ``vector``.
    space : gymnasium.Space
        Of the observations.

    Raises
    ------
    ValueError
        For an unknown name, or one that does not suit the space.
    """
    if spaces.is_finite(space) and text in ("auto", "one-hot"):
        return OneHot(spaces.size(space))
    if not isinstance(space, gym.spaces.Box) or len(space.shape) != 1:
        raise ValueError(f"features: linear agents take finite observations or vectors, not {space}; wrap the environment")
    kind, _, numbers = text.partition(":")
    bounded = bool(np.all(np.isfinite(space.low)) and np.all(np.isfinite(space.high))) and bool(np.all(np.abs(space.high) < 1e30))
    if kind == "auto":
        kind, numbers = ("tiles", "8x8") if bounded and space.shape[0] <= 4 else ("vector", "")
    if kind == "tiles":
        tilings, tiles = (int(part) for part in (numbers or "8x8").split("x"))
        return Tiles.of(space.low, space.high, tiles, tilings)
    if kind == "vector":
        return Vector(space.shape[0])
    raise ValueError(f"features: unknown {text!r}")
