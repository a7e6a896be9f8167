"""Figure 12.8: the on-line lambda-return algorithm beside the off-line one, on the 19-state walk.

Learning during the episode pays twice: later states of the same episode are valued better, and so the returns are. Although the error is
measured at the ends of episodes, where the off-line algorithm has caught up, the on-line one is subtly better for every lambda in between.
At both ends nothing is gained: lambda = 0 is TD(0), and lambda = 1 makes the same Monte Carlo updates once the episode is over.

The curves are computed by true online TD(lambda), in constant time per step; some runs are repeated with the on-line lambda-return
algorithm itself, which redoes all updates at every step, and give the same numbers. The right panel is the left one of figure 12.3.
The step sizes, which the book does not print, are those of figure 7.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count
from rlcourse.figures.claims import Claim, Estimate, equal, less, mean
from rlcourse.figures.experiment import Lab
from rlcourse.figures.lambda_curves import LAMBDAS, at_best, draw_curves, lambda_errors, step_sizes

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

LOWEST = dict(zip(LAMBDAS, (0.3450, 0.2724, 0.2543, 0.2760, 0.3136, 0.3595, 0.4151, 0.4893), strict=True))  # of a study of 400 runs
CHECKED = (0.4, 0.9, 1.0)  # lambdas that are repeated with the algorithm itself


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 100
    episodes: Count = 10
    fine: bool = True  # 35 step sizes; else 14
    repeated: Count = 10  # runs of the on-line lambda-return algorithm itself, for three lambdas at 14 step sizes


FAST = {"fine": False, "runs": 50, "repeated": 2}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return lambda [L], step sizes [P], errors [L, P, runs] of both methods, and those of the repeated runs [2, 3, 14, repeated]."""
    alphas, runs, episodes = step_sizes(settings.fine), settings.runs, settings.episodes
    few = step_sizes(False)
    return {
        "lam": np.array(LAMBDAS),
        "alpha": alphas,
        "online": lambda_errors("true online", LAMBDAS, alphas, runs, episodes, lab),
        "offline": lambda_errors("offline", LAMBDAS, alphas, runs, episodes, lab),
        "repeated": np.array([lambda_errors(name, CHECKED, few, settings.repeated, episodes, lab) for name in ("true online", "online")]),
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the error against the step size, a curve for each lambda, of both methods."""
    figure.set_size_inches(11, 4.6)
    left, right = figure.subplots(1, 2)
    names = [f"λ={lam:g}" if lam < 0.98 else f"{lam:g}" for lam in data["lam"]]
    title = "On-line λ-return algorithm\n= true online TD(λ)"
    draw_curves(left, data["alpha"], data["online"], names, f"{title}\n", settings.episodes)
    draw_curves(right, data["alpha"], data["offline"], names, "Off-line λ-return algorithm\n(figure 12.3)\n", settings.episodes)
    right.set_ylabel("")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the caption says, the two ends of lambda, and that both on-line algorithms are one."""
    online, offline, lams = data["online"], data["offline"], data["lam"].tolist()
    best, best_offline = at_best(online), at_best(offline)
    apart = np.abs(online - offline).reshape(len(lams), -1).max(axis=1)
    fast, ideal = data["repeated"]
    found = [
        equal("before any learning the error is exactly the root of 0.3", Estimate(float(online[:, 0].max())), np.sqrt(0.3), 1e-9),
        equal("true online TD(lambda) is the on-line lambda-return algorithm", Estimate(float(np.abs(fast - ideal).max())), 0.0, 1e-9),
        equal("lambda = 0 is the same for both methods, run for run", Estimate(float(apart[0])), 0.0, 1e-9),
        equal("lambda = 1 is the same for both methods, run for run", Estimate(float(apart[-1])), 0.0, 1e-9),
    ]
    for i, lam in enumerate(lams):
        gain = mean(offline[i, best_offline[i]] - online[i, best[i]])
        if lam == 0.4:
            found.append(equal("lambda = 0.4: no difference to speak of, each at its best step size", gain, 0.0, 0.002))
        elif 0.0 < lam < 1.0:
            found.append(less(f"lambda = {lam:g}: on-line is subtly better, each at its best step size", 0.0, gain))
            found.append(less(f"lambda = {lam:g}: by less than 0.02", gain, 0.02))
        found.append(equal(f"lambda = {lam:g}: the lowest error is {LOWEST[lam]}", mean(online[i, best[i]]), LOWEST[lam], 0.008))
    return found
