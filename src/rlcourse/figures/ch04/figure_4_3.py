"""Figure 4.3: the gambler's problem at p_h = 0.4, sweep by sweep, and all optimal stakes.

Above, the estimates after 1, 2 and 3 sweeps and at the end: in place, capital ascending. Below, the book draws one optimal policy, the
smallest optimal stake (risking nothing is left out); here all optimal stakes are drawn, the smallest ones joined by a line. How many sweeps
there are depends on theta: the book shows its sweep 32. An estimate's accident of rounding decides between equal stakes, so they count as
equal within 1e-10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.dynamic_programming.value_iteration import ValueIteration
from rlcourse.core import exact
from rlcourse.core.config import Config, Positive, Probability
from rlcourse.envs import gamblers_problem
from rlcourse.envs.gambler import legal_stakes
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "draw_stakes", "draw_values", "run", "solve"]

SWEEPS = {1: {50: 0.4, 75: 0.64, 88: 0.784, 94: 0.8704, 99: 0.9533}, 2: {25: 0.16, 38: 0.256, 63: 0.496}, 3: {13: 0.064}}
FINAL = {1: 0.002066, 5: 0.017385, 10: 0.043463, 12: 0.057659, 13: 0.065239, 15: 0.074431, 20: 0.108659, 25: 0.16, 30: 0.186078,
         37: 0.246489, 38: 0.257859, 40: 0.271647, 49: 0.376222, 50: 0.4, 51: 0.403098, 60: 0.465195, 62: 0.486489, 63: 0.497859,
         65: 0.511647, 70: 0.562988, 74: 0.616222, 75: 0.64, 80: 0.679117, 87: 0.769733, 88: 0.786789, 90: 0.80747, 95: 0.884482,
         99: 0.964333}  # fmt: skip
HILL = (*range(1, 13), *range(12, 0, -1))
SMALLEST = (*HILL, 25, *HILL, 50, *HILL, 25, *HILL)  # optimal stakes at capital 1 .. 99
TIES = {13: [12, 13], 37: [12, 13, 37], 51: [1, 49], 64: [11, 14, 36]}


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    p_h: Probability = 0.4
    theta: Positive = 1e-15


FAST: dict[str, Any] = {}


def solve(p_h: float, theta: float, tolerance: float = 1e-10) -> dict[str, np.ndarray]:
    """Return estimates after sweeps 1, 2, 3 and the last [4, 101], their number, optimal stakes [101, 51], values of bold play [101]."""
    world = gamblers_problem(p_h)
    agent = ValueIteration(world, gamma=1.0, theta=theta)
    estimates = [agent.learn(episodes=1).V.copy() for _ in range(3)]
    V = agent.learn().V
    Q = np.where(legal_stakes(), agent.action_values(np.arange(101)), -1.0)
    capital = np.arange(101)
    return {
        "V": np.array([*estimates, V]),
        "sweeps": np.array(len(agent.history)),
        "optimal": exact.optimal_actions(Q, tolerance) & legal_stakes(),
        "bold": exact.v_pi(world, np.minimum(capital, 100 - capital), 1.0),
    }


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return what `solve` finds."""
    return solve(settings.p_h, settings.theta)


def draw_values(axes: Any, data: dict[str, np.ndarray], title: str = "") -> None:
    """Draw the estimates against the capital."""
    style.panel(axes, title, "capital", "value estimates")
    for i, name in enumerate(("sweep 1", "sweep 2", "sweep 3", f"sweep {data['sweeps']}, the last")):
        axes.plot(np.arange(1, 100), data["V"][i, 1:100], color=style.COLORS[i], linewidth=1.8 if i == 3 else 1.2, label=name)
    axes.set(xlim=(1, 99), ylim=(0, 1), xticks=(1, 25, 50, 75, 99))
    axes.legend(frameon=False, fontsize=8.5)


def draw_stakes(axes: Any, optimal: np.ndarray, title: str = "") -> None:
    """Draw all optimal stakes as dots, the smallest one of each capital as a line."""
    style.panel(axes, title, "capital", "final policy (stake)")
    capital, stake = np.nonzero(optimal)
    axes.plot(capital, stake, "o", markersize=2.6, color=style.COLORS[0], label="optimal stakes")
    axes.step(np.arange(1, 100), optimal[1:100].argmax(axis=1), where="mid", color=style.COLORS[1], linewidth=1.3, label="the smallest one")
    axes.set(xlim=(1, 99), ylim=(0, 52), xticks=(1, 25, 50, 75, 99), yticks=(1, 10, 20, 30, 40, 50))
    axes.legend(frameon=False, fontsize=8.5, loc="upper left")


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the estimates above, the stakes below."""
    figure.set_size_inches(6.6, 7.2)
    above, below = figure.subplots(2, 1)
    draw_values(above, data)
    draw_stakes(below, data["optimal"])


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return the exact solution's numbers and what the figure shows."""
    V, optimal, found = data["V"], data["optimal"], []
    for k, printed in SWEEPS.items():
        off = max(abs(float(V[k - 1, s]) - value) for s, value in printed.items())
        found.append(true(f"sweep {k} has reached {', '.join(map(str, printed))}", off < 5.1e-5, f"largest difference {off:.1e}"))
    off = max(abs(float(V[3, s]) - value) for s, value in FINAL.items())
    others = int((optimal[1:100].argmax(axis=1) != SMALLEST).sum())
    ties = {s: [int(a) for a in np.flatnonzero(optimal[s])] for s in TIES}
    capital = np.arange(1, 100)
    bold = float(np.abs(V[3, 1:100] - data["bold"][1:100]).max())
    return [
        *found,
        true("28 values of the exact solution, to six digits", off < 5.1e-7, f"largest difference {off:.1e}"),
        true("v(25), v(50), v(75) = p², p, p + (1 - p) p", np.allclose(V[3, [25, 50, 75]], (0.16, 0.4, 0.64), rtol=0, atol=1e-12)),
        true("the smallest optimal stakes are the printed policy", others == 0, f"{others} of 99 differ"),
        true("all optimal stakes at 13, 37, 51 and 64", ties == TIES, str(ties)),
        true("to stake all or what is missing is optimal at every capital", optimal[capital, np.minimum(capital, 100 - capital)].all()),
        true("and bold play is worth v* everywhere", bold < 1e-12, f"largest difference {bold:.1e}"),
        true("estimates only grow", np.all(np.diff(V, axis=0) > -1e-15)),
    ]
