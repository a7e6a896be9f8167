"""Figure 12.11: kinds of traces for Sarsa(lambda) on mountain car, against the step size.

Shown is the mean reward per episode over the first 20 episodes and 100 runs, epsilon = 0, gamma = 1. Where features are active again and
again, accumulating traces grow large and the method diverges at all but small step sizes; replacing ones bound them by 1. To clear the
traces of the actions not taken does not help here; true online Sarsa(lambda), whose dutch traces are exact, is best up to a step size of
1.2 / 8. Beyond it replacing traces catch up (their best, at 1.6, is as good as its best), and at 2 / 8 it diverges: there a pair's
update alone, over its 8 features, no longer comes to rest.

The book does not print lambda, nor its step sizes (it adapts van Seijen & Sutton 2014); here lambda = 0.9. An episode of 5000 steps is
ended there and bootstraps; it counts as -5000, so that the rewards of diverging settings are upper bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.traces.sarsa_lambda import sarsa_lambda
from rlcourse.agents.traces.true_online_sarsa_lambda import true_online_sarsa_lambda
from rlcourse.core.config import Config, Count, Probability
from rlcourse.core.traces import KINDS
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, less, mean, true
from rlcourse.figures.experiment import Lab
from rlcourse.figures.tiles_of_control import lowest, steps

__all__ = ["FAST", "SECONDS", "Settings", "claims", "draw", "run"]

NAMES = ("true online", "replacing", "clearing", "accumulating")
ALPHAS = np.arange(1, 11) / 5
COARSE = np.array([0.2, 0.6, 1.0, 1.4])
SECONDS = 100.0


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 100
    episodes: Count = 20
    lam: Probability = 0.9
    limit: Count = 5_000  # steps; an episode that gets there is ended, and counts as that many
    fine: bool = True  # 10 step sizes; else 4


FAST = {"runs": 40, "limit": 2_000, "fine": False}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return step sizes times 8 [P], steps per episode [4, P, runs], and the share of episodes that reached the limit [4, P]."""

    def learn(world: Any, features: Any, w: np.ndarray, alpha: float, name: str, rng: np.random.Generator) -> None:
        if name == "true online":
            true_online_sarsa_lambda(world, features, w, alpha, 1.0, settings.lam, 0.0, rng)
        else:
            sarsa_lambda(world, features, w, alpha, 1.0, settings.lam, 0.0, KINDS.index(name), rng)

    alphas = ALPHAS if settings.fine else COARSE
    lengths = steps(lab, learn, list(NAMES), alphas, settings.runs, settings.episodes, settings.limit)
    return {"alpha": alphas, "steps": lengths.mean(axis=3), "ended": (lengths >= settings.limit).mean(axis=(2, 3))}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the mean reward per episode against the step size."""
    title = f"mean reward per episode, first {settings.episodes} episodes"
    axes = style.panel(figure.subplots(), "", "α × number of tilings (8)", title)
    for i, name in enumerate(NAMES):
        style.curve(axes, data["alpha"], np.clip(-data["steps"][i].T, -700.0, None), name, style.COLORS[i], marker="o", markersize=3)
    axes.set(xlim=(0.15, 2.05), ylim=(-550, -150))
    axes.legend(frameon=False, fontsize=9, loc="upper center", ncols=4, title=f"λ = {settings.lam:g}")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what caption and text say of the figure."""
    found, alphas = data["steps"], data["alpha"]
    best = lowest(found)
    small, large = found[:, alphas <= 1.3].mean(axis=1), found[:, alphas >= 0.55].mean(axis=1)  # [4, runs]
    heights = ", ".join(f"{name} {-row.mean():.0f}" for name, row in zip(NAMES, best, strict=True))
    ended = data["ended"][:3, alphas <= 1.9].max()
    return [
        less("true online Sarsa(λ) is better than replacing traces, over all step sizes up to 1.2", mean(small[0] - small[1]), 0.0),
        less("replacing ones are better than clearing ones, each at its best step size", mean(best[1] - best[2]), 0.0),
        less("true online is better than clearing ones, each at its best step size", mean(best[0] - best[2]), 0.0),
        less("accumulating ones are the worst, each at its best step size", mean(best[2] - best[3]), 0.0),
        less("and far worse at step sizes of 0.6 and more", 300.0, mean(large[3] - large[2])),
        true(
            "up to step sizes of 1.8, at most one episode in twenty of the other three reaches the limit",
            ended <= 0.05,
            f"{ended:.3f}; at best {heights}",
        ),
    ]
