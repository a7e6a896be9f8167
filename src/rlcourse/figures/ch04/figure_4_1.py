"""Figure 4.1: iterative policy evaluation on the small gridworld, and greedy policies.

Undiscounted, reward -1 a step, the equiprobable random policy. Sweeps use two arrays, so v_k is the expected return of k steps; beside each
v_k are all greedy actions. The estimates still change after the third sweep, but the greedy policy does not: it is optimal. The book prints
-1.75 as -1.7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.dynamic_programming.policy_evaluation import IterativePolicyEvaluation
from rlcourse.core import exact
from rlcourse.core.config import Config, Positive
from rlcourse.envs import small_gridworld
from rlcourse.envs.small_grid import CELLS
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

SHOWN = (0, 1, 2, 3, 10)  # sweeps, and then as many as it takes
PRINTED = {  # the first two rows of cells, the others by symmetry
    1: (0.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0),
    2: (0.0, -1.7, -2.0, -2.0, -1.7, -2.0, -2.0, -2.0),
    3: (0.0, -2.4, -2.9, -3.0, -2.4, -2.9, -3.0, -2.9),
    10: (0.0, -6.1, -8.4, -9.0, -6.1, -7.7, -8.4, -8.4),
}
LIMIT = (0.0, -14.0, -20.0, -22.0, -14.0, -18.0, -20.0, -20.0)


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    theta: Positive = 1e-10


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return v_k [6, 15] for the sweeps shown, the greedy actions [6, 15, 4], and those of v* [15, 4]."""
    world = small_gridworld()
    agent = IterativePolicyEvaluation(world, gamma=1.0, theta=settings.theta, in_place=False)
    values, greedy, sweeps = [], [], 0
    for k in (*SHOWN, None):
        agent.learn(episodes=None if k is None else k - sweeps) if k != 0 else None
        sweeps = k or 0
        values.append(agent.V.copy())
        greedy.append(exact.optimal_actions(agent.action_values(np.arange(15)), 1e-8))
    return {
        "V": np.array(values),
        "greedy": np.array(greedy),
        "optimal": exact.optimal_actions(exact.q_star(world, 1.0)),
        "solved": exact.v_pi(world, np.full((15, 4), 0.25), 1.0),
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw v_k and the greedy policy of each, in the book's order."""
    figure.set_size_inches(9.4, 7.2)
    axes = figure.subplots(3, 4)
    cells = np.array(CELLS)
    for i in range(6):
        left, right = axes[i % 3, 2 * (i // 3)], axes[i % 3, 2 * (i // 3) + 1]
        name = f"k = {SHOWN[i]}" if i < len(SHOWN) else "k = ∞"
        style.grid(left, data["V"][i][cells], shape=(4, 4), size=10, title=name)
        arrows = data["greedy"][i][cells] & (cells > 0)[:, None]
        style.grid(
            right, np.where(cells == 0, 1.0, 0.0), shape=(4, 4), texts=[""] * 16, arrows=arrows, title=("random" if i == 0 else "greedy")
        )


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the figure prints and Section 4.1 says of it."""
    found = []
    for k, printed in PRINTED.items():
        V = data["V"][SHOWN.index(k)]
        off = float(np.abs(V[np.array(CELLS[:8])] - printed).max())
        found.append(true(f"v_{k} is as printed", off <= 0.0501, f"largest difference {off:.4f}"))
    limit, wrong = data["V"][-1], float(np.abs(data["V"][-1] - data["solved"]).max())
    cells = limit[np.array(CELLS)]
    good = [bool(np.all(data["optimal"][1:] | ~data["greedy"][i][1:])) for i in range(6)]
    return [
        *found,
        true("v_3 is -2.4375, -2.875, -2.9375 and -3", {*np.round(data["V"][3], 9)} == {0.0, -2.4375, -2.875, -2.9375, -3.0}),
        true("the limit is 0, -14, -18, -20, -22 as printed", np.allclose(cells[:8], LIMIT, rtol=0, atol=1e-6)),
        true("the limit solves the Bellman equation", wrong < 1e-6, f"largest difference {wrong:.1e}"),
        true("every v_k looks the same from both corners", np.allclose(data["V"][:, 1:], data["V"][:, :0:-1], rtol=0, atol=1e-12)),
        true("after three sweeps every greedy action is optimal, and stays so", all(good[3:])),
        true("after two sweeps this is not so yet", not any(good[:3])),
    ]
