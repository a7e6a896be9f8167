"""Figure 3.2: the gridworld and its values under the equiprobable random policy.

Moves off the grid cost 1, A leads to A' with +10, B to B' with +5; gamma = 0.9. The values solve the Bellman equation of v_pi; here they
come from iterative policy evaluation, and are checked against the printed ones and the linear system.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.dynamic_programming.policy_evaluation import IterativePolicyEvaluation
from rlcourse.core import exact
from rlcourse.core.config import Config, Discount
from rlcourse.envs import grid_world
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "draw_rewards", "run"]

PRINTED = (3.3, 8.8, 4.4, 5.3, 1.5, 1.5, 3.0, 2.3, 1.9, 0.5, 0.1, 0.7, 0.7, 0.4, -0.4,
           -1.0, -0.4, -0.4, -0.6, -1.2, -1.9, -1.3, -1.2, -1.4, -2.0)  # fmt: skip


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    gamma: Discount = 0.9


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return the values by sweeps, V [25], and by the linear system, solved [25]."""
    world = grid_world()
    agent = IterativePolicyEvaluation(world, gamma=settings.gamma).learn()
    return {
        "V": agent.V,
        "sweeps": np.array(len(agent.history)),
        "solved": exact.v_pi(world, np.full((25, 4), 0.25), settings.gamma),
    }


def draw_rewards(axes: Any) -> None:
    """Draw the exceptional rewards: A to A' and B to B'."""
    texts = [{1: "A", 3: "B", 21: "A′", 13: "B′"}.get(s, "") for s in range(25)]
    style.grid(axes, shape=(5, 5), texts=texts, size=13)
    for (x, y, end), reward in (((1, 0, 4), "+10"), ((3, 0, 2), "+5")):
        axes.annotate(
            "", (x + 0.12, end - 0.22), (x + 0.12, y + 0.22),
            arrowprops={"arrowstyle": "-|>", "color": style.COLORS[0], "connectionstyle": "arc3,rad=-0.35", "linewidth": 1.4},
        )  # fmt: skip
        axes.text(x + 0.3 + 0.11 * (end - y), (y + end) / 2, reward, ha="left", va="center", fontsize=11, color=style.COLORS[0])


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the rewards and the table of values."""
    figure.set_size_inches(7.2, 3.8)
    left, right = figure.subplots(1, 2)
    draw_rewards(left)
    left.set_title("exceptional rewards", fontsize=10.5, loc="left", fontweight="bold")
    style.grid(right, data["V"], shape=(5, 5), size=11, title="values of the random policy")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Example 3.5 says of the figure."""
    V, wrong = data["V"], float(np.abs(data["V"] - data["solved"]).max())
    off = float(np.abs(V - PRINTED).max())
    return [
        true("all 25 values are the printed ones, to the last digit", off <= 0.0501, f"largest difference {off:.4f}"),
        true("sweeps end at the solution of the linear system", wrong < 1e-8, f"largest difference {wrong:.1e}"),
        true("A is the best state to be in", int(V.argmax()) == 1, f"v(A) = {V[1]:.4f}"),
        true(
            "A's value is less than its reward of 10: from A' the agent may run off the grid",
            V[1] < 10 and V[21] < 0,
            f"v(A') = {V[21]:.4f}",
        ),
        true(
            "B's value is more than its reward of 5: from B' the agent may stumble onto A or B",
            V[3] > 5 and V[13] > 0,
            f"v(B') = {V[13]:.4f}",
        ),
        true("values are negative near the lower edge", np.all(V[15:] < 0), f"largest {V[15:].max():.4f}"),
    ]
