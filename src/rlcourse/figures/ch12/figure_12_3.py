"""Figure 12.3: the off-line lambda-return algorithm beside n-step TD, on the 19-state random walk.

Both ways lead from TD(0) to Monte Carlo, and both are best in between. Averaging over all n has a small advantage over choosing one: at the
best settings of each, and where the step size is large. The right panel is figure 7.2, from the same walks; each curve begins at
the error of V = 0, the square root of 0.3.

Section 12.1 leaves open by which weights the lambda-returns are valued when the updates follow the episode's end. With the current ones, as
they change from update to update, lambda = 0 is TD(0), and the errors are those printed. With the weights of the episode the lowest error
of lambda = 0 would be 0.367, and not the 0.347 of the book's figure. The book does not print its step sizes; they are those of figure 7.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count
from rlcourse.figures.ch07.figure_7_2 import errors
from rlcourse.figures.claims import Claim, Estimate, equal, less, mean, true
from rlcourse.figures.experiment import Lab
from rlcourse.figures.lambda_curves import LAMBDAS, at_best, draw_curves, lambda_errors, step_sizes

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

BOOK = dict(zip(LAMBDAS, (0.347, 0.276, 0.262, 0.285, 0.324, 0.368, 0.421, 0.490), strict=True))  # lowest points
AT_ONE = {0.0: 0.39, 0.4: 0.30, 0.8: 0.38, 0.9: 0.452, 0.95: 0.537}  # errors at a step size of 1
FROZEN = 0.367  # what the book's 0.347 would be with the weights of the episode


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 100
    episodes: Count = 10
    longest: Count = 512  # the largest n of the right panel; the others are powers of two below it
    fine: bool = True  # 35 step sizes; else 14


FAST = {"fine": False, "longest": 16}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return lambda [L], n [N], step sizes [P], errors [L, P, runs] and [N, P, runs], and those of the other reading [1, P, runs]."""
    alphas, runs, episodes = step_sizes(settings.fine), settings.runs, settings.episodes
    ns = [2**k for k in range(settings.longest.bit_length())]
    return {
        "lam": np.array(LAMBDAS),
        "n": np.array(ns),
        "alpha": alphas,
        "error": lambda_errors("offline", LAMBDAS, alphas, runs, episodes, lab),
        "frozen": lambda_errors("offline, weights of the episode", [0.0], alphas, runs, episodes, lab),
        "n_step": errors(ns, alphas, runs, episodes, lab),
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the error against the step size, a curve for each lambda, and for each n."""
    figure.set_size_inches(11, 4.6)
    left, right = figure.subplots(1, 2)
    names = [f"λ={lam:g}" if lam < 0.98 else f"{lam:g}" for lam in data["lam"]]
    draw_curves(left, data["alpha"], data["error"], names, "Off-line λ-return algorithm\n", settings.episodes)
    names = [f"n={n}" if n < 64 else str(n) for n in data["n"]]
    draw_curves(right, data["alpha"], data["n_step"], names, "n-step TD (figure 7.2)\n", settings.episodes)
    right.set_ylabel("")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the caption says, both ends of lambda, and the lowest points as printed."""
    error, n_step, alphas, lams = data["error"], data["n_step"], data["alpha"], data["lam"].tolist()
    best, best_n = at_best(error), at_best(n_step)
    lowest = {lam: error[i, best[i]] for i, lam in enumerate(lams)}
    lowest_n = n_step[np.arange(len(best_n)), best_n]  # [n, runs]
    frozen = data["frozen"][0, at_best(data["frozen"])[0]]
    winner = int(np.argmin(lowest_n.mean(axis=1)))
    at_one = int(np.argmin(n_step[:, -1].mean(axis=1)))
    found = [
        equal("before any learning the error is exactly the root of 0.3", Estimate(float(error[:, 0].max())), np.sqrt(0.3), 1e-9),
        equal("lambda = 0 is one-step TD, run for run", Estimate(float(np.abs(error[0] - n_step[0]).max())), 0.0, 1e-9),
        true("the best step size falls with lambda", np.all(np.diff(alphas[best]) <= 0), ", ".join(f"{a:.2f}" for a in alphas[best])),
        less("the best lambda is slightly better than the best n", 0.0, mean(lowest_n[winner] - lowest[0.8])),
        less("at a step size of 1, too, the best lambda is better than the best n", 0.0, mean(n_step[at_one, -1] - error[1, -1])),
        equal(f"valued by the weights of the episode, lambda = 0 comes to {FROZEN}", mean(frozen), FROZEN, 0.008),
        less("valued by the weights of the episode, lambda = 0 is worse than TD(0)", 0.0, mean(frozen - lowest[0.0])),
    ]
    for lam in (lam for lam in lams if lam != 0.8):
        found.append(
            less(f"lambda = 0.8 learns faster than lambda = {lam:g}, each at its best step size", 0.0, mean(lowest[lam] - lowest[0.8]))
        )
    for lam in lams:
        found.append(equal(f"lambda = {lam:g}: the lowest error is {BOOK[lam]} as printed", mean(lowest[lam]), BOOK[lam], 0.008))
    for lam, end in AT_ONE.items():
        found.append(
            equal(f"lambda = {lam:g}: the error at a step size of 1 is {end} as printed", mean(error[lams.index(lam), -1]), end, 0.01)
        )
    return found
