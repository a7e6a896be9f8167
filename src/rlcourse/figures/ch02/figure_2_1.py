"""Figure 2.1: an example bandit problem from the 10-armed testbed.

The true value q*(a) of each of ten actions was drawn from a normal distribution with mean zero and unit variance, and rewards of an
action are drawn around its value, again with unit variance. The book shows one draw and gives no numbers for it; here the shape of each
arm is that of sampled rewards. `runs` further problems show what the testbed offers on average: E[max of ten] = 1.53875.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count
from rlcourse.envs import bandit
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, mean, true
from rlcourse.figures.experiment import Lab
from rlcourse.figures.testbed import BEST_OF_TEN

__all__ = ["FAST", "Settings", "claims", "draw", "run"]


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 2000  # problems of the testbed
    pulls: Count = 5000  # of each arm of the problem that is shown


FAST = {"runs": 500, "pulls": 1000}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return the problem's values [10] and sampled rewards [10, pulls]; and the values of all problems [runs, 10]."""
    world, rng = bandit(seed=lab.seed), lab.rng(0)
    rewards = [[world.step(world.reset(rng), a, rng)[1] for _ in range(settings.pulls)] for a in range(10)]
    problems = np.array([bandit(seed=lab.seed + i).values for i in range(settings.runs)])
    return {"values": world.values, "rewards": np.array(rewards), "problems": problems}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the reward distribution of each action as a violin, its value as a line."""
    axes = style.panel(figure.subplots(), "", "action", "reward distribution")
    parts = axes.violinplot(list(data["rewards"]), range(1, 11), showextrema=False, widths=0.75)
    for body in parts["bodies"]:
        body.set(facecolor=style.GREY, alpha=0.55, edgecolor="none")
    axes.hlines(data["values"], np.arange(1, 11) - 0.28, np.arange(1, 11) + 0.28, color=style.INK, linewidth=1.6)
    for a, value in enumerate(data["values"], 1):
        axes.annotate(f"q∗({a})", (a + 0.3, value), fontsize=8, va="center", color=style.INK)
    axes.axhline(0.0, color=style.GREY, linestyle="--", linewidth=1)
    axes.set_xticks(range(1, 11))
    axes.set_xlim(0.4, 11.0)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the caption says."""
    errors = (data["rewards"].mean(axis=1) - data["values"]) * np.sqrt(settings.pulls)
    spread = data["rewards"].std(axis=1)
    return [
        true("the mean reward of each arm is its value", np.abs(errors).max() < 4.5, f"at most {np.abs(errors).max():.2f} standard errors"),
        true("the rewards of each arm have unit variance", np.abs(spread - 1).max() < 0.1, f"{spread.min():.3f} to {spread.max():.3f}"),
        equal("true values have mean 0", mean(data["problems"].mean(axis=1)), 0.0),
        equal("true values have variance 1", mean(data["problems"].var(axis=1, ddof=1)), 1.0),
        equal("the best of ten arms is worth 1.53875 on average", mean(data["problems"].max(axis=1)), BEST_OF_TEN),
    ]
