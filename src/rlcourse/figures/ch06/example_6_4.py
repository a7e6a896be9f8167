"""Example 6.4: you are the predictor.

Eight episodes: A, 0, B, 0 once; B, 1 six times; B, 0 once. What are V(A) and V(B)? Everyone says V(B) = 3/4. Batch Monte Carlo says
V(A) = 0, because that is what followed A, and no answer has a smaller squared error on these data. Batch TD(0) says 3/4: A went to
B every time, and B is worth 3/4. If the process is Markov that answer will be better on future data. Both numbers are what the two
batch algorithms settle at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.monte_carlo.batch_mc import batch_mc
from rlcourse.agents.temporal_difference.batch_td0 import batch_td0
from rlcourse.core.config import Config, Positive
from rlcourse.core.trial import Trial
from rlcourse.envs import predictor
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    theta: Positive = 1e-10  # change of a value at which the batch has settled


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return V of A, B by batch TD and by batch MC, each [2], and their mean squared errors on the nine returns seen."""
    values = []
    for box in (batch_td0, batch_mc):  # eight episodes: interpreting the boxes is quicker than compiling them
        V = np.zeros(3)
        batch = np.zeros(3), np.zeros(3), np.zeros((3, 3))
        box.python(Trial.of(predictor(), episodes=8), np.ones((3, 1)), V, *batch, 1.0, 1.0, settings.theta, 10_000, lab.rng())
        values.append(V[:2])
    returns = [(0, 0.0), (1, 0.0), *[(1, 1.0)] * 6, (1, 0.0)]  # state, return
    errors = [np.mean([(V[s] - G) ** 2 for s, G in returns]) for V in values]
    return {"td": values[0], "mc": values[1], "errors": np.array(errors)}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the process that fits the data best, and both answers."""
    figure.set_size_inches(8.6, 3.6)
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1.0))
    left.set_title("The Markov process that fits the data", loc="left", fontsize=10.5, fontweight="bold", color=style.INK)
    left.set(xlim=(-0.5, 5.2), ylim=(-1.8, 1.8), aspect="equal")
    left.axis("off")
    for x, name in ((0.0, "A"), (2.2, "B")):
        left.plot(x, 0.0, "o", markersize=30, markerfacecolor="white", markeredgecolor=style.INK)
        left.text(x, 0.0, name, ha="center", va="center", fontsize=13)
    arrow = {"arrowstyle": "-|>", "color": style.INK, "shrinkA": 17, "shrinkB": 17}
    left.annotate("", (2.2, 0.0), (0.0, 0.0), arrowprops=arrow)
    left.text(1.1, 0.14, "r = 0", ha="center", fontsize=10)
    left.text(1.1, -0.36, "100 %", ha="center", fontsize=10)
    for y, reward, share in ((1.1, 1, "75 %"), (-1.1, 0, "25 %")):
        left.plot(4.6, y, "s", markersize=15, color=style.GREY)
        left.annotate("", (4.6, y), (2.2, 0.0), arrowprops=arrow)
        left.text(3.2, 0.85 * y, f"r = {reward}", ha="right", va="center", fontsize=10)
        left.text(3.6, 0.3 * y, share, ha="left", va="center", fontsize=10)
    style.panel(right, "Value", "", "")
    for i, (key, name) in enumerate((("td", "batch TD(0)"), ("mc", "batch Monte Carlo"))):
        bars = right.bar(np.arange(2) + 0.38 * (i - 0.5), data[key], 0.36, color=style.COLORS[0] if i == 0 else style.COLORS[3], label=name)
        right.bar_label(bars, [f"{abs(value):.2f}" for value in data[key]], fontsize=9)
    right.set_xticks(range(2), ["V(A)", "V(B)"])
    right.set_ylim(0, 1.12)
    right.legend(frameon=False, fontsize=8.5, loc="upper left")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Example 6.4 says, exactly."""
    td, mc = data["td"], data["mc"]
    return [
        equal("batch TD says V(B) = 3/4", td[1], 0.75, 1e-6),
        equal("batch Monte Carlo says V(B) = 3/4", mc[1], 0.75, 1e-6),
        equal("batch TD says V(A) = 3/4", td[0], 0.75, 1e-6),
        equal("batch Monte Carlo says V(A) = 0", mc[0], 0.0, 1e-6),
        less("Monte Carlo has the smaller error on the data seen", data["errors"][1], data["errors"][0]),
    ]
