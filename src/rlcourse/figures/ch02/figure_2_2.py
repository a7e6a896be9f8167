"""Figure 2.2: average performance of epsilon-greedy action-value methods on the 10-armed testbed.

Sample averages that begin at 0, with epsilon = 0, 0.01 and 0.1, on 2000 problems of 1000 steps. The greedy method improves a little faster
at the very beginning and then gets stuck with suboptimal actions; epsilon = 0.1 explores more and finds the optimal action sooner;
epsilon = 0.01 improves more slowly and earns most in the end (Exercise 2.3). More problems of few steps show the beginning, fewer
problems of many steps the end. The limits, 1 - epsilon + epsilon / 10, are exact. The book's curve of optimal actions for epsilon = 0.01
ends near 53 %; a literal implementation gives 60 %, and this is not tested.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, true
from rlcourse.figures.experiment import Lab
from rlcourse.figures.testbed import BEST_OF_TEN, ahead, compare, curves, during, epsilon_greedy

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

EPSILONS = (0.1, 0.01, 0.0)
LABELS = ("ε = 0.1", "ε = 0.01", "ε = 0 (greedy)")


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 2000  # problems
    steps: Count = 1000  # pulls in each
    early_runs: Count = 20_000  # problems that end after 20 steps, for the beginning
    long_runs: Count = 400  # problems that go on, for the long run
    long_steps: Count = 10_000


FAST = {"runs": 600, "early_runs": 10_000, "long_runs": 160}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return mean rewards and shares of optimal actions [3, batches, steps]; those of the first 20 steps; of the long run, by hundreds."""
    short = compare(lab, [epsilon_greedy(epsilon) for epsilon in EPSILONS], settings.runs, settings.steps)
    long = compare(lab, [epsilon_greedy(epsilon) for epsilon in EPSILONS[:2]], settings.long_runs, settings.long_steps, every=100)
    early = compare(lab, [epsilon_greedy(epsilon) for epsilon in EPSILONS], settings.early_runs, 20)
    return {
        "reward": short["reward"],
        "optimal": short["optimal"],
        "early_reward": early["reward"],
        "early_optimal": early["optimal"],
        "long_reward": long["reward"],
        "long_optimal": long["optimal"],
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw average reward above % optimal action, as the book does."""
    figure.set_size_inches(7.2, 7.0)
    above, below = figure.subplots(2, 1)
    curves(above, data["reward"], LABELS, "average reward")
    style.reference(above, BEST_OF_TEN, "value of the best arm, 1.539")
    above.set_ylim(0, max(1.65, 1.02 * data["reward"].mean(axis=1).max()))  # the means of few problems reach far higher
    above.legend(frameon=False, fontsize=9, loc="lower right")
    curves(below, data["optimal"], LABELS, "% optimal action")
    style.reference(below, 91.0, "limit of ε = 0.1, 91 %")
    below.legend(frameon=False, fontsize=9, loc="lower right", bbox_to_anchor=(1.0, 0.02))


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Section 2.3 says of the figure."""
    reward, optimal, early, long = (data[name] for name in ("reward", "optimal", "early_reward", "long_reward"))
    last = (settings.steps - 19, settings.steps)
    best = max(during(reward[i], 1 + settings.steps // 2, settings.steps).mean for i in range(3))
    return [
        equal("the first reward is 0 on average", during(early[0], 1), 0.0),
        equal("the first action is optimal in a tenth of the problems", during(data["early_optimal"][0], 1), 0.1),
        ahead("at the very beginning the greedy method improves faster than ε = 0.1", early[2], early[0], 4, 20),
        ahead("in the end ε = 0.01 earns more than the greedy method", reward[1], reward[2], *last),
        ahead("in the end ε = 0.1 earns more than the greedy method", reward[0], reward[2], *last),
        ahead("by then ε = 0.1 finds the optimal action more often than ε = 0.01", optimal[0], optimal[1], *last),
        ahead("ε = 0.01 finds it more often than the greedy method", optimal[1], optimal[2], *last),
        equal("the greedy method finds the optimal action in a third of the problems", during(optimal[2], *last), 0.36, 0.02),
        equal("ε = 0.1 earns 1.37 at the end", during(reward[0], *last), 1.37, 0.02),
        equal("the greedy method earns 1.04 at the end", during(reward[2], *last), 1.04, 0.02),
        equal("ε = 0.1 takes the optimal action in 81 % at the end", during(optimal[0], *last), 0.81, 0.02),
        true("no method earns more than the best arm is worth", best < BEST_OF_TEN, f"{best:.3f}"),
        ahead("in the long run ε = 0.01 earns more than ε = 0.1", long[1], long[0], 51, 100),
        equal("in the long run ε = 0.1 comes close to its limit of 91 %", during(data["long_optimal"][0], 51, 100), 0.89, 0.015),
    ]
