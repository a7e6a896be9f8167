"""Figure 10.3: one-step against 8-step semi-gradient Sarsa on mountain car.

Steps per episode, on a logarithmic axis, over the first 500 episodes, averaged over 100 runs, each with a good step size: 0.5/8 for
n = 1 and 0.3/8 for n = 8. Epsilon is zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.approximation.n_step_semi_gradient_sarsa import n_step_semi_gradient_sarsa
from rlcourse.core.config import Config, Count, Probability
from rlcourse.figures.ch10.figure_10_2 import draw_lengths, readings
from rlcourse.figures.claims import Claim, equal, less, mean
from rlcourse.figures.experiment import Lab
from rlcourse.figures.mountain_car import TILINGS, lengths

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

CURVES = ((1, 0.5), (8, 0.3))  # n, and step size times tilings
BOOK = {1: (143.0, 117.0), 8: (118.0, 109.0)}  # read off at episodes 100 and 500


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 100
    episodes: Count = 500
    epsilon: Probability = 0.0


FAST = {"runs": 50}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return steps [2, runs, episodes]."""
    parameters = [(n, share / TILINGS, 1.0, settings.epsilon) for n, share in CURVES]
    return {"steps": np.array(lengths(n_step_semi_gradient_sarsa, parameters, settings.runs, settings.episodes, lab))}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the two curves."""
    draw_lengths(figure, data["steps"], [f"n = {n}, α = {share}/{TILINGS}" for n, share in CURVES])


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the text says, and the heights as printed."""
    found = {n: readings(steps) for (n, _), steps in zip(CURVES, data["steps"], strict=True)}
    early = {n: steps[:, :50].mean(axis=1) for (n, _), steps in zip(CURVES, data["steps"], strict=True)}
    late = {n: steps[:, -300:].mean(axis=1) for (n, _), steps in zip(CURVES, data["steps"], strict=True)}
    return [
        less("n = 8 learns faster", mean(early[8] - early[1]), 0.0),
        less("n = 8 is ahead around episode 100", mean(found[8][0] - found[1][0]), 0.0),
        less("n = 8 stays ahead in the last 300 episodes", mean(late[8] - late[1]), 0.0),
        *[
            equal(f"n = {n} takes about {BOOK[n][i]:g} steps {when}", mean(found[n][i]), BOOK[n][i], 0.05 * BOOK[n][i])
            for n, _ in CURVES
            for i, when in enumerate(("around episode 100", "at the end"))
        ],
    ]
