"""Figure 9.5: Fourier basis against polynomials on the 1000-state random walk.

Gradient Monte Carlo with features of order 5, 10 and 20, numbers of the states divided by 1000. Polynomials learn slowly: in most states
the higher powers are nearly alike and nearly zero. Cosines are orthogonal on the interval and learn fast. Step sizes are 5e-5 for the
Fourier basis and 1e-4 for polynomials, the book's; the error is the root of the value error, averaged over 30 runs.

Without noise, by the mean dynamics, the Fourier curves would go on falling to less than 0.02; the step size keeps them above. Polynomials
are as far as their mean dynamics allow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.approximation.gradient_mc import gradient_mc
from rlcourse.core.config import Config, Count
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab
from rlcourse.figures.thousand_states import equations, errors, expected_weights, fourier, learned, matrix, polynomial

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

BASES = {"Fourier basis": (fourier, 5e-5), "polynomial basis": (polynomial, 1e-4)}  # features and step size
ORDERS = (5, 10, 20)
MEAN = {"Fourier basis": (0.2105, 0.1322, 0.0644, 0.0117), "polynomial basis": (0.2508, 0.1784, 0.1303, 0.0999)}  # of order 5
NUMBERS = (500, 1000, 2000, 5000)


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 30
    episodes: Count = 5000
    every: Count = 20  # episodes between two measurements


FAST = {"runs": 8, "every": 100}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return episodes [points], errors [2, orders, runs, points]; of mean weights and of the mean dynamics [2, orders, numbers]."""
    features = {(name, order): make(order) for name, (make, _) in BASES.items() for order in ORDERS}

    def experiment(parameter: tuple[str, int], rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        settings_ = (BASES[parameter[0]][1], 1.0)
        weights = learned(gradient_mc, features[parameter], settings_, n, settings.episodes, settings.every, rng)
        at = [number // settings.every for number in NUMBERS]
        padded = np.zeros((n, len(NUMBERS), max(ORDERS) + 1))  # studies join arrays of one shape
        padded[:, :, : weights.shape[2]] = weights[:, at]
        return errors(weights, matrix(features[parameter])), padded

    found = lab.study(experiment, list(features), settings.runs, chunk=-(-settings.runs // 4))
    shape = (len(BASES), len(ORDERS))
    averaged, expected = [], []
    for (parameter, table), (_, weights) in zip(features.items(), found, strict=True):
        X = matrix(table)
        averaged.append(errors(weights.mean(axis=0)[:, : X.shape[1]], X))
        expected.append(errors(expected_weights(*equations(table), BASES[parameter[0]][1], NUMBERS), X))
    return {
        "episodes": np.arange(0, settings.episodes + 1, settings.every),
        "error": np.array([each[0] for each in found]).reshape(*shape, settings.runs, -1),
        "averaged": np.reshape(averaged, (*shape, -1)),
        "expected": np.reshape(expected, (*shape, -1)),
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the error against the number of episodes, one curve per basis and order, and the mean dynamics of order 5."""
    axes = style.panel(figure.subplots(), "", "episodes", "root value error √VE, mean over runs")
    looks = ("-", "--", ":")
    for i, name in enumerate(BASES):
        for k, order in enumerate(ORDERS):
            style.curve(axes, data["episodes"], data["error"][i, k], f"{name}, order {order}", style.COLORS[1 - i], linestyle=looks[k])
        axes.plot(NUMBERS, data["expected"][i, 0], "o", color=style.COLORS[1 - i], markersize=4, markerfacecolor="white", clip_on=False)
    axes.plot([], [], "o", color=style.GREY, markersize=4, markerfacecolor="white", label="without noise, order 5")
    axes.set(xlim=(0, settings.episodes), ylim=(0, 0.42))
    axes.legend(frameon=False, fontsize=8.5)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return that the Fourier basis wins, and where both are."""
    error, found = data["error"], [equal("all begin at 0.4054", float(data["error"][..., 0].mean()), 0.4054, 5e-5)]
    for k, order in enumerate(ORDERS):
        for number in (1000, settings.episodes):
            at = number // settings.every
            gap = mean(error[1, k, :, at] - error[0, k, :, at])
            found.append(less(f"order {order}: the Fourier basis is ahead after {number} episodes", 0.0, gap))
        found.append(equal(f"order {order}: the Fourier basis ends at about 0.06", mean(error[0, k, :, -1]), 0.06, 0.015))
    for i, name in enumerate(BASES):
        for number, value, exact in zip(NUMBERS, MEAN[name], data["expected"][i, 0], strict=True):
            found.append(equal(f"{name}: without noise order 5 has {value} after {number} episodes", float(exact), value, 6e-5))
        for k, order in enumerate(ORDERS):
            noise = np.sqrt(np.mean(error[i, k, :, -1] ** 2) - data["averaged"][i, k, -1] ** 2) / np.sqrt(settings.runs)
            gap = np.abs(data["averaged"][i, k] - data["expected"][i, k]).max()
            found.append(
                less(f"{name}: the mean of the weights of order {order} follows the mean dynamics", float(gap), float(noise + 0.005))
            )
    slow = error[1, :, :, -1].mean(axis=1)
    found.append(true("polynomials end above 0.08, whatever their order", np.all(slow > 0.08), ", ".join(f"{x:.3f}" for x in slow)))
    return found
