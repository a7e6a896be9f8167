"""Figure 10.4: n-step semi-gradient Sarsa on mountain car, for every n and step size.

Steps per episode averaged over the first 50 episodes and 100 runs, against the step size times the number of tilings, 8. As with the
random walk of Figure 7.2, an intermediate amount of bootstrapping is best: n = 4. The book does not print its grid of step sizes; here
they are powers of 2^(1/5) where a curve is inside the picture.

With long returns and large steps runs differ much, and beyond the right end of its curve n = 16 has episodes that never end. Here an
episode is cut after 10,000 steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.approximation.n_step_semi_gradient_sarsa import n_step_semi_gradient_sarsa
from rlcourse.core.config import Config, Count, Probability
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab
from rlcourse.figures.mountain_car import TILINGS, lengths

__all__ = ["FAST", "SECONDS", "Settings", "claims", "draw", "run"]

SECONDS = 85
RANGES = {1: (-6, 4), 2: (-9, 4), 4: (-12, 2), 8: (-14, -1), 16: (-17, -4)}  # powers of 2^(1/5): first and last
BOOK = {1: 229.5, 2: 227.0, 4: 222.0, 8: 226.5, 16: 234.0}  # lowest points, read off


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 100
    episodes: Count = 50
    epsilon: Probability = 0.0
    every: Count = 1  # of the step sizes
    limit: Count = 10_000  # steps of an episode


FAST = {"runs": 50, "every": 4}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return n [P], step sizes times tilings [P], and steps per episode [P, runs]."""
    chosen = [(n, 2.0 ** (k / 5)) for n, (first, last) in RANGES.items() for k in range(last, first - 1, -settings.every)]
    parameters = [(n, share / TILINGS, 1.0, settings.epsilon) for n, share in chosen]
    steps = lengths(n_step_semi_gradient_sarsa, parameters, settings.runs, settings.episodes, lab, settings.limit)
    ns, shares = zip(*chosen, strict=True)
    return {"n": np.array(ns), "share": np.array(shares), "steps": np.array([each.mean(axis=1) for each in steps])}


def _curves(data: dict[str, np.ndarray]) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Return step sizes [p], increasing, and steps [p, runs] for each n."""
    return {n: (data["share"][data["n"] == n][::-1], data["steps"][data["n"] == n][::-1]) for n in RANGES}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw a curve for each n."""
    axes = style.panel(
        figure.subplots(), "", f"α × number of tilings ({TILINGS})", f"steps per episode, first {settings.episodes} episodes"
    )
    for i, (n, (shares, steps)) in enumerate(_curves(data).items()):
        style.curve(axes, shares, steps.T, color=style.COLORS[i])
        look = {"color": style.COLORS[i], "fontsize": 9, "fontweight": "bold"}
        axes.annotate(f"n = {n}", (shares[-1], min(steps[-1].mean(), 297)), (4, 0), textcoords="offset points", va="center", **look)
    axes.set(xlim=(0, 2.25), ylim=(215, 300))


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return that intermediate n is best, and the lowest points as printed."""
    curves = _curves(data)
    best = {n: int(np.argmin(steps.mean(axis=1))) for n, (_, steps) in curves.items()}
    lowest = {n: steps[best[n]] for n, (_, steps) in curves.items()}
    shares = [float(curves[n][0][best[n]]) for n in RANGES]
    others = (1, 16) if settings.runs >= 100 else (1,)  # runs of n = 16 differ too much
    return [
        *[less(f"n = 4 learns faster than n = {n}, each at its best step size", mean(lowest[4] - lowest[n]), 0.0) for n in others],
        true("the best step size shrinks as n grows", np.all(np.diff(shares) <= 0), ", ".join(f"{share:.2f}" for share in shares)),
        *[equal(f"n = {n}: the lowest point is about {BOOK[n]:g}", mean(lowest[n]), BOOK[n], 0.05 * BOOK[n]) for n in RANGES],
    ]
