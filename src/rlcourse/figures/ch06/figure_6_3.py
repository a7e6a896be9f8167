"""Figure 6.3: interim and asymptotic performance of TD control on the cliff.

Sarsa, Q-learning and Expected Sarsa with epsilon = 0.1 and no discount, as functions of the step size. Interim performance is the mean
return of the first 100 episodes, asymptotic performance that of 100,000 episodes. Expected Sarsa's target has no sampling noise of
the next action, so it can take alpha = 1 without loss; what Q-learning earns online is the return of the epsilon-greedy policy of q*,
whatever alpha is; what Expected Sarsa earns in the long run is that of the best epsilon-soft policy. Both limits are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.temporal_difference.expected_sarsa import expected_sarsa
from rlcourse.agents.temporal_difference.q_learning import q_learning
from rlcourse.agents.temporal_difference.sarsa import sarsa
from rlcourse.core import exact
from rlcourse.core.config import Config, Count, Probability
from rlcourse.core.runs import Runs
from rlcourse.envs import cliff_walk
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "FULL", "SECONDS", "Settings", "claims", "draw", "run"]

BOXES = {"Sarsa": sarsa, "Q-learning": q_learning, "Expected Sarsa": expected_sarsa}
SECONDS = 30.0


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 5_000  # of the interim performance
    interim_episodes: Count = 100
    asymptotic_runs: Count = 10
    asymptotic_episodes: Count = 10_000
    epsilon: Probability = 0.1
    points: Count = 19  # step sizes from 0.1 to 1


FAST = {"runs": 100, "asymptotic_runs": 20, "asymptotic_episodes": 1_000, "points": 10}
FULL = {"runs": 50_000, "asymptotic_episodes": 100_000}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return step sizes [P], and mean returns per run: interim [3, P, runs]; asymptotic and its second half, [3, P, asymptotic runs]."""
    world, alphas = cliff_walk(), np.linspace(0.1, 1.0, settings.points)
    parameters = [(box, alpha) for box in BOXES.values() for alpha in alphas]

    def experiment(episodes: int) -> Any:
        def returns(parameter: Any, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
            box, alpha = parameter
            trial = Runs.of(world, n, episodes, [np.zeros((48, 4))])
            box(trial, *trial.tables((48, 4)), alpha, 1.0, settings.epsilon, rng)
            found = trial.returns()
            return found.mean(axis=1), found[:, episodes // 2 :].mean(axis=1)

        return returns

    interim = lab.study(experiment(settings.interim_episodes), parameters, settings.runs, chunk=500)
    asymptotic = lab.study(experiment(settings.asymptotic_episodes), parameters, settings.asymptotic_runs, chunk=1)
    Q = exact.q_star(world, 1.0)
    soft = exact.greedy_policy(exact.soft_policy(world, settings.epsilon, 1.0), settings.epsilon)
    return {
        "alpha": alphas,
        "interim": np.reshape([each[0] for each in interim], (3, len(alphas), -1)),
        "asymptotic": np.reshape([each[0] for each in asymptotic], (3, len(alphas), -1)),
        "late": np.reshape([each[1] for each in asymptotic], (3, len(alphas), -1)),
        "limit_q_learning": np.array(exact.exact_return(world, exact.greedy_policy(Q, settings.epsilon))),
        "limit_expected_sarsa": np.array(exact.exact_return(world, soft)),
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw sum of rewards per episode against alpha, as the book does: six curves."""
    figure.set_size_inches(8.4, 5.0)
    axes = style.panel(figure.subplots(), "", "step size α", "sum of rewards per episode")
    for i, name in enumerate(BOXES):
        style.curve(axes, data["alpha"], data["asymptotic"][i].T, f"{name}, asymptotic", style.COLORS[i], marker="o", markersize=3.5)
        style.curve(
            axes, data["alpha"], data["interim"][i].T, f"{name}, interim", style.COLORS[i], marker="s", markersize=3.5, linestyle=":"
        )
    for key, name, dashes in (("limit_expected_sarsa", "best ε-soft policy", "--"), ("limit_q_learning", "ε-greedy on q*", "-.")):
        axes.axhline(float(data[key]), color=style.INK, linestyle=dashes, linewidth=1, label=f"{name}, exact")
    axes.set_ylim(-160, 0)
    axes.set_xlim(0.08, 1.02)
    axes.legend(frameon=False, fontsize=8, ncols=4, loc="upper center", bbox_to_anchor=(0.47, -0.13))


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Section 6.6 says of the figure."""
    sarsa_, q, expected = data["late"]
    interim_sarsa, interim_q, interim_expected = data["interim"]
    half, ends, where = int(np.argmin(np.abs(data["alpha"] - 0.5))), data["asymptotic"], ("0.5", "1")
    soft, greedy = float(data["limit_expected_sarsa"]), float(data["limit_q_learning"])
    best = max(range(len(q)), key=lambda i: interim_sarsa[i].mean())
    transient = 0.3 if settings.asymptotic_episodes >= 10_000 else 1.0  # what is left of it in the second half: 0.6 of 1,000 at α = 0.5
    found = []
    for i, alpha in zip((half, -1), where, strict=True):
        found += [
            equal(f"Q-learning's long run is the ε-greedy return of q*, at α = {alpha}", mean(q[i]), greedy, transient),
            equal(f"Expected Sarsa's long run is the best ε-soft return, at α = {alpha}", mean(expected[i]), soft, transient),
        ]
        found.append(less(f"in the long run Sarsa earns less than Expected Sarsa at α = {alpha}", mean(sarsa_[i] - expected[i]), 0.0))
    for i, alpha in zip((0, half, -1), ("0.1", *where), strict=True):
        found.append(less(f"interim, Expected Sarsa beats Sarsa at α = {alpha}", mean(interim_sarsa[i] - interim_expected[i]), 0.0))
    return [
        *found,
        less("in the long run Sarsa suffers from a large step size", mean(ends[0][-1] - ends[0][0]), 0.0),
        less("in the long run Sarsa earns more than Q-learning at α = 0.1", mean(q[0] - sarsa_[0]), 0.0),
        less("interim, Expected Sarsa improves up to α = 1", mean(interim_expected[0] - interim_expected[-1]), 0.0),
        less("interim, Sarsa beats Q-learning at α = 0.5", mean(interim_q[half] - interim_sarsa[half]), 0.0),
        true("interim, Sarsa is best at a large α below 1", 0.6 <= data["alpha"][best] < 1.0, f"at {data['alpha'][best]:.2f}"),
        equal("interim at α = 0.1 as printed: Expected Sarsa -135", mean(interim_expected[0]), -135, 5),
        equal("interim at α = 1 as printed: Expected Sarsa -44.4", mean(interim_expected[-1]), -44.4, 3),
        equal("interim at α = 0.1 as printed: Sarsa -140", mean(interim_sarsa[0]), -140, 5),
        equal("interim at α = 0.1 as printed: Q-learning -151", mean(interim_q[0]), -151, 5),
    ]
