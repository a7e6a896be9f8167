"""Sarsa on the windy gridworlds: what Example 6.5 and Exercises 6.9 and 6.10 share."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rlcourse.agents.temporal_difference.sarsa import sarsa
from rlcourse.core.mdp import MDP
from rlcourse.core.trial import Trial
from rlcourse.envs.windy import WIND
from rlcourse.figures.experiment import Lab

__all__ = ["SHAPE", "WIND", "Study", "episodes_by_step", "learn", "pace"]

SHAPE = (7, 10)  # rows and columns


class Study(NamedTuple):
    """How Sarsa learns."""

    runs: int
    steps: int
    alpha: float
    epsilon: float


def learn(worlds: list[MDP], settings: Study | Any, lab: Lab) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the step at whose end each episode was over, [worlds, runs, episodes] (0: not within the budget), and each world's Qs."""

    def experiment(world: MDP, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        ends, tables = np.zeros((n, settings.steps // 4)), []
        for i in range(n):
            trial, Q = Trial.of(world, steps=settings.steps, capacity=settings.steps // 4), np.zeros(world.reward.shape[:2])
            sarsa(trial, Q, settings.alpha, 1.0, settings.epsilon, rng)
            rows = trial.take_rows()
            rows = rows[rows[:, 2] == 1.0]  # the budget cuts the last episode off
            ends[i, : len(rows)] = rows[:, 3]
            tables.append(Q)
        return ends, np.array(tables)

    found = lab.study(experiment, worlds, settings.runs, chunk=10)
    return np.array([each[0] for each in found]), [each[1] for each in found]


def episodes_by_step(ends: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return how many episodes were over by each of `points` steps, [runs, points]."""
    return np.array([np.searchsorted(row[row > 0], points, side="right") for row in ends])


def pace(ends: np.ndarray, begin: float, end: float) -> np.ndarray:
    """Return the mean steps per episode between two steps, [runs]."""
    done = episodes_by_step(ends, np.array([begin, end]))
    return (end - begin) / np.maximum(done[:, 1] - done[:, 0], 1)
