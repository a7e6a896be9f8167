"""Figure 10.2: mountain car by semi-gradient Sarsa with three step sizes.

Steps per episode, on a logarithmic axis, over the first 500 episodes, averaged over 100 runs. Values of zero are optimistic, so that
epsilon = 0 explores. The step sizes are 0.1, 0.2 and 0.5 over the number of tilings, 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from rlcourse.agents.approximation.semi_gradient_sarsa import semi_gradient_sarsa
from rlcourse.core.config import Config, Count, Probability
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab
from rlcourse.figures.mountain_car import TILINGS, lengths

__all__ = ["FAST", "Settings", "claims", "draw", "draw_lengths", "readings", "run"]

SHARES = (0.1, 0.2, 0.5)  # step size times tilings
BOOK = {0.1: (203.0, 135.0), 0.2: (168.0, 125.0), 0.5: (142.0, 117.0)}  # read off at episodes 100 and 500


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 100
    episodes: Count = 500
    epsilon: Probability = 0.0


FAST = {"runs": 20}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return steps [step sizes, runs, episodes]."""
    parameters = [(share / TILINGS, 1.0, settings.epsilon) for share in SHARES]
    return {"steps": np.array(lengths(semi_gradient_sarsa, parameters, settings.runs, settings.episodes, lab))}


def draw_lengths(figure: Any, steps: np.ndarray, names: list[str]) -> None:
    """Draw steps per episode [curves, runs, episodes] on a logarithmic axis, as the book does."""
    axes = style.panel(figure.subplots(), "", "episode", "steps per episode, log scale")
    for samples, name in zip(steps, names, strict=True):
        style.curve(axes, np.arange(1, samples.shape[1] + 1), samples, name, linewidth=1.2)
    axes.set_yscale("log")
    axes.set(xlim=(0, steps.shape[2]), ylim=(100, 1000))
    axes.set_yticks([100, 200, 400, 1000], ["100", "200", "400", "1000"])
    axes.minorticks_off()
    axes.legend(frameon=False)


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the three curves."""
    draw_lengths(figure, data["steps"], [f"α = {share}/{TILINGS}" for share in SHARES])


def readings(steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each run's mean steps [runs] around episode 100, and at the end."""
    return steps[:, 89:110].mean(axis=1), steps[:, -20:].mean(axis=1)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return the order of the curves, their heights as printed, and that there is one goal for all."""
    found = {share: readings(steps) for share, steps in zip(SHARES, data["steps"], strict=True)}
    return [
        *[
            less(f"{big}/8 is ahead of {small}/8 {when}", mean((data["steps"][b] - data["steps"][s])[:, part].mean(axis=1)), 0.0)
            for when, part in (("in the first 100 episodes", slice(0, 100)), ("in the last 200", slice(-200, None)))
            for (s, small), (b, big) in pairwise(enumerate(SHARES))
        ],
        *[
            equal(f"{share}/8 takes about {BOOK[share][i]:g} steps {when}", mean(found[share][i]), BOOK[share][i], 0.05 * BOOK[share][i])
            for share in SHARES
            for i, when in enumerate(("around episode 100", "at the end"))
        ],
        less("the first episode takes more than 1000 steps", 1000.0, mean(data["steps"][2][:, 0])),
        true("no episode is shorter than the way up is", data["steps"].min() >= 80, f"{data['steps'].min():.0f} steps"),
    ]
