"""Easy21: Monte Carlo control: how good the greedy policy is, exactly, up to a million episodes.

As the assignment asks: steps 1/N(s, a), epsilon = N0/(N0 + N(s)), N0 = 100. Its mean over all returns never forgets those of the
exploration and of the poorer policies before, and differences of 0.01 decide the policy: it stays a sixth below the optimum. Off-policy
control (Sec. 5.7), by weighted importance sampling from episodes with epsilon = 0.3, learns only from what follows greedily, and
comes within a few percent of it. The expected return of each greedy policy is exact, not played.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.monte_carlo.glie_control import glie_control
from rlcourse.agents.monte_carlo.off_policy_mc_control import off_policy_mc_control
from rlcourse.core import exact
from rlcourse.core.config import Config, Count, Positive, Probability
from rlcourse.core.runs import Runs
from rlcourse.envs import easy21_game
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.easy21.easy21_optimum import policy
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "FULL", "Settings", "claims", "draw", "run"]

SHAPE = (210, 2)
MARKS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)  # shares of the episodes at which the policy is judged


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 20
    episodes: Count = 1_000_000
    N0: Positive = 100.0  # of the counted exploration
    epsilon: Probability = 0.3  # of the behaviour of off-policy control


FAST = {"runs": 4, "episodes": 300_000}
FULL = {"runs": 200}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return numbers of episodes [M]; exact returns and MSEs [2, M, runs] of both methods; Q [10, 21, 2] of one run each."""
    world = easy21_game()
    marks = np.unique([max(1, round(share * settings.episodes)) for share in MARKS])

    def learned(method: int, rng: np.random.Generator, n: int) -> np.ndarray:
        tables = np.empty((n, len(marks), *SHAPE))
        for i in range(n):
            Q, N, pi = np.zeros(SHAPE), np.zeros(SHAPE), np.zeros(SHAPE[0], np.int64)
            for j, episodes in enumerate(np.diff(marks, prepend=0)):
                trial = Runs.of(world, 1, int(episodes), [])
                if method == 0:
                    glie_control(trial, Q, N, 1.0, settings.N0, rng)
                else:
                    off_policy_mc_control(trial, pi, Q, N, settings.epsilon, 1.0, rng)
                tables[i, j] = Q
        return tables

    tables = np.array(lab.study(learned, [0, 1], settings.runs, chunk=1))  # [2, runs, M, 210, 2]
    Q = exact.q_star(world, 1.0)
    returns = [exact.exact_return(world, exact.greedy_policy(each)) for each in tables.reshape(-1, *SHAPE)]
    return {
        "episodes": marks,
        "returns": np.reshape(returns, tables.shape[:3]).swapaxes(1, 2),
        "mse": ((tables - Q) ** 2).mean(axis=(3, 4)).swapaxes(1, 2),
        "Q": tables[:, 0, -1].reshape(2, 10, 21, 2),
        "exact": Q.reshape(10, 21, 2),
        "optimum": np.array(exact.exact_return(world, exact.greedy_policy(Q))),
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the values that the assignment's method learned, its policy, and how good policies become."""
    figure.set_size_inches(12.4, 4.1)
    grid = figure.add_gridspec(1, 3, width_ratios=(1, 1.05, 1.05))
    axes = figure.add_subplot(grid[0], projection="3d")
    labels = ("player's sum", "dealer's first card", "V")
    style.surface(axes, np.arange(1, 22), np.arange(1, 11), data["Q"][0].max(axis=2), "", labels)
    axes.view_init(28, -122)
    axes.set_xticks((1, 6, 11, 16, 21))
    axes.set_yticks((1, 4, 7, 10))
    axes.set_box_aspect(None, zoom=0.86)
    axes.set_title(f"V after {settings.episodes:,} episodes", loc="left", fontsize=10.5, fontweight="bold", color=style.INK)
    middle = figure.add_subplot(grid[1])
    policy(middle, data["Q"][0], "its greedy policy, and where the best one hits")
    best = data["exact"][:, :, 1] > data["exact"][:, :, 0]
    fine = np.kron(best, np.ones((20, 20)))
    middle.contour(np.linspace(0.5, 21.5, 420), np.linspace(0.5, 10.5, 200), fine, levels=[0.5], colors=[style.COLORS[0]], linewidths=1.6)
    right = style.panel(figure.add_subplot(grid[2]), "greedy policy: exact expected return", "episodes", "return")
    for i, name in enumerate((f"counts, N0 = {settings.N0:g}", f"off-policy, ε = {settings.epsilon:g}")):
        style.curve(right, data["episodes"], data["returns"][i].T, name, style.COLORS[i], marker="os"[i], markersize=3.5)
    style.reference(right, float(data["optimum"]), "optimum, exact", side="left")
    style.reference(right, 0.055, "asked for", side="left", above=False)
    right.set_xscale("log")
    right.legend(frameon=False, fontsize=8, loc="lower right")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what holds of Monte Carlo control on Easy21."""
    (counts, off), (counts_mse, off_mse) = data["returns"], data["mse"]
    optimum, after = float(data["optimum"]), f"after {settings.episodes:,} episodes"
    return [
        less(f"{after} off-policy control's greedy policy earns more than 0.055", 0.055, mean(off[-1])),
        true("in every single run", off[-1].min() >= 0.055, f"{off[-1].min():.4f}"),
        less("the counted method's earns more than 0.045, three quarters of the optimum", 0.045, mean(counts[-1])),
        less("but less than off-policy control's", mean(counts[-1] - off[-1]), 0.0),
        true("no policy beats the optimum", data["returns"].max() <= optimum + 1e-12, f"{data['returns'].max():.5f}"),
        equal("off-policy control's values are those of q*", mean(off_mse[-1]), 0.0, 0.006),
        equal("the counted method's are near: rarely tried pairs stay poor", mean(counts_mse[-1]), 0.0, 0.04),
        less("a tenth of the episodes leaves larger errors to the counted method", mean(counts_mse[-1] - counts_mse[-3]), 0.0),
        less("and to off-policy control a worse policy", mean(off[-3] - off[-1]), 0.0),
    ]
