"""Figure 9.10: one tiling against fifty on the 1000-state random walk.

One tiling with tiles of 200 states is state aggregation: five groups, and a floor below which no learning gets. Fifty such tilings, each
shifted by 4 states, tell every 4 states apart and generalise as broadly. Gradient Monte Carlo, step size 1e-4 for one tiling and 1e-4 / 50
for fifty, so that both move the estimate of the state just met by the same amount; root of the value error, averaged over 30 runs.

Constant step sizes as in the book; with them both are still learning after 5000 episodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.approximation.gradient_mc import gradient_mc
from rlcourse.core.config import Config, Count, Positive
from rlcourse.core.exact_linear import best_weights
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean
from rlcourse.figures.experiment import Lab
from rlcourse.figures.thousand_states import equations, errors, expected_weights, learned, matrix, tilings, truth

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

TILINGS = (1, 50)
NUMBERS = (1000, 2000, 5000)
MEAN = ((0.179, 0.1235, 0.1051), (0.1724, 0.1085, 0.0563))  # without noise


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 30
    episodes: Count = 5000
    alpha: Positive = 1e-4  # divided by the number of tilings
    every: Count = 20  # episodes between two measurements


FAST = {"runs": 8, "every": 100}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return episodes [points], errors [2, runs, points], errors of the mean dynamics [2, numbers] and least errors [2]."""
    features = {n: tilings(n) for n in TILINGS}

    def experiment(n: int, rng: np.random.Generator, size: int) -> np.ndarray:
        weights = learned(gradient_mc, features[n], (settings.alpha / n, 1.0), size, settings.episodes, settings.every, rng)
        return errors(weights, matrix(features[n]))

    error = lab.study(experiment, TILINGS, settings.runs, chunk=-(-settings.runs // 4))
    expected = [errors(expected_weights(*equations(table), settings.alpha / n, NUMBERS), matrix(table)) for n, table in features.items()]
    v, eta = truth()
    floor = [errors(best_weights(v, matrix(table), eta), matrix(table)) for table in features.values()]
    episodes = np.arange(0, settings.episodes + 1, settings.every)
    return {"episodes": episodes, "error": np.array(error), "expected": np.array(expected), "floor": np.array(floor)}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the error against the number of episodes."""
    axes = style.panel(figure.subplots(), "", "episodes", "root value error √VE, mean over runs")
    for i, label in enumerate(("state aggregation: one tiling", "tile coding: 50 tilings")):
        style.curve(axes, data["episodes"], data["error"][i], label, style.COLORS[1 - i])
        axes.plot(NUMBERS, data["expected"][i], "o", color=style.COLORS[1 - i], markersize=4, markerfacecolor="white", clip_on=False)
    axes.plot([], [], "o", color=style.GREY, markersize=4, markerfacecolor="white", label="without noise")
    axes.set(xlim=(0, settings.episodes), ylim=(0, 0.42))
    style.reference(axes, float(data["floor"][0]), "", above=False)
    axes.text(60, float(data["floor"][0]) - 0.006, "least error with one tiling", va="top", fontsize=8, color=style.GREY)
    axes.legend(frameon=False)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return that many tilings help, and where both are."""
    one, fifty = data["error"]
    found = [
        equal("the least error with one tiling is 0.1049", float(data["floor"][0]), 0.1049, 5e-5),
        less("fifty tilings could get far below", float(data["floor"][1]), 0.01),
        less("no run with one tiling gets below it", float(data["floor"][0]) - 1e-9, float(one.min())),
        equal("one tiling ends at about 0.115", mean(one[:, -1]), 0.115, 0.01),
        equal("fifty tilings end at about 0.074", mean(fifty[:, -1]), 0.074, 0.01),
    ]
    for number in (2000, settings.episodes):
        at = number // settings.every
        found.append(less(f"fifty tilings are ahead after {number} episodes", 0.0, mean(one[:, at] - fifty[:, at])))
    for i, n in enumerate(TILINGS):
        for number, value, exact in zip(NUMBERS, MEAN[i], data["expected"][i], strict=True):
            found.append(equal(f"tilings: {n}; without noise the error after {number} episodes is {value}", float(exact), value, 6e-5))
    return found
