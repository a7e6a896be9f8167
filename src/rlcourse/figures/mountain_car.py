"""The car of Example 10.1 as the figures of chapters 10 and 12 use it: the book's constants and tiles, many runs in one compiled call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rlcourse.envs import MountainCar
from rlcourse.features import Tiles
from rlcourse.figures.experiment import Lab

__all__ = ["TILINGS", "car", "lengths", "tiles"]

TILINGS = 8
ACTIONS = 3


def car() -> MountainCar:
    """Return the car of Example 10.1: its goal is the right end, and nothing but the goal ends an episode."""
    return MountainCar(max_position=0.5)


def tiles() -> Tiles:
    """Return 8 tilings of 8 x 8 tiles, displaced by (1, 3): the partition of the book's ``tiles(iht, 8, [8x/1.7, 8v/.14], A)``."""
    return Tiles.of([-1.2, -0.07], [0.5, 0.07], 8, TILINGS)


def lengths(
    box: Any, parameters: Sequence[tuple[Any, ...]], runs: int, episodes: int, lab: Lab, limit: int | None = None
) -> list[np.ndarray]:
    """Return steps per episode, shape [runs, episodes], for each tuple of what stands between w and rng in a box's arguments."""
    from rlcourse.core.runs import Runs

    world, features = car(), tiles()

    def experiment(parameter: Any, rng: np.random.Generator, size: int) -> np.ndarray:
        w = np.zeros((ACTIONS, features.size))
        trial = Runs.of(world, size, episodes, [w], limit=limit)
        box(trial, features, *trial.tables(w.shape), *parameter, rng)
        return trial.lengths()

    return lab.study(experiment, parameters, runs, chunk=10)
