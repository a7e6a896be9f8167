"""Exercise 6.10: king's moves when the wind is not quite steady.

Where there is wind, it is one cell stronger or weaker a third of the time each. No path is sure any more: left, how Sarsa with
king's moves fares, against the best that a policy with as much exploration can do; right, the exact best time to the goal from each
cell, and every optimal move. The mean time from the start is 10.96 steps instead of 7. With alpha = 0.5 Sarsa stays well above its
limit, because its target is random now; a smaller step size comes nearer, later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core import exact
from rlcourse.core.config import Config, Count, Probability
from rlcourse.envs import windy_gridworld
from rlcourse.envs.windy import MOVES
from rlcourse.figures import style, windy
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

ALPHAS = (0.5, 0.1)


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 100
    steps: Count = 200_000
    epsilon: Probability = 0.1


FAST = {"runs": 20}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return ends of episodes [2, runs, episodes], the exact v* [70] and optimal actions [70, 8], and exact times from the start."""
    world, steady = (windy_gridworld(kings_moves=True, stochastic=stochastic) for stochastic in (True, False))
    ends = [windy.learn([world], windy.Study(settings.runs, settings.steps, alpha, settings.epsilon), lab)[0][0] for alpha in ALPHAS]
    soft = exact.greedy_policy(exact.soft_policy(world, settings.epsilon, 1.0), settings.epsilon)
    Q = exact.q_star(world, 1.0)
    return {
        "ends": np.array(ends),
        "v_star": Q.max(axis=1),
        "optimal": exact.optimal_actions(Q),
        "best": np.array(-Q[30].max()),
        "best_soft": np.array(-exact.exact_return(world, soft)),
        "best_steady": -exact.v_star(steady, 1.0)[30],
        "old_policy": np.array(-exact.exact_return(world, exact.greedy_policy(exact.q_star(steady, 1.0)))),
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw steps per episode over time, and the exact solution."""
    figure.set_size_inches(10.4, 4.4)
    left, right = figure.subplots(1, 2, width_ratios=(1.0, 1.2))
    style.panel(left, "Sarsa, king's moves", "time steps, thousands", "steps per episode")
    edges = np.linspace(0, settings.steps, 41)
    for i, alpha in enumerate(ALPHAS):
        done = windy.episodes_by_step(data["ends"][i], edges)
        pace = np.diff(edges) / np.maximum(np.diff(done, axis=1), 1)
        style.curve(left, (edges[1:] + edges[:-1]) / 2000, pace, f"α = {alpha:g}", style.COLORS[i])
    style.reference(left, float(data["best_soft"]), "best ε-soft policy, exact", side="left")
    style.reference(left, float(data["best"]), "optimal, exact", side="left", above=False)
    left.set_ylim(0, 60)
    left.set_xlim(0, settings.steps / 1000)
    left.legend(frameon=False)
    optimal = data["optimal"].copy()
    optimal[37] = False
    moves = [(0.85 * dx, 0.8 * dy + 0.15) for dy, dx in MOVES[:8]]  # around a point below the number
    texts = [""] * 70
    style.grid(right, data["v_star"], shape=windy.SHAPE, texts=texts, arrows=optimal, moves=moves, title="Best mean time, optimal moves")
    for s, v in enumerate(data["v_star"]):
        row, column = divmod(s, 10)
        if s != 37:
            right.text(column - 0.45, row - 0.33, f"{-v:.1f}", ha="left", va="center", fontsize=6.5, color=style.INK)
    right.text(7, 3, "G", ha="center", va="center", fontsize=12, fontweight="bold", color=style.INK)
    for column, wind in enumerate(windy.WIND):
        right.text(column, 6.7, f"{wind}±1" if wind else "0", ha="center", va="top", fontsize=8, color=style.INK)
    right.set_xlabel("wind", labelpad=14, fontsize=9)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return the exercise's answers."""
    first, last = (0.0, 0.1), (0.75, 1.0)
    large, small = ([windy.pace(ends, a * settings.steps, b * settings.steps) for a, b in (first, last)] for ends in data["ends"])
    return [
        equal("the best mean time is 10.9646 steps, exactly", float(data["best"]), 10.9646, 1e-3),
        less("the unsteady wind costs time: the steady one allows 7", float(data["best_steady"]), float(data["best"])),
        less("the policy that is best in a steady wind is not best here", float(data["best"]), float(data["old_policy"])),
        true("the goal is sure to be reached from everywhere", np.isfinite(data["v_star"]).all()),
        less("Sarsa learns: its last quarter is quicker than its first tenth", mean(large[1] - large[0]), 0.0),
        less("with a large step size it stays far above what its exploration allows", 1.5 * float(data["best_soft"]), mean(large[1])),
        less("a small one is slower at first", mean(large[0] - small[0]), 0.0),
        less("and better in the end", mean(small[1] - large[1]), 0.0),
        equal("two steps or so from the best policy that explores as much", mean(small[1]), float(data["best_soft"]), 2.5),
    ]
