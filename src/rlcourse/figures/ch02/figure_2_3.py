"""Figure 2.3: the effect of optimistic initial action-value estimates on the 10-armed testbed.

Both methods have the constant step size 0.1: the optimistic one is greedy and begins with estimates of 5, the realistic one begins at 0
and has epsilon = 0.1. Whatever the optimist tries disappoints, so it tries every arm once in its first ten steps. Then all have one
reward in them, and in step 11 it takes the arm that paid best, optimal in 43 % of the problems; that disappoints again, which is the
spike of Exercise 2.6. Later it explores less than the realist and is better. More problems of few steps show the beginning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count
from rlcourse.figures.claims import Claim, equal, less, mean
from rlcourse.figures.experiment import Lab
from rlcourse.figures.testbed import ahead, compare, curves, during, epsilon_greedy

__all__ = ["FAST", "Settings", "claims", "draw", "run"]


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 2000  # problems
    steps: Count = 1000  # pulls in each
    early_runs: Count = 20_000  # problems that end after 20 steps, for the beginning


FAST = {"runs": 600, "early_runs": 10_000}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return shares of optimal actions [2, batches, steps]: optimistic, realistic; and those of the first 20 steps."""
    methods = [epsilon_greedy(0.0, alpha=0.1, initial=5.0), epsilon_greedy(0.1, alpha=0.1)]
    optimal, early = (compare(lab, methods, *size)["optimal"] for size in ((settings.runs, settings.steps), (settings.early_runs, 20)))
    return {"optimal": optimal, "early": early}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw % optimal action over the steps."""
    axes = curves(
        figure.subplots(),
        data["optimal"],
        ("optimistic, greedy: Q₁ = 5, ε = 0", "realistic, ε-greedy: Q₁ = 0, ε = 0.1"),
        "% optimal action",
    )
    spike = 100 * data["optimal"][0].mean(axis=0)[10]
    axes.annotate(
        f"step 11: {spike:.0f} %", (11, spike), (25, spike + 18), fontsize=9, va="center", arrowprops={"arrowstyle": "-", "linewidth": 0.8}
    )
    axes.legend(frameon=False, fontsize=9, loc="lower right")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Section 2.6 and Exercise 2.6 say of the figure."""
    (optimistic, realistic), (early, early_realistic) = data["optimal"], data["early"]
    last = (settings.steps - 19, settings.steps)
    return [
        equal("the optimist tries every arm once in its first ten steps", during(early, 1, 10), 0.1, 0.001),
        ahead("at first the realist performs better", early_realistic, early, 4, 10),
        equal("in step 11 it takes the arm that paid best, optimal in 43 % of the problems", during(early, 11), 0.43, 0.01),
        less("step 12 is worse than step 11: even the best arm disappoints", mean(early[:, 11] - early[:, 10]), 0.0),
        less("the spike is over in step 14", mean(early[:, 13] - early[:, 10]), 0.0),
        ahead("in the end the optimist performs better", optimistic, realistic, *last),
        equal("it ends at 86 %", during(optimistic, *last), 0.86, 0.02),
        equal("the realist ends at 75 %", during(realistic, *last), 0.75, 0.02),
        less("exploring a tenth of the time, the realist stays below 91 %", during(realistic, *last), 0.91),
    ]
