"""Example 6.6: Sarsa and Q-learning on the cliff.

The sum of rewards of each episode, epsilon = 0.1, no discount, averaged over many runs and smoothed over ten episodes. Q-learning
learns the values of the optimal path along the edge and falls off now and then, because it explores; Sarsa takes its exploration
into account and keeps away. The book does not print the step size and the number of runs: alpha = 0.5 fits. Exact limits are drawn:
what the epsilon-greedy policy of q* earns, and what the best epsilon-soft policy does. The paths are those of both learners' greedy
policies, most frequent after 500 episodes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.temporal_difference.q_learning import q_learning
from rlcourse.agents.temporal_difference.sarsa import sarsa
from rlcourse.core import exact
from rlcourse.core.config import Config, Count, Probability, StepSize
from rlcourse.core.runs import Runs
from rlcourse.envs import cliff_walk
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean
from rlcourse.figures.experiment import Lab
from rlcourse.figures.paths import draw_walk, greedy_walk

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

BOXES = {"Sarsa": sarsa, "Q-learning": q_learning}
SMOOTHED = 10  # episodes


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 1_000
    episodes: Count = 500
    alpha: StepSize = 0.5
    epsilon: Probability = 0.1


FAST = {"runs": 100}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return returns [2, runs, episodes], lengths of greedy paths [2, runs], the most frequent path of each, and exact limits."""
    world = cliff_walk()

    def experiment(box: Any, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        returns, tables = [], []
        for _ in range(n):
            trial = Runs.of(world, 1, settings.episodes, [np.zeros((48, 4))])
            (Q,) = trial.tables((48, 4))
            box(trial, Q, settings.alpha, 1.0, settings.epsilon, rng)
            returns.append(trial.returns()[0])
            tables.append(Q.copy())
        return np.array(returns), np.array(tables)

    found = lab.study(experiment, list(BOXES.values()), settings.runs, chunk=25)
    walks = [[tuple(greedy_walk(world, Q)) for Q in each[1]] for each in found]
    best = exact.greedy_policy(exact.q_star(world, 1.0), settings.epsilon)
    soft = exact.greedy_policy(exact.soft_policy(world, settings.epsilon, 1.0), settings.epsilon)
    return {
        "returns": np.array([each[0] for each in found]),
        "greedy": np.array([[len(walk) - 1 for walk in each] for each in walks]),
        "path_sarsa": np.array(Counter(walks[0]).most_common(1)[0][0]),
        "path_q_learning": np.array(Counter(walks[1]).most_common(1)[0][0]),
        "limit_q_learning": np.array(exact.exact_return(world, best)),
        "limit_soft": np.array(exact.exact_return(world, soft)),
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw returns by episode, and both paths on the grid."""
    figure.set_size_inches(7.6, 6.4)
    top, bottom = figure.subplots(2, 1, height_ratios=(1.0, 1.45))
    draw_walk(top, data["path_sarsa"].tolist(), (4, 12), "", style.COLORS[0])
    y, x = np.divmod(data["path_q_learning"], 12)
    top.plot(x, y, color=style.COLORS[3], linewidth=1.8, marker="o", markersize=2.5, alpha=0.85)
    top.fill_between([0.5, 10.5], 2.5, 3.5, color=style.GREY, alpha=0.6)
    top.text(5.5, 3.0, "the cliff: R = -100", ha="center", va="center", fontsize=10, color=style.INK)
    for row, name, color in ((data["path_sarsa"] // 12).min(), "safer path", style.COLORS[0]), (y.min(), "optimal path", style.COLORS[3]):
        top.text(5.5, row + 0.32 if row < y.min() else row - 0.3, name, ha="center", va="center", fontsize=9.5, color=color)
    style.panel(bottom, "", "episodes", "sum of rewards during episode")
    kernel = np.ones(SMOOTHED) / SMOOTHED
    episodes = np.arange(SMOOTHED, settings.episodes + 1)
    for i, name in enumerate(BOXES):
        smooth = np.apply_along_axis(np.convolve, 1, data["returns"][i], kernel, "valid")
        style.curve(bottom, episodes, smooth, name, style.COLORS[(0, 3)[i]])
    for key, name, dashes in (("limit_soft", "best ε-soft policy, exact", "--"), ("limit_q_learning", "ε-greedy on q*, exact", ":")):
        bottom.axhline(float(data[key]), color=style.INK, linestyle=dashes, linewidth=1.1, label=name)
    bottom.set_ylim(-100, 0)
    bottom.set_xlim(0, settings.episodes)
    bottom.legend(frameon=False, loc="lower right", ncols=2, fontsize=9)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Example 6.6 says."""
    sarsa_, q = data["returns"][:, :, -100:].mean(axis=2)
    greedy_sarsa, greedy_q = data["greedy"]
    return [
        equal("the ε-greedy policy of q* earns -50.800", float(data["limit_q_learning"]), -50.800, 1e-3),
        equal("the best ε-soft policy earns -20.708", float(data["limit_soft"]), -20.708, 1e-3),
        less("online Q-learning earns less than Sarsa", mean(q - sarsa_), 0.0),
        equal("Q-learning ends near the exact return of its policy", mean(q), float(data["limit_q_learning"]), 2.0),
        equal("Q-learning's last 100 episodes as printed: -48", mean(q), -48.0, 3.0),
        equal("Sarsa's last 100 episodes as printed: -25", mean(sarsa_), -25.0, 3.0),
        less("Sarsa stays below the best ε-soft policy", mean(sarsa_), float(data["limit_soft"])),
        less("nearly all greedy paths of Q-learning are optimal: 13 moves", 0.8, mean(greedy_q == 13)),
        less("Sarsa's path is longer, and safer", mean(greedy_q), mean(np.minimum(greedy_sarsa, 20))),
    ]
