"""What figures 12.3, 12.6 and 12.8 share: methods of chapter 12 on the 19-state random walk, for every lambda and step size.

The walk, the step sizes and the measure are those of figure 7.2, and so are the walks that are walked: all methods live through the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rlcourse.agents.traces.offline_lambda_return import offline_lambda_return
from rlcourse.agents.traces.online_lambda_return import online_lambda_return
from rlcourse.agents.traces.td_lambda import td_lambda
from rlcourse.agents.traces.true_online_td_lambda import true_online_td_lambda
from rlcourse.features import OneHot
from rlcourse.figures import style
from rlcourse.figures.ch07.figure_7_2 import ALPHAS, STATES, errors, inside
from rlcourse.figures.experiment import Lab

__all__ = ["BOXES", "LAMBDAS", "at_best", "draw_curves", "lambda_errors", "step_sizes"]

COARSE = np.array([0.0, 0.01, 0.02, 0.04, 0.06, 0.08, 0.12, 0.16, 0.2, 0.28, 0.4, 0.55, 0.75, 1.0])
LAMBDAS = (0.0, 0.4, 0.8, 0.9, 0.95, 0.975, 0.99, 1.0)
BOXES: dict[str, tuple[Any, tuple[bool, ...]]] = {  # the box, and its switches
    "offline": (offline_lambda_return, (True,)),
    "offline, weights of the episode": (offline_lambda_return, (False,)),
    "td": (td_lambda, (True,)),
    "true online": (true_online_td_lambda, ()),
    "online": (online_lambda_return, ()),
}


def step_sizes(fine: bool) -> np.ndarray:
    """Return the 35 step sizes of figure 7.2, or 14 others."""
    return ALPHAS if fine else COARSE


def lambda_errors(method: str, lams: Sequence[float], alphas: np.ndarray, runs: int, episodes: int, lab: Lab) -> np.ndarray:
    """Return the error of a method of `BOXES`, averaged over the episodes, shape [lambda, alpha, runs]; infinite where it diverges.

    One feature for each state, so that the weights are the values.
    """
    box, switches = BOXES[method]

    def live(trial: Any, walk: np.ndarray, V: np.ndarray, lam: float, alpha: float, gamma: float, rng: np.random.Generator) -> None:
        box(trial, walk, OneHot(len(V)), V, *switches, alpha, gamma, lam, rng)

    with np.errstate(all="ignore"):
        found = errors([float(lam) for lam in lams], alphas, runs, episodes, lab, live)
    return np.where(np.isfinite(found), found, np.inf)


def at_best(error: np.ndarray) -> np.ndarray:
    """Return the index of the best step size, by the mean over the runs, shape [lambda]; error is [lambda, alpha, runs]."""
    best: np.ndarray = np.argmin(error.mean(axis=2), axis=1)
    return best


def draw_curves(axes: Any, alphas: np.ndarray, error: np.ndarray, names: Sequence[str], title: str, episodes: int) -> None:
    """Draw the error against the step size, one curve per name, which stands where the curve leaves the picture, as in the book."""
    low, high, label_at = 0.25, 0.55, -1.0
    style.panel(axes, title, "step size α", f"RMS error, average of {STATES} states and {episodes} episodes")
    for i, name in reversed(list(enumerate(names))):  # from left to right
        look = {"color": style.COLORS[i], "fontsize": 8, "fontweight": "bold", "annotation_clip": False}
        x, samples = inside(alphas, error[i].T, high)
        style.curve(axes, x, samples, color=style.COLORS[i])
        heights = samples.mean(axis=0)
        if heights[-1] < high:
            axes.annotate(name, (1.0, heights[-1]), (4, 0), textcoords="offset points", va="center", **look)
            continue
        rising = int(np.argmin(heights))
        crossing = float(np.interp(high, heights[rising:], x[rising:]))
        label_at = max(crossing, label_at + 0.028 + 0.016 * len(name))
        axes.annotate(name, (label_at, high), (0, 3), textcoords="offset points", ha="center", **look)
    axes.set(xlim=(0, 1), ylim=(low, high))
