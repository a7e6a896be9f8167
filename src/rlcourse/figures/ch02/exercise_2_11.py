"""Exercise 2.11: the parameter study of Figure 2.6 for values that drift.

Bandits as in Exercise 2.5, 200,000 steps each; a point is the mean reward of the last 100,000. Besides the algorithms of Figure 2.6 there
is epsilon-greedy with the constant step size 0.1, as the exercise asks. The book gives no answer and no number of problems; 80 by default.
Because the best value wanders far, a method is judged by what it lost against always knowing the best arm; the picture subtracts this
from what the best arm brought on average, the same for all methods.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count, NonNegative
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, less, mean, true
from rlcourse.figures.experiment import Lab
from rlcourse.figures.testbed import compare, epsilon_greedy, gradient, parameter_study, ucb

__all__ = ["FAST", "FULL", "Settings", "claims", "draw", "run"]

STUDIES: dict[str, tuple[str, range, Any]] = {  # algorithm: its parameter, exponents of 2, and the method
    "ε-greedy, α = 0.1": ("ε", range(-8, -1), lambda epsilon: epsilon_greedy(epsilon, 0.1)),
    "ε-greedy, sample average": ("ε", range(-7, -1), epsilon_greedy),
    "gradient bandit": ("α", range(-7, 3), gradient),
    "UCB": ("c", range(-2, 9), ucb),
    "optimistic greedy, α = 0.1": ("Q₀", range(-2, 4), lambda initial: epsilon_greedy(0.0, 0.1, initial)),
}


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 80  # problems
    steps: Count = 200_000  # pulls in each; the last half counts
    drift: NonNegative = 0.01  # standard deviation of the step of every true value


FAST = {"runs": 32, "steps": 12_000, "drift": 0.04}  # the same distance in fewer steps
FULL = {"runs": 1000}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return for each algorithm what it lost per step against the best arm [parameters, runs]; and the mean value of the best arm."""
    methods = [make(2.0**k) for _, exponents, make in STUDIES.values() for k in exponents]
    options: dict[str, Any] = {"drift": settings.drift, "since": settings.steps // 2, "every": settings.steps, "batches": settings.runs}
    made = compare(lab, methods, settings.runs, settings.steps, **options)
    rows = iter(range(len(methods)))
    chosen = {name: [next(rows) for _ in exponents] for name, (_, exponents, _) in STUDIES.items()}
    lost = made["best"] - made["score"]
    return {"best": np.array(made["best"].mean())} | {name: lost[rows] for name, rows in chosen.items()}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw mean reward of the last half against the parameters, in the manner of Figure 2.6."""
    figure.set_size_inches(8.4, 5.2)
    axes = figure.subplots()
    rewards = {name: data["best"] - data[name] for name in STUDIES}
    parameter_study(axes, rewards, {name: study[:2] for name, study in STUDIES.items()})
    style.reference(axes, float(data["best"]), "value of the best arm")
    axes.set_ylabel(f"average reward over the last {settings.steps // 2:,} steps")
    axes.legend(frameon=False, fontsize=8.5, loc="lower left")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the figure shows; the book leaves it to the reader."""
    lost = {name: data[name] for name in STUDIES}
    best = {name: int(np.argmin(lost[name].mean(axis=1))) for name in STUDIES}
    least = {name: lost[name][best[name]] for name in STUDIES}
    constant = "ε-greedy, α = 0.1"
    exponents = {name: study[1][best[name]] for name, study in STUDIES.items()}
    rivals = {f"{name} on average": lost[name].mean(axis=0) for name in ("optimistic greedy, α = 0.1", "gradient bandit")}
    if settings.steps >= 100_000:  # UCB falls behind late: the more it has seen, the less a step of its averages moves
        rivals["UCB at its best"] = least["UCB"]
    gap = lost["ε-greedy, sample average"] - lost[constant][1:]  # at the same values of ε
    return [
        less("a constant step loses less than the sample average with the same ε", 0.0, mean(gap.mean(axis=0))),
        *(less(f"at its best, {constant} loses less than {name}", 0.0, mean(loss - least[constant])) for name, loss in rivals.items()),
        true("ε is best at an intermediate value", 0 < best[constant] < len(lost[constant]) - 1, f"2^{exponents[constant]}"),
        true("UCB needs more doubt than where values stand still: c = 4 at least", exponents["UCB"] >= 2, f"2^{exponents['UCB']}"),
        less("UCB with c = 1, good where values stand still, loses more than at its best", 0.0, mean(lost["UCB"][2] - least["UCB"])),
    ]
