"""Exercise 3.22: left or right, at gamma = 0, 0.5 and 0.9.

Left pays 1 at once, right pays 2 one step later, and both lead back. Alternating for ever, v_left = 1 / (1 - gamma^2) and
v_right = 2 gamma / (1 - gamma^2): left is optimal at gamma = 0, right at 0.9, and both at 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.dynamic_programming.policy_evaluation import IterativePolicyEvaluation
from rlcourse.agents.dynamic_programming.value_iteration import ValueIteration
from rlcourse.core import exact
from rlcourse.core.config import Config, Count
from rlcourse.envs import left_or_right
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

ASKED = (0.0, 0.5, 0.9)  # discount rates of the exercise
POLICIES = ("left", "right")


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    points: Count = 47  # discount rates of the curves, from 0 to 0.92


FAST: dict[str, Any] = {"points": 24}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return discount rates gamma [G], values of both policies at the top [2, G]; at the rates asked for values [2, 3], optimal [3, 2]."""
    world = left_or_right()
    gammas = np.linspace(0.0, 0.92, settings.points)

    def value(action: int, gamma: float) -> float:
        agent = IterativePolicyEvaluation(world, policy=np.array([action, 0, 0]), gamma=gamma).learn()
        return float(agent.V[0])

    Q = [ValueIteration(world, gamma=gamma).learn().action_values(np.arange(1))[0] for gamma in ASKED]
    return {
        "gamma": gammas,
        "values": np.array([[value(a, gamma) for gamma in gammas] for a in (0, 1)]),
        "asked": np.array([[value(a, gamma) for gamma in ASKED] for a in (0, 1)]),
        "optimal": exact.optimal_actions(np.array(Q), 1e-8),
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the diagram of the exercise, and both values against gamma."""
    figure.set_size_inches(7.6, 3.6)
    diagram, axes = figure.subplots(1, 2, width_ratios=(1, 1.7))
    diagram.axis("off")
    diagram.set(xlim=(-1.6, 1.6), ylim=(-1.5, 0.8), aspect="equal")
    for x, name, rewards in ((-1, "left", ("+1", "0")), (1, "right", ("0", "+2"))):
        for (start, end), reward, side in ((((0, 0), (x, -1)), rewards[0], 0.3), (((x, -1), (0, 0)), rewards[1], -0.3)):
            arrow = {"arrowstyle": "-|>", "color": style.INK, "connectionstyle": f"arc3,rad={-0.3 * x}", "shrinkA": 12, "shrinkB": 12}
            diagram.annotate("", end, start, arrowprops=arrow)
            diagram.text(x * (0.5 + side), -0.5 + 0.9 * side, reward, ha="center", va="center", fontsize=11, color=style.COLORS[0])
        diagram.text(x * 1.05, -0.12, name, ha="center", va="bottom", fontsize=11)
        diagram.plot(x, -1, "o", markersize=20, markerfacecolor="white", markeredgecolor=style.INK)
    diagram.plot(0, 0, "o", markersize=20, markerfacecolor="white", markeredgecolor=style.INK)
    style.panel(axes, "", "discount rate γ", "value of the top state")
    for i, name in enumerate(POLICIES):
        axes.plot(data["gamma"], data["values"][i], color=style.COLORS[i], label=f"always {name}")
    for gamma in ASKED:
        axes.axvline(gamma, color=style.GREY, linestyle="--", linewidth=0.8)
    for k, gamma in enumerate(ASKED):
        best = " = ".join(POLICIES[a] for a in np.flatnonzero(data["optimal"][k]))
        axes.annotate(
            best, (gamma, 0.97), ((3, 0, -3)[k], 0), xycoords=("data", "axes fraction"), textcoords="offset points",
            ha=("left", "center", "right")[k], va="top", fontsize=9, backgroundcolor="white",
        )  # fmt: skip
    axes.set(xlim=(0, 0.92), ylim=(0, 14))
    axes.legend(frameon=False, loc="center left")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return the answers of the exercise."""
    gammas = np.array(ASKED)
    closed = np.array([1.0 / (1.0 - gammas**2), 2.0 * gammas / (1.0 - gammas**2)])
    wrong = float(np.abs(data["asked"] - closed).max())
    left, right = data["values"]
    answers = [" and ".join(POLICIES[a] for a in np.flatnonzero(row)) for row in data["optimal"]]
    return [
        true("with γ = 0 left is optimal, and right is not", answers[0] == "left", answers[0]),
        true("with γ = 0.5 both are optimal", answers[1] == "left and right", answers[1]),
        true("with γ = 0.9 right is optimal, and left is not", answers[2] == "right", answers[2]),
        true("v = 1 / (1 - γ²) and 2γ / (1 - γ²)", wrong < 1e-8, f"largest difference {wrong:.1e}"),
        true(
            "the curves cross at γ = 0.5 only",
            np.array_equal(np.sign(np.round(right - left, 6)), np.sign(np.round(data["gamma"] - 0.5, 6))),
        ),
    ]
