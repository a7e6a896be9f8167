"""Exercise 7.3: how the best n depends on the size of the walk, and on what its left end gives.

The chapter's walk has 19 states where chapter 6 had 5, and its left end gives -1 instead of 0. The lowest error over all step sizes,
drawn against n and as a share of the error before learning, answers both questions. Size matters: in 5 states a one-step method carries
a reward through the whole walk within the 10 episodes, and n = 1 is best; in 19 it is n = 4. The reward by itself does not: with 0 on
the left and values that begin in the middle, at 0.5, all errors are exactly half of those with -1, since the update is linear. But with
values that begin at 0, as the chapter's do, walks that end on the left would teach nothing, and a larger n is best.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.n_step.n_step_td import n_step_td
from rlcourse.core.config import Config, Count
from rlcourse.figures import style
from rlcourse.figures.ch07.figure_7_2 import errors
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

NS = (1, 2, 4, 8, 16, 32, 64)
ALPHAS = np.concatenate([np.arange(1, 13) / 50, np.arange(6, 21) / 20])
COARSE = np.array([0.04, 0.08, 0.14, 0.2, 0.26, 0.34, 0.44, 0.54, 0.64, 0.8, 0.9])
TASKS = ((19, -1.0, 0.0), (19, 0.0, 0.5), (19, 0.0, 0.0), (5, -1.0, 0.0), (5, 0.0, 0.5), (5, 0.0, 0.0))  # states, left end, initial value


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 200
    episodes: Count = 10
    fine: bool = True  # 27 step sizes; else 11


FAST = {"runs": 100, "fine": False}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return n [N], step sizes [P], errors [task, N, P, runs], and the error before learning [task]."""
    alphas = ALPHAS if settings.fine else COARSE
    ns = list(NS)
    found = [errors(ns, alphas, settings.runs, settings.episodes, lab, n_step_td, *task) for task in TASKS]
    before = [errors([1], np.zeros(1), 1, 1, lab, n_step_td, *task).item() for task in TASKS]
    return {"n": np.array(NS), "alpha": alphas, "error": np.array(found), "before": np.array(before)}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the lowest error over the step sizes against n, one panel per size."""
    figure.set_size_inches(9, 4)
    panels = figure.subplots(1, 2, sharey=True)
    for k, (states, left, first) in enumerate(TASKS):
        axes = panels[k // 3]
        best = lowest(data, k) / data["before"][k]
        look: dict[str, Any] = {"marker": "o", "markersize": 4, "linestyle": ("-", ":", "--")[k % 3], "linewidth": (1.6, 3, 1.6)[k % 3]}
        style.curve(axes, data["n"], best.T, f"left end {left:g}, V begins at {first:g}", style.COLORS[k % 3], **look)
        style.panel(axes, f"{states} states", "n", "" if k // 3 else "lowest RMS error, share of the first one")
        style.log2_axis(axes, range(len(NS)))
    panels[0].set_ylim(0.35, 1.0)
    panels[0].legend(frameon=False, fontsize=8.5, loc="upper center")


def lowest(data: dict[str, np.ndarray], task: int) -> np.ndarray:
    """Return the errors at the best step size of each n, shape [N, runs]."""
    error = data["error"][task]
    return np.array([of_n[int(np.argmin(of_n.mean(axis=1)))] for of_n in error])


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return the answers to the exercise."""
    low = [lowest(data, k) for k in range(len(TASKS))]
    best = [int(data["n"][int(np.argmin(part.mean(axis=1)))]) for part in low]
    at = {int(n): i for i, n in enumerate(data["n"])}
    found = [
        true("19 states: the best n is 4", best[0] == 4, f"n = {best[0]}"),
        true("5 states: the best n is 1", best[3] == 1, f"n = {best[3]}"),
        less("19 states: n = 4 beats n = 1", 0.0, mean(low[0][at[1]] - low[0][at[4]])),
        less("5 states: n = 1 beats n = 2", 0.0, mean(low[3][at[2]] - low[3][at[1]])),
        less("5 states: n = 2 beats n = 4", 0.0, mean(low[3][at[4]] - low[3][at[2]])),
    ]
    for k in (0, 3):
        half = float(np.abs(data["error"][k + 1] - data["error"][k] / 2.0).max())
        found.append(equal(f"{TASKS[k][0]} states: with 0 on the left and V = 0.5 all errors are exactly half", half, 0.0, 1e-9))
        found.append(
            true(f"{TASKS[k][0]} states: with 0 on the left and V = 0 a larger n is best", best[k + 2] > best[k], f"n = {best[k + 2]}")
        )
    found.append(less("19 states, 0 on the left and V = 0: n = 16 beats n = 4", 0.0, mean(low[2][at[4]] - low[2][at[16]])))
    found.append(less("5 states, 0 on the left and V = 0: n = 2 beats n = 1", 0.0, mean(low[5][at[1]] - low[5][at[2]])))
    return found
