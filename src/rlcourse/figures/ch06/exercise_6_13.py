"""Exercise 6.13: Double Expected Sarsa on the maximisation-bias task.

The exercise asks for the update of Double Expected Sarsa with an epsilon-greedy target policy. Here it runs on the task of Figure 6.5,
with Expected Sarsa and both Q-learners beside it. Expected Sarsa's target has the maximum in it too, with weight 1 - epsilon, and is
biased, if less than Q-learning's; with two tables, one to choose and the other to evaluate, the bias is gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.temporal_difference.double_expected_sarsa import double_expected_sarsa
from rlcourse.agents.temporal_difference.expected_sarsa import expected_sarsa
from rlcourse.core.config import Config, Count, Probability, StepSize
from rlcourse.figures import style
from rlcourse.figures.ch06 import figure_6_5
from rlcourse.figures.claims import Claim, equal, less, mean
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

BOXES = figure_6_5.BOXES | {"Expected Sarsa": (expected_sarsa, 1), "Double Expected Sarsa": (double_expected_sarsa, 2)}


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 10_000
    episodes: Count = 300
    alpha: StepSize = 0.1
    epsilon: Probability = 0.1


FAST = {"runs": 2_000}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return whether each run went left in each episode, [4, runs, episodes]."""
    return {"left": figure_6_5.left_taken(list(BOXES.values()), settings, lab)}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the share of left actions by episode."""
    axes = style.panel(figure.subplots(), "", "episodes", "% left actions from A")
    episodes = np.arange(1, data["left"].shape[2] + 1)
    for i, name in enumerate(BOXES):
        style.curve(axes, episodes, 100.0 * data["left"][i], name, style.COLORS[(3, 2, 1, 0)[i]], linestyle="-" if i < 2 else "--")
    style.reference(axes, 100.0 * settings.epsilon / 2, "optimal", side="right", above=False)
    axes.set_ylim(0, 100)
    axes.set_xlim(0, len(episodes))
    axes.legend(frameon=False)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what doubling does to Expected Sarsa."""
    q, double_q, expected, double_expected = 100.0 * data["left"]
    floor = 100.0 * settings.epsilon / 2
    return [
        equal("Double Expected Sarsa begins at 50 %", mean(double_expected[:, 0]), 50.0),
        less("Expected Sarsa is biased as well: more than 60 % at its worst", 60.0, float(expected.mean(axis=0).max())),
        less("Double Expected Sarsa goes left less often than Expected Sarsa", mean((double_expected - expected).mean(axis=1)), 0.0),
        less("in the end too", mean((double_expected - expected)[:, -100:].mean(axis=1)), 0.0),
        less("Expected Sarsa's maximum counts a little less than Q-learning's", mean((expected - q).mean(axis=1)), 0.0),
        equal("Double Expected Sarsa is near Double Q-learning", mean((double_expected - double_q).mean(axis=1)), 0.0, 1.5),
        less("its floor is the share of exploration", floor - 0.5, mean(double_expected[:, -100:].mean(axis=1))),
    ]
