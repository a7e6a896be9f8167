"""Exercise 7.2: n-step TD by true n-step errors or by sums of one-step TD errors.

If the values stood still, the n-step error would be the discounted sum of the TD errors on the way. They do not: they change from step
to step, so that an algorithm that adds up TD errors as it meets them is another one. The exercise asks which is better. Measured on the
19-state walk of Figure 7.2, on the same walks: for n = 1 and n = 2 there is no difference at all, as no state can return within the
sum; from n = 4 on the sum is worse at its best step size, and it soon fails for larger ones, because old errors correct values that
have moved since.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.n_step.n_step_td import n_step_td
from rlcourse.agents.n_step.n_step_td_errors import n_step_td_errors
from rlcourse.core.config import Config, Count
from rlcourse.figures import style
from rlcourse.figures.ch07.figure_7_2 import errors, inside
from rlcourse.figures.claims import Claim, equal, less, mean
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

NS = (1, 2, 4, 8, 16)
ALPHAS = np.concatenate([np.arange(0, 13) / 50, np.arange(6, 21) / 20])
COARSE = np.array([0.0, 0.06, 0.1, 0.14, 0.2, 0.26, 0.34, 0.4, 0.55, 0.7, 0.8])


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 400
    episodes: Count = 10
    fine: bool = True  # 28 step sizes; else 11


FAST = {"runs": 200, "fine": False}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return n [N], step sizes [P], and errors [N, P, runs] of both algorithms."""
    alphas = ALPHAS if settings.fine else COARSE
    true_errors, sums = (errors(list(NS), alphas, settings.runs, settings.episodes, lab, box) for box in (n_step_td, n_step_td_errors))
    return {"n": np.array(NS), "alpha": alphas, "true": true_errors, "sum": sums}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the error against the step size: full lines for true n-step errors, dotted ones for sums of TD errors."""
    axes = style.panel(figure.subplots(), "", "step size α", f"RMS error over the first {settings.episodes} episodes")
    for i, n in enumerate(data["n"]):
        style.curve(axes, *inside(data["alpha"], data["true"][i].T, 0.56), f"n = {n}", style.COLORS[i])
        if n > 1:
            style.curve(axes, *inside(data["alpha"], data["sum"][i].T, 0.56), color=style.COLORS[i], linestyle=":", linewidth=2.2)
    axes.plot([], [], color=style.INK, label="n-step error")
    axes.plot([], [], color=style.INK, linestyle=":", linewidth=2.2, label="sum of TD errors")
    axes.set(xlim=(0, 1), ylim=(0.25, 0.55))
    axes.legend(frameon=False, fontsize=8.5, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return the answer to the exercise."""
    found = []
    for i, n in enumerate(data["n"].tolist()):
        whole, added = data["true"][i], data["sum"][i]
        if n <= 2:
            found.append(equal(f"n = {n}: both are the same algorithm on this walk", float(np.abs(whole - added).max()), 0.0, 1e-12))
            continue
        best = [int(np.argmin(part.mean(axis=1))) for part in (whole, added)]
        double = int(np.argmin(np.abs(data["alpha"] - 2 * data["alpha"][best[0]])))
        found += [
            less(f"n = {n}: the sum of TD errors is worse, each at its best step size", 0.0, mean(added[best[1]] - whole[best[0]])),
            less(f"n = {n}: and at twice the best step size it is worse in most runs", 0.75, mean(added[double] > whole[double])),
        ]
    return found
