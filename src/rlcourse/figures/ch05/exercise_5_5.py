"""Exercise 5.5: first visit or every visit, in a task with one state that comes again.

Each step has reward +1 and the state comes again with probability 0.9, so it is worth 10. After one episode of ten steps first-visit
Monte Carlo estimates 10, every-visit Monte Carlo the mean of 10, 9, ... 1, which is 5.5. Over many such runs first-visit estimates are
right on average from the first episode on; every-visit ones begin at (v + 1) / 2, too low, but with the smaller mean squared error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.monte_carlo.mc_prediction import mc_prediction
from rlcourse.core import exact
from rlcourse.core.config import Config, Count, Probability
from rlcourse.core.runs import Runs
from rlcourse.envs import staying
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

NAMES = ("first visit", "every visit")


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 20_000
    episodes: Count = 100
    p: Probability = 0.9  # probability that the state comes again


FAST = {"runs": 4_000}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return estimates [2, runs, episodes] after each episode, lengths of the first episodes [2, runs], and the exact value."""
    world, policy = staying(settings.p), np.ones((1, 1))

    def estimate(first_visit: bool, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        runs = Runs.of(world, n, settings.episodes, [np.zeros(1), np.zeros(1)], truth=np.zeros(1))
        V, N = runs.tables((1,), (1,))
        mc_prediction(runs, policy, V, N, first_visit, 0.0, 1.0, rng)
        return runs.errors()[:, 1:], runs.lengths()[:, 0]  # estimates are positive: their distance from 0 is what they are

    found = lab.study(estimate, [True, False], settings.runs, chunk=1_000)
    return {
        "estimates": np.array([estimates for estimates, _ in found]),
        "lengths": np.array([lengths for _, lengths in found]),
        "exact": exact.v_pi(world, policy, 1.0)[0],
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the mean estimate, and the root mean squared error, against the number of episodes."""
    figure.set_size_inches(8.6, 3.9)
    left, right = figure.subplots(1, 2)
    style.panel(left, "mean estimate", "episodes", f"estimate of v(s), mean of {settings.runs:,} runs")
    style.panel(right, "root mean squared error", "episodes", "RMS error")
    episodes = np.arange(1, settings.episodes + 1)
    for i, name in enumerate(NAMES):
        style.curve(left, episodes, data["estimates"][i], name, style.COLORS[i])
        error = np.sqrt(((data["estimates"][i] - data["exact"]) ** 2).mean(axis=0))
        style.curve(right, episodes, error, name, style.COLORS[i])
    style.reference(left, float(data["exact"]), "exact", above=True)
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_xlim(1, settings.episodes)
    left.legend(frameon=False, loc="lower right")
    right.legend(frameon=False)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return the exercise's answer, and what bias and error are exactly after one episode."""
    first, every = data["estimates"]
    v, p = float(data["exact"]), settings.p
    ten = data["lengths"] == 10
    variance = p / (1 - p) ** 2  # of an episode's length
    return [
        true("after an episode of ten steps first-visit estimates are 10", ten[0].any() and np.all(first[ten[0], 0] == 10.0)),
        true("after it every-visit estimates are 5.5", ten[1].any() and np.allclose(every[ten[1], 0], 5.5, rtol=0, atol=1e-9)),
        equal("first-visit Monte Carlo is right on average after one episode", mean(first[:, 0]), v),
        equal("it is right on average after all episodes", mean(first[:, -1]), v),
        equal("every-visit Monte Carlo has the mean (v + 1) / 2 after one episode", mean(every[:, 0]), (v + 1) / 2),
        equal("after one episode the first-visit squared error is p / (1 - p)^2", mean((first[:, 0] - v) ** 2), variance),
        equal(
            "the every-visit one is a quarter of that, and the bias squared", mean((every[:, 0] - v) ** 2), variance / 4 + (v - 1) ** 2 / 4
        ),
        less("after one episode every-visit Monte Carlo has the smaller error", mean((every[:, 0] - v) ** 2), mean((first[:, 0] - v) ** 2)),
        less("its bias vanishes with more episodes", mean(v - every[:, -1]), 0.2 * (v - 1) / 2),
        less("after all episodes first-visit has the smaller error", mean((first[:, -1] - v) ** 2), mean((every[:, -1] - v) ** 2)),
    ]
