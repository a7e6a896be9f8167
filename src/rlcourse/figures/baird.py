"""What the figures on Baird's counterexample share: the task, its errors, and pictures of weights over time."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.core import exact_linear
from rlcourse.core.weight_paths import WeightPaths
from rlcourse.envs import baird_behavior, baird_counterexample, baird_features, baird_weights
from rlcourse.features import TableFeatures
from rlcourse.figures import style

__all__ = ["BEHAVIOR", "FEATURES", "GAMMA", "MU", "POLICY", "WORLD", "X", "draw_weights", "root_pbe", "root_ve", "sampled", "weights"]

GAMMA = 0.99
WORLD, X, BEHAVIOR = baird_counterexample(), baird_features(), baird_behavior()
FEATURES = TableFeatures.of(X)
POLICY = np.tile([0.0, 1.0], (7, 1))  # always solid
MU = np.full(7, 1.0 / 7)  # the behaviour's distribution; all values are zero


def weights() -> np.ndarray:
    """Return the weights at which the book begins, shape [8]."""
    return baird_weights()


def root_ve(path: np.ndarray) -> np.ndarray:
    """Return the root of the value error for weights [..., 8]."""
    return np.asarray(np.sqrt((path @ X.T) ** 2 @ MU))


def root_pbe(path: np.ndarray) -> np.ndarray:
    """Return the root of the projected Bellman error for weights [..., 8]."""
    P, _, _ = exact_linear.chain(WORLD, POLICY)
    errors = exact_linear.projection(X, MU) @ (GAMMA * P @ X - X)
    return np.asarray(np.sqrt((path @ errors.T) ** 2 @ MU))


def sampled(box: Any, tables: list[np.ndarray], settings: tuple[Any, ...], steps: int, runs: int, every: int, rng: Any) -> np.ndarray:
    """Run a box from the behaviour's steps; return its tables over time, shape [runs, steps / every + 1, size]."""
    paths = WeightPaths.of(WORLD, runs, steps, tables, every)
    box(paths, POLICY, BEHAVIOR, FEATURES, *paths.tables(*[table.shape for table in tables]), *settings, GAMMA, rng)
    return paths.paths()


def draw_weights(axes: Any, x: np.ndarray, path: np.ndarray, place: str = "", columns: int = 1) -> None:
    """Draw the weights [time, 8]: the six that are alike on average in one colour, then w_7 and w_8."""
    for i in range(6):
        axes.plot(x, path[:, i], color=style.COLORS[0], linewidth=1.1, label="w₁ … w₆" if i == 0 else None)
    axes.plot(x, path[:, 6], color=style.COLORS[1], linewidth=1.6, label="w₇")
    axes.plot(x, path[:, 7], color=style.COLORS[2], linewidth=1.6, label="w₈")
    axes.axhline(0.0, color=style.GREY, linewidth=0.7)
    axes.set_xlim(x[0], x[-1])
    if place:
        axes.legend(frameon=False, loc=place, ncols=columns)
