"""Exercise 4.2: a new state below state 13 of the small gridworld.

From state 15 left, up, right and down lead to 12, 13, 14 and 15. Whether down from 13 leads to 13 itself, as before, or to 15, its value
under the random policy is v(15) = -20, that of state 13: both sit between 12 and 14 in the same way, and nothing else changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.dynamic_programming.policy_evaluation import IterativePolicyEvaluation
from rlcourse.core.config import Config, Positive
from rlcourse.envs import small_gridworld
from rlcourse.envs.small_grid import CELLS
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]


@dataclass(frozen=True)
class Settings(Config):
    """What the exercise is answered with."""

    theta: Positive = 1e-10


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return the values V [2, 16] of both parts, and those without the new state [15]."""
    worlds = [small_gridworld(), small_gridworld(new_state=True), small_gridworld(new_state=True, changed=True)]
    before, *parts = [IterativePolicyEvaluation(world, gamma=1.0, theta=settings.theta).learn().V for world in worlds]
    return {"before": before, "V": np.array(parts)}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw both tables of values, the new state below 13."""
    figure.set_size_inches(7.0, 4.6)
    titles = ("down from 13 leads to 13", "down from 13 leads to 15")
    for axes, V, title in zip(figure.subplots(1, 2), data["V"], titles, strict=True):
        cells = np.full(20, np.nan)
        cells[:16], cells[17] = V[np.array(CELLS)], V[15]
        style.grid(axes, cells, shape=(5, 4), size=11, title=title)
        axes.spines[:].set_visible(False)
        for column in (0, 2, 3):  # no cells there
            axes.add_patch(_blank(column))


def _blank(column: int) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((column - 0.49, 3.51), 0.98, 0.98, facecolor="white", edgecolor="white", zorder=3)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return the answers of the exercise."""
    first, second = data["V"]
    return [
        equal("v(15) = -20 where the old states' moves are unchanged", float(first[15]), -20.0, 1e-6),
        equal("v(15) = -20 where down from 13 leads to it", float(second[15]), -20.0, 1e-6),
        true("the old states keep their values in the first part", np.allclose(first[:15], data["before"], rtol=0, atol=1e-6)),
        true("and in the second part too", np.allclose(second[:15], data["before"], rtol=0, atol=1e-6)),
    ]
