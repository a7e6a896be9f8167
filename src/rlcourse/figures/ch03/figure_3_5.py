"""Figure 3.5: optimal values and all optimal actions of the gridworld.

The Bellman optimality equation of Example 3.5, solved by value iteration. Where several actions attain the maximum all are drawn. The best
state has a closed form (Exercise 3.24): from A it takes five steps to be back at A, so v*(A) = 10 / (1 - gamma^5) = 24.419.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.dynamic_programming.value_iteration import ValueIteration
from rlcourse.core import exact
from rlcourse.core.config import Config, Discount
from rlcourse.envs import grid_world
from rlcourse.figures import style
from rlcourse.figures.ch03.figure_3_2 import draw_rewards
from rlcourse.figures.claims import Claim, equal, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

PRINTED = (22.0, 24.4, 22.0, 19.4, 17.5, 19.8, 22.0, 19.8, 17.8, 16.0, 17.8, 19.8, 17.8, 16.0, 14.4,
           16.0, 17.8, 16.0, 14.4, 13.0, 14.4, 16.0, 14.4, 13.0, 11.7)  # fmt: skip
ARROWS = ("R", "URDL", "L", "URDL", "L", "UR", "U", "UL", "L", "L", *3 * ("UR", "U", "UL", "UL", "UL"))


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    gamma: Discount = 0.9


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return the optimal values V [25] and which actions are optimal [25, 4]."""
    agent = ValueIteration(grid_world(), gamma=settings.gamma).learn()
    return {
        "V": agent.V,
        "optimal": exact.optimal_actions(agent.action_values(np.arange(25))),
        "solved": exact.v_star(grid_world(), settings.gamma),
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the gridworld, v* and pi*."""
    figure.set_size_inches(9.6, 3.6)
    left, middle, right = figure.subplots(1, 3)
    draw_rewards(left)
    left.set_title("gridworld", fontsize=10.5, loc="left", fontweight="bold")
    style.grid(middle, data["V"], shape=(5, 5), size=11, title="v*")
    style.grid(right, data["V"], shape=(5, 5), texts=[""] * 25, arrows=data["optimal"], title="π*: all optimal actions")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Examples 3.8 and Exercise 3.24 say."""
    V, gamma = data["V"], settings.gamma
    printed = np.array([["URDL"[a] in arrows for a in range(4)] for arrows in ARROWS])
    off, wrong = float(np.abs(V - PRINTED).max()), float(np.abs(V - data["solved"]).max())
    other = int((data["optimal"] != printed).any(axis=1).sum())
    return [
        true("all 25 optimal values are the printed ones, to the last digit", off <= 0.0501, f"largest difference {off:.4f}"),
        equal("the best state is worth 10 / (1 - γ⁵), Exercise 3.24", float(V[1]), 10.0 / (1.0 - gamma**5), 1e-8),
        equal("B is worth 5 + γ v*(B')", float(V[3]), 5.0 + gamma * float(V[13]), 1e-8),
        true("value iteration agrees with policy iteration with exact evaluation", wrong < 1e-8, f"largest difference {wrong:.1e}"),
        true("the optimal actions are the printed arrows, all ties included", other == 0, f"{other} cells differ"),
    ]
