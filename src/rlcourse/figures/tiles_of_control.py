"""What the studies of control on mountain car share: the car over 8 tilings of 8 x 8 tiles, and the steps of each episode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rlcourse.core.runs import Runs
from rlcourse.envs import MountainCar
from rlcourse.features import Tiles
from rlcourse.figures.experiment import Lab

__all__ = ["LIMIT", "TILINGS", "lowest", "steps", "until_it_leaves"]

TILINGS = 8
LIMIT = 2_000  # steps; an episode that gets there is ended, and counts as that many

Learn = Callable[[Runs, Tiles, np.ndarray, float, Any, np.random.Generator], Any]


def steps(
    lab: Lab, learn: Learn, settings: list[Any], alphas: np.ndarray, runs: int, episodes: int, limit: int = LIMIT, skip: Any = None
) -> np.ndarray:
    """Return the steps of each episode, shape [settings, alphas, runs, episodes].

    Parameters
    ----------
    lab : Lab
    learn : callable
        ``learn(world, features, w, alpha, setting, rng)`` calls a box; w begins as zeros [3, tiles].
    settings : list
        Such as values of lambda.
    alphas : ndarray
        Step sizes times the number of tilings.
    runs, episodes, limit : int
    skip : callable, optional
        ``skip(setting, alpha)`` says what is left out: nan.
    """
    world, tiles = MountainCar(), Tiles.of([-1.2, -0.07], [0.5, 0.07], 8, TILINGS)
    shape = (3, tiles.size)

    def experiment(parameter: Any, rng: np.random.Generator, n: int) -> np.ndarray:
        setting, alpha = parameter
        if skip is not None and skip(setting, alpha):
            return np.full((n, episodes), np.nan)
        trial = Runs.of(world, n, episodes, [np.zeros(shape)], limit=limit)
        (w,) = trial.tables(shape)
        learn(trial, tiles, w, alpha / TILINGS, setting, rng)
        return trial.lengths()

    parameters = [(setting, float(alpha)) for setting in settings for alpha in alphas]
    return np.reshape(lab.study(experiment, parameters, runs, chunk=25), (len(settings), len(alphas), runs, episodes))


def lowest(samples: np.ndarray) -> np.ndarray:
    """Return each setting's samples [settings, runs] at its best step size, of samples [settings, alphas, runs]; nan is left out."""
    best = np.nanargmin(samples.mean(axis=2), axis=1)
    chosen: np.ndarray = samples[np.arange(len(samples)), best]
    return chosen


def until_it_leaves(alphas: np.ndarray, samples: np.ndarray, top: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a curve, samples [runs, alpha], up to the step size beyond its best one where it leaves the picture."""
    heights = samples.mean(axis=0)
    best = int(np.argmin(heights))
    end = best + int(np.argmax(heights[best:] >= top)) if np.any(heights[best:] >= top) else len(heights) - 1
    shown = samples[:, : end + 1].copy()
    if heights[end] >= top:
        shown[:, end] = min(heights[end], 3.0 * top)  # no band fills the page
    return alphas[: end + 1], shown
