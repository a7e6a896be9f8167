"""Figure 6.1 and Example 6.1: driving home, and what Monte Carlo and TD would learn from one drive.

The table of Example 6.1 is an episode: states on the way, minutes as rewards, a guess of the time to go in each. Both algorithms
learn from it with alpha = 1 and no discount. Monte Carlo moves every guess to the outcome, 43 minutes, which is known at home;
TD(0) moves each to the guess that comes next, at once. The dashed line is the outcome, the arrows are what the two boxes really
did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.monte_carlo.mc_prediction import mc_prediction
from rlcourse.agents.temporal_difference.td0 import td0
from rlcourse.core.config import Config, StepSize
from rlcourse.core.trial import Trial
from rlcourse.envs.recorded import DRIVING_HOME, driving_home
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

PANELS = {"monte_carlo": "Monte Carlo, α = 1", "td": "TD(0), α = 1"}


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    alpha: StepSize = 1.0


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return elapsed minutes, guesses to go, and what both algorithms make of them after one drive, each [6]."""
    elapsed, guesses = (np.array([row[i] for row in DRIVING_HOME]) for i in (1, 2))
    policy, rng = np.ones((len(guesses), 1)), lab.rng()
    td, mc = guesses.copy(), guesses.copy()
    # six states: interpreting the boxes is quicker than compiling them
    td0.python(Trial.of(driving_home(), episodes=1), policy, td, settings.alpha, 1.0, rng)
    mc_prediction.python(Trial.of(driving_home(), episodes=1), policy, mc, np.zeros(6), False, settings.alpha, 1.0, rng)
    return {"elapsed": elapsed, "guess": guesses, "td": td, "monte_carlo": mc}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the table above, and below it the changes that both methods make."""
    figure.set_size_inches(8.6, 6.4)
    top, bottom = figure.subfigures(2, 1, height_ratios=(1.0, 1.75))
    total, names = data["elapsed"] + data["guess"], [row[0] for row in DRIVING_HOME]
    table = top.subplots()
    table.axis("off")
    heads = ["state", "elapsed time\n(minutes)", "predicted\ntime to go", "predicted\ntotal time"]
    rows = [[name, *(f"{column[i]:.0f}" for column in (data["elapsed"], data["guess"], total))] for i, name in enumerate(names)]
    for x, align, column in zip((0.14, 0.5, 0.68, 0.86), ("left", *["center"] * 3), zip(heads, *rows, strict=True), strict=True):
        for i, text in enumerate(column):
            y = 0.9 - 0.13 * i - (0.06 if i else 0.0)
            table.text(x, y, text, ha=align, va="center", fontsize=9, fontweight="normal" if i else "bold", color=style.INK)
    table.plot([0.12, 0.94], [0.8, 0.8], color=style.GREY, linewidth=0.8)
    table.set(xlim=(0, 1), ylim=(0, 1))
    panels = bottom.subplots(1, 2, sharey=True)
    for axes, (key, title) in zip(panels, PANELS.items(), strict=True):
        style.panel(axes, title, "", "predicted total travel time" if key == "monte_carlo" else "")
        axes.plot(total, color=style.COLORS[0], marker="o", markersize=4, linewidth=1.4)
        style.reference(axes, float(data["elapsed"][-1]), "actual outcome", side="left")
        for i, after in enumerate(data["elapsed"] + data[key]):
            if after != total[i]:
                arrow = {"arrowstyle": "-|>", "color": style.COLORS[1], "linewidth": 1.6, "shrinkA": 3, "shrinkB": 0}
                axes.annotate("", (i, after), (i, total[i]), arrowprops=arrow)
        axes.set_xticks(range(6), [name.replace(" ", "\n") for name in names], fontsize=8)
        axes.set_ylim(28, 46)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Example 6.1 says, exactly."""
    total, outcome = data["elapsed"] + data["guess"], data["elapsed"][-1]
    mc, td = (data["elapsed"] + data[key] for key in ("monte_carlo", "td"))
    rewards = np.diff(data["elapsed"])
    deltas = rewards + data["guess"][1:] - data["guess"][:-1]
    sums = np.array([deltas[t:].sum() for t in range(5)])
    moved = data["monte_carlo"][:5] - data["guess"][:5]
    return [
        true("the predicted totals are 30, 40, 35, 40, 43, 43 minutes", total.tolist() == [30, 40, 35, 40, 43, 43], str(total)),
        true("Monte Carlo moves every prediction to the outcome, 43 minutes", np.all(mc[:5] == outcome), str(mc)),
        true("TD moves every prediction to the next one", np.array_equal(td[:5], total[1:]), str(td)),
        true("TD's first change is from 30 to 40 minutes, made on reaching the car", td[0] == 40.0, f"{td[0]:.0f}"),
        true("each Monte Carlo error is the sum of the TD errors that follow (6.6)", np.allclose(moved, sums), f"{moved} and {sums}"),
    ]
