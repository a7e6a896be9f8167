"""Section 8.11: Monte Carlo tree search goes on where rollout stops.

Not a figure of the book; its text in a picture. Random tasks as in Section 8.6 (30 states, one branch) with gamma = 0.9. Both planners
decide once in every state with the same number of simulated trajectories; what these decisions lose against optimal ones, in the
mean over all states, is exact. Rollout ends at the one step of improvement over its random trajectories; the policy within the tree
improves as the tree grows, so the tree search's decisions, and its value at the root, go on towards the optimum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents import MCTS, Rollout
from rlcourse.core import exact
from rlcourse.core.config import Config, Count, Discount, NonNegative
from rlcourse.envs import branching_task
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

NAMES = ("rollout of random moves", "Monte Carlo tree search")
DEPTH = 60  # steps of a simulation: what lies beyond is discounted to nothing
FEWEST = 3  # 2**3 simulations


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 100  # tasks
    states: Count = 30
    doublings: Count = 13  # simulations per decision: 8, 16, ... 2**doublings
    c: NonNegative = 10.0  # exploration of the tree search; values are about 3, rewards up to 3
    gamma: Discount = 0.9


FAST = {"runs": 24, "doublings": 11}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return losses [runs, 2 planners, numbers], errors of the values at the root alike, and losses of one exact improvement."""
    S, gamma = settings.states, settings.gamma
    numbers = 2 ** np.arange(FEWEST, settings.doublings + 1)

    def experiment(_: Any, rng: np.random.Generator, n: int) -> tuple[np.ndarray, ...]:
        loss, error, limit = np.zeros((n, 2, len(numbers))), np.zeros((n, 2, len(numbers))), np.zeros(n)
        for i, seed in enumerate(rng.integers(2**31, size=n)):
            task, base = branching_task(S, 1, int(seed)), np.full((S, 2), 0.5)
            best = exact.v_star(task, gamma)
            limit[i] = (best - exact.v_pi(task, exact.greedy_policy(exact.q_pi(task, base, gamma)), gamma)).mean()
            for k, number in enumerate(numbers.tolist()):
                shared = {"depth": DEPTH, "gamma": gamma, "seed": int(seed)}
                for j, agent in enumerate((Rollout(task, n=number // 2, **shared), MCTS(task, n=number, c=settings.c, **shared))):
                    Q = agent.action_values(np.arange(S))
                    loss[i, j, k] = (best - exact.v_pi(task, Q.argmax(axis=1), gamma)).mean()
                    error[i, j, k] = (best - Q.max(axis=1)).mean()
        return loss, error, limit

    loss, error, limit = lab.study(experiment, [None], settings.runs, chunk=4)[0]
    return {"numbers": numbers, "loss": loss, "error": error, "limit": limit}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw loss of the decisions, and error of the value at the root, against simulations per decision."""
    figure.set_size_inches(7.6, 4.0)
    left, right = figure.subplots(1, 2)
    style.panel(left, "Loss of the decisions", "simulations per decision", "optimal minus achieved value")
    style.panel(right, "Value at the root", "simulations per decision", "optimal minus estimated value")
    for j, name in enumerate(NAMES):
        for axes, key in ((left, "loss"), (right, "error")):
            style.curve(axes, data["numbers"], data[key][:, j], name, style.COLORS[j], marker="o", markersize=3.5)
    style.reference(left, data["limit"].mean(), "exact improvement of random moves")
    for axes in (left, right):
        axes.set_xscale("log", base=2)
        ticks = data["numbers"][::2]
        axes.set_xticks(ticks, [f"{number:,}" for number in ticks])
        axes.minorticks_off()
        axes.set_ylim(bottom=0)
    left.legend(frameon=False, fontsize=8)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Section 8.11 says; all comparisons are within the same tasks."""
    (rollout, search), limit = data["loss"].transpose(1, 0, 2), data["limit"]  # [runs, numbers]
    error = data["error"][:, 1]
    return [
        equal("rollout ends at one exact improvement of its base", mean(rollout[:, -1] - limit), 0.0, 0.03),
        less("tree search decides the better the more it simulates", 0.0, mean(search[:, 0] - search[:, -1])),
        less("with many simulations tree search loses less than rollout", 0.0, mean(rollout[:, -1] - search[:, -1])),
        equal("with many simulations it loses almost nothing", mean(search[:, -1]), 0.0, 0.05),
        less("its value at the root rises from below", 0.0, mean(error[:, 0] - error[:, -1])),
        less("and comes more than half of the way to the optimum", mean(error[:, -1] - error[:, 0] / 2), 0.0),
        less("it does not come above the optimum", -0.1, mean(error[:, -1])),
    ]
