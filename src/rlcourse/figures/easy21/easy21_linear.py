"""Easy21: Sarsa(lambda) with 36 overlapping binary features, against q* and against the best fit.

Three intervals of the dealer's card, six of the player's sum, two actions; epsilon = 0.05 and alpha = 0.01, constant. With 36 weights
the error cannot fall below that of the least-squares fit, and a learner does not even aim there: it weighs the pairs that it
visits. What counts is the greedy policy, and its expected return is exact here: it shows how little the error says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.traces.sarsa_lambda import sarsa_lambda
from rlcourse.core import exact
from rlcourse.core.config import Config, Count, Probability, StepSize
from rlcourse.core.runs import Runs
from rlcourse.envs import easy21_features, easy21_game
from rlcourse.features import TableFeatures
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.easy21.easy21_optimum import policy
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "FULL", "Settings", "claims", "draw", "run"]

FEATURES = 36


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 60
    episodes: Count = 50_000
    short_episodes: Count = 1_000  # the assignment's
    points: Count = 11  # values of lambda from 0 to 1
    alpha: StepSize = 0.01
    epsilon: Probability = 0.05


FAST = {"runs": 20, "points": 3, "episodes": 20_000}
FULL = {"runs": 1_000}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return lambdas [P], and MSE and exact greedy return of each run after both numbers of episodes [2, P, runs]."""
    world, F = easy21_game(), easy21_features()
    features, Q = TableFeatures.of(F), exact.q_star(world, 1.0)
    lambdas = np.linspace(0.0, 1.0, settings.points)

    def weights(parameter: Any, rng: np.random.Generator, n: int) -> np.ndarray:
        lam, episodes = parameter
        learned = np.empty((n, FEATURES))
        for i in range(n):
            trial = Runs.of(world, 1, episodes, [np.zeros(FEATURES)])
            (w,) = trial.tables((FEATURES,))
            sarsa_lambda(trial, features, w, settings.alpha, 1.0, float(lam), settings.epsilon, 0, rng)
            learned[i] = w
        return learned

    parameters = [(lam, episodes) for episodes in (settings.short_episodes, settings.episodes) for lam in lambdas]
    learned = np.array(lab.study(weights, parameters, settings.runs, chunk=10))  # [2 P, runs, 36]
    values = np.array([[_values(w, F) for w in row] for row in learned])  # [2 P, runs, 210, 2]
    X = np.zeros((420, FEATURES))
    for row, active in zip(X, F.reshape(420, -1), strict=True):
        row[active[active >= 0]] = 1.0
    fit = (X @ np.linalg.lstsq(X, Q.ravel(), rcond=None)[0]).reshape(Q.shape)
    shape = (2, settings.points, settings.runs)
    returns = [exact.exact_return(world, exact.greedy_policy(each)) for each in values.reshape(-1, 210, 2)]
    return {
        "lam": lambdas,
        "mse": ((values - Q) ** 2).mean(axis=(2, 3)).reshape(shape),
        "returns": np.reshape(returns, shape),
        "fit": np.array(np.mean((fit - Q) ** 2)),
        "fit_return": np.array(exact.exact_return(world, exact.greedy_policy(fit))),
        "optimum": np.array(exact.exact_return(world, exact.greedy_policy(Q))),
        "Q": values[settings.points, 0].reshape(10, 21, 2),
        "rank": np.array(np.linalg.matrix_rank(X)),
    }


def _values(w: np.ndarray, F: np.ndarray) -> np.ndarray:
    return np.asarray(np.append(w, 0.0)[F].sum(axis=-1))  # -1 is no feature: the weight 0


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw exact return and MSE against lambda, and the policy of one run."""
    figure.set_size_inches(11.6, 3.9)
    left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1, 1.15))
    style.panel(left, "greedy policy: exact expected return", "λ", "return")
    style.panel(middle, "MSE against the exact q*", "λ", "mean square over 420 pairs")
    for i, episodes in enumerate((settings.short_episodes, settings.episodes)):
        for axes, name in ((left, "returns"), (middle, "mse")):
            label = f"{episodes:,} episodes"
            style.curve(axes, data["lam"], data[name][i].T, label, style.COLORS[i], marker="os"[i], markersize=3.5)
    style.reference(left, float(data["optimum"]), "optimum, exact")
    style.reference(left, 0.02, "asked for", above=False)
    style.reference(middle, float(data["fit"]), "least-squares fit, exact")
    left.set_ylim(0, None)
    middle.set_ylim(0, None)
    left.legend(frameon=False, fontsize=8, loc="lower left")
    middle.legend(frameon=False, fontsize=8, loc="lower left")
    policy(right, data["Q"], "greedy policy of one run, λ = 0")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what is known of the 36 features."""
    long = data["returns"][1]
    reached = float(np.mean(long >= 0.02))
    return [
        equal("the least-squares fit of the 36 features has an MSE of 0.020470", float(data["fit"]), 0.020470, 5e-7),
        true("the features are independent: rank 36", int(data["rank"]) == FEATURES),
        true("no run's error is below that of the fit", data["mse"].min() > float(data["fit"]), f"{data['mse'].min():.4f}"),
        less(f"after {settings.episodes:,} episodes the greedy policy earns 0.02 and more, at λ = 0", 0.02, mean(long[0])),
        less("and on average over all λ", 0.02, mean(long.mean(axis=0))),
        true("so it does in eight of ten single runs", reached >= 0.8, f"{reached:.3f} of {long.size}"),
        true("no policy beats the optimum", long.max() <= float(data["optimum"]) + 1e-12, f"{long.max():.5f}"),
        less("learning longer makes the error smaller, over all λ", mean((data["mse"][1] - data["mse"][0]).mean(axis=0)), 0.0),
        less("the error at λ = 1 is larger than at λ = 0", mean(data["mse"][1, 0] - data["mse"][1, -1]), 0.0),
        less("most policies earn more than that of the fit: the error says little", float(data["fit_return"]), mean(long.mean(axis=0))),
    ]
