"""Easy21: Sarsa(lambda), errors against the exact q* for lambda = 0, 0.1, ..., 1, and learning curves.

The assignment measures against its own Monte Carlo values; here q* is exact. Steps 1/N(S_t, A_t), N0 = 100, as asked. The mean
square over all 420 pairs first *grows* above that of Q = 0: a first visit has step size 1 and puts a single outcome of +-1 into the
table. And it grows with lambda: the one step size of the present pair multiplies all traces, so that a first visit anywhere
overwrites what older pairs have averaged. The right panel checks the algorithm itself: with epsilon = 1 it evaluates the random
policy, whose values are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.temporal_difference.tabular_sarsa_lambda import tabular_sarsa_lambda
from rlcourse.core import exact
from rlcourse.core.config import Config, Count, Positive
from rlcourse.core.runs import Runs
from rlcourse.envs import easy21_game
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "FULL", "Settings", "claims", "draw", "run"]

SHAPE = (210, 2)


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 40
    episodes: Count = 1_000  # the assignment's
    more_episodes: Count = 10_000
    points: Count = 11  # values of lambda from 0 to 1
    N0: Positive = 100.0
    known_episodes: Count = 50_000  # of the evaluation of the random policy
    known_runs: Count = 4


FAST = {"runs": 6, "more_episodes": 3_000, "points": 6, "known_episodes": 15_000}
FULL = {"runs": 400}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return lambdas [P]; MSEs after `episodes` and `more_episodes` [P, runs]; curves [2, runs, episodes + 1]; those of evaluation."""
    world = easy21_game()
    optimal, uniform = exact.q_star(world, 1.0), exact.q_pi(world, np.full(SHAPE, 0.5), 1.0)
    lambdas = np.linspace(0.0, 1.0, settings.points)

    def experiment(truth: np.ndarray, episodes: int, epsilon: float, N0: float) -> Any:
        def errors(lam: float, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
            trial = Runs.of(world, n, episodes, [np.zeros(SHAPE), np.zeros(SHAPE)], truth)
            Q, N = trial.tables(SHAPE, SHAPE)
            tabular_sarsa_lambda(trial, Q, N, 0.0, 1.0, float(lam), epsilon, N0, rng)
            return trial.errors() ** 2, np.full(n, np.mean(Q - truth))  # the bias is that of the last run: one a call

        return errors

    control = lab.study(experiment(optimal, settings.more_episodes, 0.0, settings.N0), list(lambdas), settings.runs, chunk=5)
    known = lab.study(experiment(uniform, settings.known_episodes, 1.0, 0.0), [0.0, 1.0], settings.known_runs, chunk=1)
    return {
        "lam": lambdas,
        "short": np.array([errors[:, settings.episodes] for errors, _ in control]),
        "long": np.array([errors[:, -1] for errors, _ in control]),
        "curves": np.array([control[0][0], control[-1][0]])[:, :, : settings.episodes + 1],
        "known": np.array([errors[:, :: max(1, settings.known_episodes // 500)] for errors, _ in known]),
        "known_end": np.array([errors[:, -1] for errors, _ in known]),
        "bias": np.array([bias for _, bias in known]),
        "zero": np.array(np.mean(optimal**2)),
        "zero_known": np.array(np.mean(uniform**2)),
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw errors against lambda, learning curves for lambda 0 and 1, and the evaluation of the random policy."""
    figure.set_size_inches(11.2, 3.9)
    left, middle, right = figure.subplots(1, 3)
    style.panel(left, "MSE against the exact q*", "λ", "mean square over 420 pairs")
    style.curve(left, data["lam"], data["short"].T, f"{settings.episodes:,} episodes", style.COLORS[0], marker="o", markersize=3.5)
    style.curve(left, data["lam"], data["long"].T, f"{settings.more_episodes:,} episodes", style.COLORS[1], marker="s", markersize=3.5)
    style.reference(left, float(data["zero"]), "Q = 0", above=False)
    left.set_ylim(0, None)
    left.legend(frameon=False, fontsize=8, loc="upper left")
    style.panel(middle, "learning curves", "episode", "")
    for curve, lam, color in zip(data["curves"], ("0", "1"), (style.COLORS[2], style.COLORS[3]), strict=True):
        style.curve(middle, np.arange(settings.episodes + 1), curve, f"λ = {lam}", color)
    style.reference(middle, float(data["zero"]), "Q = 0", above=False)
    middle.set_ylim(0, None)
    middle.legend(frameon=False, fontsize=8, loc="upper left")
    style.panel(right, "random play: MSE against its exact q", "episode", "")
    episodes = np.linspace(0, settings.known_episodes, data["known"].shape[2])
    for curve, lam, color in zip(data["known"], ("0", "1"), (style.COLORS[2], style.COLORS[3]), strict=True):
        style.curve(right, episodes, curve, f"λ = {lam}", color)
    style.reference(right, float(data["zero_known"]), "Q = 0", above=True)
    right.set_ylim(0, None)
    right.legend(frameon=False, fontsize=8, loc="upper right")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what holds of Sarsa(lambda) on Easy21."""
    short, long, zero = data["short"], data["long"], float(data["zero"])
    middle = len(short) // 2
    after, bound = f"after {settings.episodes:,} episodes", float(data["zero_known"])
    return [
        equal("the error before the first episode is that of Q = 0", float(data["curves"][0, 0, 0]), 0.09961, 5e-6),
        less(f"{after} the error is still above that of Q = 0, at λ = 0", zero, mean(short[0])),
        less(f"{after} λ = 1 is worse than λ = 0", mean(short[0] - short[-1]), 0.0),
        less(f"{after} λ = 1 is worse than a λ in the middle", mean(short[middle] - short[-1]), 0.0),
        less("more episodes make λ = 0 better", mean(long[0] - short[0]), 0.0),
        less("and λ = 1", mean(long[-1] - short[-1]), 0.0),
        less("in the end λ = 0 is best here, λ = 1 worst", mean(long[0] - long[-1]), 0.0),
        less(
            "playing at random, λ = 0 comes near the exact values: a quarter of the error of Q = 0", mean(data["known_end"][0]), bound / 4
        ),
        less("and so does λ = 1, more slowly", mean(data["known_end"][1]), 0.75 * bound),
        equal("the mean over all pairs is right, at λ = 0", mean(data["bias"][0]), 0.0, 0.01),
        equal("and at λ = 1", mean(data["bias"][1]), 0.0, 0.01),
    ]
