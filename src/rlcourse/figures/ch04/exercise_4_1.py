"""Exercise 4.1: action values of the random policy on the small gridworld.

q(s, a) = r + v(s'), with the values of Figure 4.1 and no discount: down from state 11 ends the episode, down from state 7 leads to 11, so
q(11, down) = -1 and q(7, down) = -1 + v(11) = -15.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.dynamic_programming.policy_evaluation import IterativePolicyEvaluation
from rlcourse.core import exact
from rlcourse.core.config import Config, Positive
from rlcourse.envs import small_gridworld
from rlcourse.envs.small_grid import CELLS, MOVES
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

UP, RIGHT, DOWN, LEFT = range(4)


@dataclass(frozen=True)
class Settings(Config):
    """What the exercise is answered with."""

    theta: Positive = 1e-10


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return q [15, 4] and v [15] by sweeps in place, and both by the linear system."""
    world, policy = small_gridworld(), np.full((15, 4), 0.25)
    agent = IterativePolicyEvaluation(world, gamma=1.0, theta=settings.theta).learn()
    return {"Q": agent.action_values(np.arange(15)), "V": agent.V, "solved": exact.q_pi(world, policy, 1.0)}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the grid with four action values in each cell; those asked for are blue."""
    figure.set_size_inches(5.6, 5.2)
    axes = figure.subplots()
    style.grid(axes, data["V"][np.array(CELLS)], shape=(4, 4), texts=[str(s) if s else "" for s in CELLS], size=13)
    for cell, s in enumerate(CELLS):
        for a, (dy, dx) in enumerate(MOVES if s else ()):
            asked = (s, a) in ((11, DOWN), (7, DOWN))
            color = style.COLORS[0] if asked else style.INK
            weight = "bold" if asked else "normal"
            x, y = cell % 4 + 0.32 * dx, cell // 4 + 0.36 * dy
            axes.text(x, y, f"{data['Q'][s, a]:.0f}", ha="center", va="center", fontsize=9, color=color, fontweight=weight)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return the answers of the exercise."""
    Q, V = data["Q"], data["V"]
    wrong = float(np.abs(Q - data["solved"]).max())
    return [
        equal("q(11, down) = -1", float(Q[11, DOWN]), -1.0, 1e-9),
        equal("q(7, down) = -15", float(Q[7, DOWN]), -15.0, 1e-6),
        true("a state's value is the mean of its action values", np.allclose(Q.mean(axis=1), V, rtol=0, atol=1e-8)),
        true("all action values solve their linear system", wrong < 1e-6, f"largest difference {wrong:.1e}"),
    ]
