"""Exercise 10.8: the average reward moved by the TD error, or by R - R_bar.

On the ring of three states of Exercise 10.7, with the right values and R_bar held at its true value 1/3, the errors R - R_bar are -1/3,
-1/3, 2/3 over and over, and the TD errors are all zero. So an average that is moved by R - R_bar swings for ever, by an amount that its
step size sets, and one that is moved by the TD error comes to rest. Below both are free to move, and values are learned; nothing is random.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.approximation.differential_sarsa import differential_sarsa
from rlcourse.core import exact_average
from rlcourse.core.config import Config, Count, StepSize
from rlcourse.core.trial import Trial
from rlcourse.envs import ring
from rlcourse.features import OneHot
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

REWARDS = (0.0, 0.0, 1.0)
SHOWN = 12


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    alpha: StepSize = 0.1
    beta: StepSize = 0.1
    steps: Count = 240


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return both sequences of errors, and both averages after each number of steps."""
    world, n, c = ring(REWARDS), len(REWARDS), settings
    v, average = exact_average.v_pi(world, [0] * n), exact_average.rate(world, [0] * n)
    rewards = np.resize(REWARDS, c.steps)
    state = np.arange(c.steps) % n
    by_reward, by_error = np.zeros(c.steps + 1), np.zeros(c.steps + 1)
    values = np.zeros((c.steps + 1, n))
    for t in range(c.steps):
        by_reward[t + 1] = by_reward[t] + c.beta * (rewards[t] - by_reward[t])
        w, R_bar = np.zeros((1, n)), np.zeros(1)
        trial = Trial.of(world, steps=t + 1)  # the first t + 1 steps once more: nothing is random
        differential_sarsa(trial, OneHot(n), w, R_bar, c.alpha, c.beta, 0.0, lab.rng(0))
        by_error[t + 1], values[t + 1] = R_bar[0], w[0]
    return {
        "reward_errors": rewards - average,
        "td_errors": rewards - average + v[(state + 1) % n] - v[state],
        "by_reward": by_reward,
        "by_error": by_error,
        "values": values,
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the errors at the true average, and both estimates of it."""
    figure.set_size_inches(9.4, 3.9)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.5))
    style.panel(left, "R̄ held at 1/3", "step", "error")
    style.panel(right, "R̄ moved by its error", "step", "R̄")
    for i, (key, name) in enumerate((("reward", "R - R̄"), ("td", "TD error"))):
        left.plot(np.arange(1, SHOWN + 1), data[f"{key}_errors"][:SHOWN], "o-", color=style.COLORS[i], label=name, markersize=4)
        right.plot(data["by_reward" if i == 0 else "by_error"], color=style.COLORS[i], linewidth=1.4, label=f"by {name}")
    left.legend(frameon=False, loc="upper center", ncols=2)
    left.set_ylim(-0.45, 0.95)
    left.set_yticks([-1 / 3, 0, 2 / 3], ["-1/3", "0", "2/3"])
    right.axhline(1 / 3, color=style.GREY, linestyle="--", linewidth=1)
    right.set(xlim=(0, settings.steps), ylim=(0, None))
    right.legend(frameon=False, loc="lower right")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return the two sequences, and how far each average is from rest in the end."""
    ends = {key: data[key][-30:] for key in ("by_reward", "by_error")}
    beta = settings.beta
    keep = 1.0 - beta
    highest = beta / (1.0 - keep**3)  # right after a reward, in the long run: x = (1 - beta)^3 x + beta
    last = data["values"][-1] - data["values"][-1].mean()
    return [
        true("R - R_bar is -1/3, -1/3, 2/3 over and over", np.allclose(data["reward_errors"].reshape(-1, 3), [-1 / 3, -1 / 3, 2 / 3])),
        true("the TD errors are all zero", np.all(np.abs(data["td_errors"]) < 1e-12)),
        equal("moved by R - R_bar, the average swings up to beta / (1 - (1 - beta)^3)", float(ends["by_reward"].max()), highest, 1e-6),
        equal("and down to (1 - beta)^2 of that", float(ends["by_reward"].min()), keep**2 * highest, 1e-6),
        equal("moved by the TD error, it comes to rest at 1/3", float(np.abs(ends["by_error"] - 1 / 3).max()), 0.0, 1e-3),
        less("its swing is a hundred times smaller", 100 * float(np.ptp(ends["by_error"])), float(np.ptp(ends["by_reward"]))),
        true("the values become -1/3, 0, 1/3", np.allclose(last, [-1 / 3, 0, 1 / 3], atol=5e-3), str(np.round(last, 4))),
    ]
