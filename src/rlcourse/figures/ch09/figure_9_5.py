"""Figure 9.5: Fourier basis against polynomials on the 1000-state random walk.

Gradient Monte Carlo with features of order 5, 10 and 20, numbers of the states divided by 1000. Polynomials learn slowly: in most states
the higher powers are nearly alike and nearly zero. Cosines are orthogonal on the interval and learn fast. Step sizes are 5e-5 for the
Fourier basis and 1e-4 for polynomials, the book's; the error is the root of the value error, averaged over 30 runs.

Without noise, by the mean dynamics, order 5 would come down to 0.012 with the Fourier basis and to 0.1 with polynomials; constant step
sizes keep both above.
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
    """Return episodes [points], errors [2, orders, runs, points], slopes [2, orders, runs, numbers], and both of the mean dynamics."""
    features = {(name, order): make(order) for name, (make, _) in BASES.items() for order in ORDERS}

    def experiment(parameter: tuple[str, int], rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        X, given = matrix(features[parameter]), (BASES[parameter[0]][1], 1.0)
        weights = learned(gradient_mc, features[parameter], given, n, settings.episodes, settings.every, rng)
        return errors(weights, X), _slope(X, weights[:, [number // settings.every for number in NUMBERS]])

    found = lab.study(experiment, list(features), settings.runs, chunk=-(-settings.runs // 4))
    shape = (len(BASES), len(ORDERS))
    expected, slope = [], []
    for parameter, table in features.items():
        weights = expected_weights(*equations(table), BASES[parameter[0]][1], NUMBERS)
        expected.append(errors(weights, matrix(table)))
        slope.append(_slope(matrix(table), weights))
    return {
        "episodes": np.arange(0, settings.episodes + 1, settings.every),
        "error": np.array([each[0] for each in found]).reshape(*shape, settings.runs, -1),
        "slope": np.array([each[1] for each in found]).reshape(*shape, settings.runs, -1),
        "expected": np.reshape(expected, (*shape, -1)),
        "expected_slope": np.reshape(slope, (*shape, -1)),
    }


def _slope(X: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the value of state 900 minus that of state 100, shape [...] of weights [..., d]."""
    return np.asarray(weights @ (X[899] - X[99]))


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
            for m, number in enumerate(NUMBERS):
                text = f"{name}, order {order}: the mean slope after {number} episodes is that of the mean dynamics"
                found.append(equal(text, mean(data["slope"][i, k, :, m]), float(data["expected_slope"][i, k, m]), 0.01))
    slow = error[1, :, :, -1].mean(axis=1)
    found.append(true("polynomials end above 0.08, whatever their order", np.all(slow > 0.08), ", ".join(f"{x:.3f}" for x in slow)))
    return found
