"""Example 13.1: the value of going right with probability p, in a corridor whose states look alike.

Three states, seen as one; in the second one the actions are switched. Always going the same way never arrives, and epsilon-greedy action
values can only prefer one way: with epsilon = 0.1 they go right with probability 0.05 or 0.95, for values of -82 and -44. The best
of all is a policy that tosses a coin with p = 2 - sqrt 2 = 0.586 on the right side: it is worth -(6 + 4 sqrt 2) = -11.66. The curve is
v(p) = (2p - 4) / (p (1 - p)); the points on it are the exact values of the model, by linear algebra.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core import exact
from rlcourse.core.config import Config, Positive
from rlcourse.envs import short_corridor
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, true
from rlcourse.figures.experiment import Lab

__all__ = ["BEST", "BEST_VALUE", "FAST", "Settings", "claims", "draw", "run", "value"]

BEST, BEST_VALUE = 2.0 - np.sqrt(2.0), -(6.0 + 4.0 * np.sqrt(2.0))  # p, and its value


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    epsilon: Positive = 0.1  # of the two epsilon-greedy policies


FAST: dict[str, Any] = {}


def value(p: Any) -> Any:
    """Return v(p) of the first state: (2p - 4) / (p (1 - p))."""
    return (2.0 * p - 4.0) / (p * (1.0 - p))


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return probabilities p [P] of going right, exact values of all states [P, 4], and the epsilon-greedy p [2]: left, right."""
    corridor, greedy = short_corridor(), np.array([settings.epsilon / 2, 1.0 - settings.epsilon / 2])
    p = np.sort(np.concatenate([np.arange(1, 100) / 100, greedy, [BEST]]))
    values = [exact.v_pi(corridor, np.tile([1.0 - each, each], (4, 1)), 1.0) for each in p]
    return {"p": p, "v": np.array(values), "greedy": greedy}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the value of the first state against the probability of right, with the three policies that the book names."""
    axes = style.panel(figure.subplots(), "", "probability of the right action", "value of the first state")
    fine = np.linspace(0.02, 0.98, 400)
    axes.plot(fine, value(fine), color=style.COLORS[0], linewidth=1.8)
    axes.plot(data["p"], data["v"][:, 0], ".", color=style.INK, markersize=3)
    left, right = data["greedy"].tolist()
    points = ((BEST, "optimal stochastic policy", (0, -26)), (left, "ε-greedy left", (14, -4)), (right, "ε-greedy right", (-14, -4)))
    for p, name, (dx, dy) in points:
        axes.plot(p, value(p), "o", color=style.COLORS[1], markersize=7)
        side = "center" if dx == 0 else "left" if dx > 0 else "right"
        text = f"{name}\np = {p:.3g}, v = {value(p):.1f}"
        axes.annotate(text, (p, value(p)), (dx, dy), textcoords="offset points", ha=side, va="center", fontsize=9, color=style.INK)
    axes.set(xlim=(0, 1), ylim=(-100, -5))


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the example says, to the digits that it prints and exactly."""
    p, v = data["p"], data["v"][:, 0]
    at = dict(zip(p.tolist(), v.tolist(), strict=True))
    left, right = (at[each] for each in data["greedy"].tolist())
    found = [
        equal("the model's values are (2p - 4) / (p (1 - p))", float(np.abs(v - value(p)).max()), 0.0, 1e-8),
        equal("the best policy goes right with probability 2 - sqrt 2", float(p[np.argmax(v)]), BEST, 1e-12),
        equal("it is worth -(6 + 4 sqrt 2)", float(v.max()), BEST_VALUE, 1e-9),
        true("no policy that is nearly deterministic is worth half as much", max(left, right) < 2 * v.max(), f"{left:.1f}, {right:.1f}"),
    ]
    if settings.epsilon == 0.1:
        found += [
            equal("the book's -82 for epsilon-greedy left", left, -82.0, 0.5),
            equal("the book's -44 for epsilon-greedy right", right, -44.0, 0.5),
            equal("the book's -11.6 for the best policy, cut off and not rounded", float(v.max()), -11.6, 0.1),
        ]
    return found
