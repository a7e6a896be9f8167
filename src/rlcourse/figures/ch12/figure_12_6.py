"""Figure 12.6: TD(lambda) beside the off-line lambda-return algorithm, on the 19-state random walk.

The backward view learns during the episode and at a constant price per step. With small step sizes it does what the forward view does; with
large ones it is worse, for its errors are measured against values that have changed since the states left their trace. From lambda =
0.8 on it leaves the picture soon above its best step size, and with large ones it diverges. lambda = 0 is TD(0) in both panels.

The right panel is the left one of figure 12.3. The step sizes, which the book does not print, are those of figure 7.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count
from rlcourse.figures.claims import Claim, Estimate, equal, less, mean, true
from rlcourse.figures.experiment import Lab
from rlcourse.figures.lambda_curves import LAMBDAS, at_best, draw_curves, lambda_errors, step_sizes

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

LOWEST = dict(zip(LAMBDAS, (0.3463, 0.2748, 0.2644, 0.2921, 0.3328, 0.3795, 0.4319, 0.5006), strict=True))  # of a study of 600 runs
TOP = 0.55  # of the book's picture


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 100
    episodes: Count = 10
    fine: bool = True  # 35 step sizes; else 14


FAST = {"fine": False, "runs": 50}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return lambda [L], step sizes [P], and errors [L, P, runs] of both methods."""
    alphas, runs, episodes = step_sizes(settings.fine), settings.runs, settings.episodes
    return {
        "lam": np.array(LAMBDAS),
        "alpha": alphas,
        "td": lambda_errors("td", LAMBDAS, alphas, runs, episodes, lab),
        "offline": lambda_errors("offline", LAMBDAS, alphas, runs, episodes, lab),
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the error against the step size, a curve for each lambda, of both methods."""
    figure.set_size_inches(11, 4.6)
    left, right = figure.subplots(1, 2)
    names = [f"λ={lam:g}" if lam < 0.98 else f"{lam:g}" for lam in data["lam"]]
    draw_curves(left, data["alpha"], data["td"], names, "TD(λ)\n", settings.episodes)
    draw_curves(right, data["alpha"], data["offline"], names, "Off-line λ-return algorithm (figure 12.3)\n", settings.episodes)
    right.set_ylabel("")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the caption says: alike at small step sizes, worse at large ones."""
    td, offline, alphas, lams = data["td"], data["offline"], data["alpha"], data["lam"].tolist()
    best, best_offline = at_best(td), at_best(offline)
    found = [
        equal("before any learning the error is exactly the root of 0.3", Estimate(float(td[:, 0].max())), np.sqrt(0.3), 1e-9),
        equal("lambda = 0 is the same in both panels, run for run", Estimate(float(np.abs(td[0] - offline[0]).max())), 0.0, 1e-9),
        true("lambda = 1 diverges at a step size of 1", td[-1, -1].mean() > 1e6, f"{td[-1, -1].mean():.2g}"),
    ]
    for i, lam in enumerate(lams[1:], 1):
        small, large = alphas <= 0.5 * alphas[best[i]], np.argmin(np.abs(alphas - 2.0 * alphas[best_offline[i]]))
        worse = np.minimum(td[i] - offline[i], 1.0)  # capped: runs that diverge count, and do not swamp the mean
        apart = float(np.abs(td[i][small].mean(axis=1) - offline[i][small].mean(axis=1)).max())
        found += [
            equal(f"lambda = {lam:g}: up to half the best step size the two are virtually identical", apart, 0.0, 0.01),
            less(
                f"lambda = {lam:g}: at twice the off-line algorithm's best step size, or at 1, TD(lambda) is worse", 0.0, mean(worse[large])
            ),
            equal(f"lambda = {lam:g}: the lowest error is {LOWEST[lam]}", mean(td[i, best[i]]), LOWEST[lam], 0.008),
        ]
        if lam >= 0.8:
            mine, other = (leaves(alphas, heights) for heights in (td[i].mean(axis=1), offline[i].mean(axis=1)))
            text = f"lambda = {lam:g}: TD(lambda) leaves the picture, and sooner than the off-line algorithm"
            found += [
                less(
                    f"lambda = {lam:g}: TD(lambda) is worse at the off-line algorithm's best step size", 0.0, mean(worse[best_offline[i]])
                ),
                true(text, mine < other, f"at {mine:.2f} and {other:.2f}"),
            ]
    return found


def leaves(alphas: np.ndarray, heights: np.ndarray) -> float:
    """Return the first step size beyond the best one where a curve is above the picture; infinity where there is none."""
    outside = np.flatnonzero(heights > TOP)
    outside = outside[outside > np.argmin(heights)]
    return float(alphas[outside[0]]) if len(outside) else np.inf
