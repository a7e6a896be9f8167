"""Figure 2.4: upper-confidence-bound action selection on the 10-armed testbed.

UCB with c = 2 against epsilon-greedy with epsilon = 0.1, both on sample averages. UCB tries every arm once in its first ten steps; in step
11 all are equally uncertain, so it takes the one that paid best, and the estimate of that arm, chosen for its luck, disappoints: the
spike of Exercise 2.8. With c = 1 less is added for doubt, more problems stay with the best arm in step 12, and the spike is less
prominent. Afterwards UCB earns more. More problems of few steps show the beginning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean
from rlcourse.figures.experiment import Lab
from rlcourse.figures.testbed import BEST_OF_TEN, ahead, compare, curves, during, epsilon_greedy, ucb

__all__ = ["FAST", "Settings", "claims", "draw", "run"]


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 2000  # problems
    steps: Count = 1000  # pulls in each
    early_runs: Count = 20_000  # problems that end after 20 steps, for the beginning


FAST = {"runs": 600, "early_runs": 10_000}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return mean rewards [2, batches, steps]: UCB with c = 2, epsilon-greedy; of the first 20 steps with UCB at c = 1, also shares."""
    methods = [ucb(2.0), epsilon_greedy(0.1), ucb(1.0)]
    early = compare(lab, methods, settings.early_runs, 20)
    reward = compare(lab, methods[:2], settings.runs, settings.steps)["reward"]
    return {"reward": reward, "early_reward": early["reward"], "early_optimal": early["optimal"]}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw average reward over the steps, as the book does."""
    axes = curves(figure.subplots(), data["reward"], ("UCB, c = 2", "ε-greedy, ε = 0.1"), "average reward")
    style.reference(axes, BEST_OF_TEN, "value of the best arm, 1.539")
    spike = data["reward"][0].mean(axis=0)[10]
    axes.annotate(
        f"step 11: {spike:.2f}", (11, spike), (20, spike + 0.34), fontsize=9, va="center", arrowprops={"arrowstyle": "-", "linewidth": 0.8}
    )
    axes.set_ylim(-0.1, 1.65)
    axes.legend(frameon=False, fontsize=9, loc="lower right")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Section 2.7 and Exercise 2.8 say of the figure."""
    reward, (early, early_greedy, early_one), end = data["reward"], data["early_reward"], settings.steps
    tried = np.abs(data["early_optimal"][0][:, :10].sum(axis=1) - 1).max()
    drop, drop_one = (mean(rows[:, 10] - rows[:, 11:14].mean(axis=1)) for rows in (early, early_one))
    return [
        equal("UCB's first reward is 0 on average: ties break at random", during(early, 1), 0.0),
        equal("UCB tries every arm once in its first ten steps", float(tried), 0.0, 1e-5),
        ahead("in these ε-greedy earns more", early_greedy, early, 4, 10),
        equal("in step 11 UCB earns 1.11, by the arm that paid best", during(early, 11), 1.11, 0.02),
        less("step 12 earns less than step 11", mean(early[:, 11] - early[:, 10]), 0.0),
        less("the spike is less prominent with c = 1", drop_one, drop),
        ahead("after the first hundred steps UCB earns more than ε-greedy", reward[0], reward[1], 101, end),
        equal("UCB earns 1.485 at the end", during(reward[0], end - 19, end), 1.485, 0.02),
        equal("ε-greedy earns 1.365 at the end", during(reward[1], end - 19, end), 1.365, 0.02),
        less("UCB stays below the value of the best arm", during(reward[0], end // 2, end).mean, BEST_OF_TEN),
    ]
