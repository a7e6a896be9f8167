"""Exercise 2.5: sample averages have difficulties with values that drift.

The ten true values begin equal and then take independent random walks, each by a step from N(0, 0.01^2) after every pull. Epsilon-greedy
with epsilon = 0.1 over 10,000 steps, on sample averages and with the constant step size 0.1. The book leaves the answer to the reader; 2000
problems. A sample average weighs the distant past as much as the present and falls behind; a constant step keeps up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count, NonNegative, Probability, StepSize
from rlcourse.figures.claims import Claim, equal, less, mean
from rlcourse.figures.experiment import Lab
from rlcourse.figures.testbed import ahead, compare, curves, during, epsilon_greedy

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

EVERY = 20  # steps in a point of the curves
LABELS = ("constant step size, α = 0.1", "sample average")


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 2000  # problems
    steps: Count = 10_000  # pulls in each
    epsilon: Probability = 0.1
    alpha: StepSize = 0.1
    drift: NonNegative = 0.01  # standard deviation of the step of every true value


FAST = {"runs": 200}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return means over blocks of steps [2, batches, blocks]: constant step, sample average; best true values at the end [2, runs]."""
    methods = [epsilon_greedy(settings.epsilon, settings.alpha), epsilon_greedy(settings.epsilon)]
    options: dict[str, Any] = {"drift": settings.drift, "every": EVERY, "since": settings.steps - 1}
    made = compare(lab, methods, settings.runs, settings.steps, **options)
    return {name: made[name] for name in ("reward", "optimal", "best")}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw average reward above % optimal action, in the manner of Figure 2.2."""
    figure.set_size_inches(7.2, 6.6)
    steps = np.arange(1, data["reward"].shape[-1] + 1) * EVERY
    for axes, name, y in zip(figure.subplots(2, 1), ("reward", "optimal"), ("average reward", "% optimal action"), strict=True):
        curves(axes, data[name], LABELS, y, x=steps)
        axes.legend(frameon=False, fontsize=9, loc="upper left")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the exercise sets out to show."""
    (constant, average), (optimal, optimal_average) = data["reward"], data["optimal"]
    blocks = constant.shape[-1]
    half, last = (blocks // 2, blocks), (blocks - blocks // 10, blocks)
    spread = settings.drift * np.sqrt(settings.steps - 1)  # of a true value at the end
    return [
        ahead("in the second half the constant step earns more than the sample average", constant, average, *half),
        ahead("it also takes the optimal action more often", optimal, optimal_average, *half),
        less("the gap in reward widens", mean((constant - average)[:, : blocks // 4].mean(axis=1)), during(constant - average, *last)),
        less("the sample average takes the optimal action less than 60 % of the time", during(optimal_average, *last), 0.6),
        less("the constant step takes it more than two thirds of the time", 2 / 3, during(optimal, *last)),
        less("neither comes to the 91 % of values that stand still", during(optimal, *last), 0.91),
        equal("the best value grows as that of ten random walks: 1.53875 standard deviations", mean(data["best"][0]), 1.538753 * spread),
    ]
