"""Section 8.10: what rollout gains over its base policy, exactly.

Not a figure of the book; its text in a picture. Random tasks as in Section 8.6 (30 states, one branch) with gamma = 0.9. Rollout decides in
every state once, from n simulated trajectories per action; the value of these decisions, in the mean over all states, is exact. By the
policy improvement theorem, greedy decisions on the exact q of the base are no worse than the base in any state; with growing n
rollout comes to just that, which is not the optimum. A better base gives a better rollout: here the improved policy is improved again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents import Rollout
from rlcourse.core import exact
from rlcourse.core.config import Config, Count, Discount
from rlcourse.envs import branching_task
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

BASES = ("the equiprobable policy", "that policy, improved")
DEPTH = 60  # steps of a trajectory: what lies beyond is discounted to nothing


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 200  # tasks
    states: Count = 30
    doublings: Count = 10  # trajectories per action: 1, 2, 4, ... 2**doublings
    gamma: Discount = 0.9


FAST = {"runs": 40, "doublings": 8}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return mean values of rollout's decisions [runs, 2, numbers], of both bases [runs, 2, S], improved exactly, and optimal."""
    S, gamma = settings.states, settings.gamma
    numbers = 2 ** np.arange(settings.doublings + 1)

    def experiment(_: Any, rng: np.random.Generator, n: int) -> tuple[np.ndarray, ...]:
        rolled, bases, improved = np.zeros((n, 2, len(numbers))), np.zeros((n, 2, S)), np.zeros((n, 2, S))
        optimal = np.zeros(n)
        for i, seed in enumerate(rng.integers(2**31, size=n)):
            task, base = branching_task(S, 1, int(seed)), np.full((S, 2), 0.5)
            optimal[i] = exact.v_star(task, gamma).mean()
            for j in range(2):
                bases[i, j] = exact.v_pi(task, base, gamma)
                better = exact.greedy_policy(exact.q_pi(task, base, gamma))
                improved[i, j] = exact.v_pi(task, better, gamma)
                for k, number in enumerate(numbers):
                    agent = Rollout(task, base=base, n=int(number), depth=DEPTH, gamma=gamma, seed=int(seed))
                    rolled[i, j, k] = exact.v_pi(task, agent.predict(np.arange(S))[0], gamma).mean()
                base = better
        return rolled, bases, improved, optimal

    rolled, bases, improved, optimal = lab.study(experiment, [None], settings.runs, chunk=5)[0]
    return {"numbers": numbers, "rollout": rolled, "base": bases, "improved": improved, "optimal": optimal}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the value of rollout's decisions against the number of trajectories, between the exact values of base and optimum."""
    axes = style.panel(figure.subplots(), "", "simulated trajectories per action", "value, mean over all states")
    for j, name in enumerate(BASES):
        style.curve(axes, data["numbers"], data["rollout"][:, j], f"rollout of {name}", style.COLORS[j], marker="o", markersize=3.5)
    axes.set_xscale("log", base=2)
    axes.set_xticks(data["numbers"], [f"{number:,}" for number in data["numbers"]])
    axes.minorticks_off()
    style.reference(axes, data["optimal"].mean(), "optimal")
    style.reference(axes, data["improved"][:, 0].mean(), "equiprobable, improved exactly", above=False)
    style.reference(axes, data["base"][:, 0].mean(), "equiprobable")
    axes.set_ylim(data["base"][:, 0].mean() - 0.2, data["optimal"].mean() + 0.35)
    axes.legend(frameon=False, fontsize=8.5, loc="center right")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Section 8.10 says; all comparisons are within the same tasks."""
    first, second = data["rollout"][:, 0], data["rollout"][:, 1]  # [runs, numbers]
    base, improved = data["base"].mean(axis=2), data["improved"].mean(axis=2)  # [runs, 2]
    worst = float((data["improved"] - data["base"]).min())
    return [
        true("greedy on the exact values of the base is no worse in any state of any task", worst > -1e-9, f"least gain {worst:.2g}"),
        less("one trajectory per action already improves on the base", 0.0, mean(first[:, 0] - base[:, 0])),
        less("more trajectories make better decisions", 0.0, mean(first[:, -1] - first[:, 0])),
        equal("many trajectories gain what the exact improvement gains", mean(first[:, -1] - improved[:, 0]), 0.0, 0.03),
        less("that is not the optimum", 0.0, mean(data["optimal"] - first[:, -1])),
        less("a better base gives a better rollout", 0.0, mean(second[:, -1] - first[:, -1])),
        equal(
            "many trajectories of the better base gain what its exact improvement gains", mean(second[:, -1] - improved[:, 1]), 0.0, 0.05
        ),
    ]
