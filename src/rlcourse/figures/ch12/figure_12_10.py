"""Figure 12.10: Sarsa(lambda) with replacing traces on mountain car, beside n-step Sarsa.

Shown is how many steps an episode takes on average over the first 50 episodes and 100 runs; zero weights are optimistic, so that all
act greedily (epsilon = 0, gamma = 1). Neither lambda = 0, which is one-step Sarsa, nor lambda close to 1 is best: in between the car
learns fastest, and with traces faster than with any n on the right, the data of Figure 10.4.

The book does not print its grid of step sizes; n-step Sarsa is left out where it is far above the picture. An episode of 2000 steps is
ended there and bootstraps; it counts as 2000, so that heights above the picture are lower bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.approximation.n_step_semi_gradient_sarsa import n_step_semi_gradient_sarsa
from rlcourse.agents.traces.sarsa_lambda import sarsa_lambda
from rlcourse.core.config import Config, Count
from rlcourse.core.traces import KINDS
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, less, mean, true
from rlcourse.figures.experiment import Lab
from rlcourse.figures.tiles_of_control import lowest, steps, until_it_leaves

__all__ = ["FAST", "SECONDS", "Settings", "claims", "draw", "run"]

LAMBDAS = (0.0, 0.68, 0.84, 0.92, 0.96, 0.98, 0.99)
NS = (1, 2, 4, 8, 16)
ALPHAS = np.array([0.3, 0.5, 0.7, 0.85, 1.0, 1.15, 1.3, 1.5, 1.7])
COARSE = np.array([0.4, 0.7, 1.0, 1.3])
REPLACING = KINDS.index("replacing")
REACH = 9.0  # beyond this alpha times 8 times n, n-step Sarsa has left the picture: not computed
SECONDS = 90.0


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 100
    episodes: Count = 50
    fine: bool = True  # 9 step sizes; else 4


FAST = {"runs": 20, "fine": False}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return step sizes times 8 [P], steps per episode of each lambda [L, P, runs] and each n [N, P, runs]."""

    def traces(world: Any, features: Any, w: np.ndarray, alpha: float, lam: float, rng: np.random.Generator) -> None:
        sarsa_lambda(world, features, w, alpha, 1.0, lam, 0.0, REPLACING, rng)

    def n_step(world: Any, features: Any, w: np.ndarray, alpha: float, n: int, rng: np.random.Generator) -> None:
        n_step_semi_gradient_sarsa(world, features, w, n, alpha, 1.0, 0.0, rng)

    alphas = ALPHAS if settings.fine else COARSE
    with_traces = steps(lab, traces, list(LAMBDAS), alphas, settings.runs, settings.episodes)
    with_n = steps(lab, n_step, list(NS), alphas, settings.runs, settings.episodes, skip=lambda n, alpha: alpha * n > REACH)
    return {"alpha": alphas, "lam": np.array(LAMBDAS), "n": np.array(NS), "traces": with_traces.mean(axis=3), "n_step": with_n.mean(axis=3)}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw steps per episode against the step size: a curve per lambda, and a curve per n."""
    figure.set_size_inches(10.4, 4.4)
    left, right = figure.subplots(1, 2, sharey=True)
    low, high = 170.0, 300.0
    style.panel(
        left, "Sarsa(λ) with replacing traces", "α × number of tilings (8)", f"steps per episode, first {settings.episodes} episodes"
    )
    style.panel(right, "n-step Sarsa", "α × number of tilings (8)")
    for axes, samples, names in (
        (left, data["traces"], [f"λ = {lam:g}" for lam in data["lam"]]),
        (right, data["n_step"], [f"n = {n}" for n in data["n"]]),
    ):
        for i, name in enumerate(names):
            there = np.isfinite(samples[i, :, 0])
            style.curve(
                axes, *until_it_leaves(data["alpha"][there], samples[i, there].T, high), name, style.COLORS[i], marker="o", markersize=2.5
            )
        axes.set(xlim=(data["alpha"][0] - 0.1, data["alpha"][-1] + 0.1), ylim=(low, high))
        axes.legend(frameon=False, fontsize=8, loc="upper right", ncols=2)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Section 12.7 says of the figure."""
    traces, n_step, lambdas = data["traces"], data["n_step"], data["lam"].tolist()
    best, best_n = lowest(traces), lowest(n_step)
    heights = best.mean(axis=1)
    champion = int(np.argmin(heights))
    shown = ", ".join(f"{lam:g}: {height:.0f}" for lam, height in zip(lambdas, heights, strict=True))
    return [
        true("the best λ is in between, neither 0 nor 0.99", 0 < champion < len(lambdas) - 1, shown),
        less("each at its best step size, it takes fewer steps than λ = 0", mean(best[champion] - best[0]), 0.0),
        less("and over all step sizes fewer than λ = 0.99", mean((traces[champion] - traces[-1]).mean(axis=0)), 0.0),
        less("λ = 0.84 already takes fewer than λ = 0", mean(best[2] - best[0]), 0.0),
        less("with traces the car learns faster than with the best n", mean(best[champion] - best_n[best_n.mean(axis=1).argmin()]), 0.0),
        less("n = 4 is better than n = 1 at step sizes up to 0.7", mean((n_step[2] - n_step[0])[data["alpha"] < 0.75].mean(axis=0)), 0.0),
        true("λ = 0 is n = 1, to the very step", np.array_equal(traces[0], n_step[0]), f"{heights[0]:.1f}"),
    ]
