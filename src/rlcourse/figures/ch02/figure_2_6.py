"""Figure 2.6: a parameter study of the bandit algorithms of chapter 2.

Each point is the mean reward of the first 1000 steps on the 10-armed testbed with one setting of an algorithm's own parameter: epsilon of
epsilon-greedy on sample averages, alpha of the gradient bandit, c of UCB, and the initial estimate Q0 of a greedy method with step size
0.1. Every algorithm is best at an intermediate value; UCB is best of all. The ranges are read off the book's picture.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab
from rlcourse.figures.testbed import compare, epsilon_greedy, gradient, parameter_study, ucb

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

STUDIES: dict[str, tuple[str, range, Any]] = {  # algorithm: its parameter, exponents of 2, and the method
    "ε-greedy": ("ε", range(-7, -1), epsilon_greedy),
    "gradient bandit": ("α", range(-5, 3), gradient),
    "UCB": ("c", range(-4, 3), ucb),
    "optimistic greedy, α = 0.1": ("Q₀", range(-2, 3), lambda initial: epsilon_greedy(0.0, 0.1, initial)),
}
LABELS = {"ε-greedy": (-6.6, 1.27), "gradient bandit": (-1.7, 1.2), "UCB": (-3.7, 1.445), "optimistic greedy, α = 0.1": (0.45, 1.5)}


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 2000  # problems
    steps: Count = 1000  # pulls in each


FAST = {"runs": 700}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return for each algorithm the mean reward of every problem [parameters, runs]."""
    methods = [make(2.0**k) for _, exponents, make in STUDIES.values() for k in exponents]
    scores = iter(compare(lab, methods, settings.runs, settings.steps)["score"])
    return {name: np.array([next(scores) for _ in exponents]) for name, (_, exponents, _) in STUDIES.items()}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw mean reward against the parameters on one logarithmic axis, as the book does."""
    axes = figure.subplots()
    parameter_study(axes, data, {name: study[:2] for name, study in STUDIES.items()}, LABELS)
    axes.set_ylabel(f"average reward over the first {settings.steps} steps")
    axes.set_ylim(0.95, 1.55)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Section 2.10 says of the figure."""
    found, peak = [], {}
    for name, (_, exponents, _) in STUDIES.items():
        means = data[name].mean(axis=1)
        best = int(np.argmax(means))
        peak[name] = data[name][best]
        sides = [mean(data[name][best] - data[name][end]) for end in (0, -1)]
        found.append(true(f"{name} is best at an intermediate value", 0 < best < len(means) - 1, f"2^{exponents[best]}"))
        found += [less(f"{name} is worse at its {side} value", 0.0, gap) for side, gap in zip(("smallest", "largest"), sides, strict=True)]
    for name, printed in (("ε-greedy", 1.315), ("gradient bandit", 1.38), ("UCB", 1.466), ("optimistic greedy, α = 0.1", 1.437)):
        found.append(equal(f"the peak of {name} is as printed: {printed}", mean(peak[name]), printed, 0.03))
    order = ["ε-greedy", "gradient bandit", "optimistic greedy, α = 0.1", "UCB"]
    for worse, better in itertools.pairwise(order):
        found.append(less(f"at its best {better} earns more than {worse}", 0.0, mean(peak[better] - peak[worse])))
    return found
