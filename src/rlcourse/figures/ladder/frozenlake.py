"""FrozenLake, a ladder: five methods on the same axes, and the exact optimum within the time limit.

On slippery ice the best policy reaches the goal with probability 14/17 if it has for ever, 0.7442 within the 100 steps that Gymnasium
allows (it may look at the time left), 0.7422 within 99. Learners have gamma = 0.99 and epsilon = 0.1, and a step size that falls with
the episodes; each of their greedy policies is evaluated exactly. Dyna-Q's model holds one outcome of each pair, which is wrong here:
it learns fast and badly. Right: a widespread tutorial's Q-table (alpha = 0.8, gamma = 0.95, noise that fades as 1/episode, 2,000
episodes of at most 99 steps) scores anything from 0.3 to 0.7 while training: one run shows little.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.planning.dyna_q import dyna_q
from rlcourse.agents.planning.learned_model import LearnedModel
from rlcourse.agents.temporal_difference.expected_sarsa import expected_sarsa
from rlcourse.agents.temporal_difference.noisy_q_learning import noisy_q_learning
from rlcourse.agents.temporal_difference.q_learning import q_learning
from rlcourse.agents.temporal_difference.sarsa import sarsa
from rlcourse.core import exact, horizon
from rlcourse.core.config import Config, Count, Discount, Probability, StepSize
from rlcourse.core.runs import Runs
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "FULL", "Settings", "claims", "draw", "run"]

SHAPE, LIMIT = (16, 4), 100
NAMES = ("Q-learning", "Sarsa", "Expected Sarsa", "Dyna-Q", "Q-learning, α constant")
MARKS = (0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.25, 0.4, 0.6, 0.8, 1.0)  # shares of the episodes at which policies are judged


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 30
    episodes: Count = 20_000
    alpha: StepSize = 0.5  # divided by 1 + episode/500
    gamma: Discount = 0.99
    epsilon: Probability = 0.1
    n: Count = 5  # planning steps of Dyna-Q
    tutorial_runs: Count = 500


FAST = {"runs": 14, "episodes": 6_000, "tutorial_runs": 60}
FULL = {"runs": 300, "tutorial_runs": 5_000}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return episodes [M], exact returns [5, M, runs] of greedy policies, scores of the tutorial [runs], and exact optima."""
    world = exact.model("FrozenLake-v1")
    marks = np.unique([max(1, round(share * settings.episodes)) for share in MARKS])

    def returns(name: str, rng: np.random.Generator, n: int) -> np.ndarray:
        found = np.empty((n, len(marks)))
        for i in range(n):
            learn = _learner(name, settings, rng)
            before = 0
            for j, episodes in enumerate(marks):
                constant = name == NAMES[4]
                alpha = settings.alpha / (1.0 if constant else 1.0 + before / 500)
                Q = learn(Runs.of(world, 1, int(episodes) - before, [], limit=LIMIT), alpha)
                found[i, j], before = horizon.policy_return(world, exact.greedy_policy(Q), 1.0, LIMIT), int(episodes)
        return found

    def scores(limit: int, rng: np.random.Generator, n: int) -> np.ndarray:
        trial = Runs.of(world, n, 2_000, [np.zeros(SHAPE), np.zeros(1)], limit=limit)
        Q, count = trial.tables(SHAPE, (1,))
        noisy_q_learning(trial, Q, count, 0.8, 0.95, 1.0, rng)
        return trial.returns().mean(axis=1)

    learned = np.array(lab.study(returns, list(NAMES), settings.runs, chunk=5))
    planned = exact.greedy_policy(exact.q_star(world, settings.gamma))
    return {
        "episodes": marks,
        "returns": learned.swapaxes(1, 2),
        "tutorial": np.asarray(lab.study(scores, [99], settings.tutorial_runs, chunk=50)[0]),
        "optimum": np.array([horizon.best_return(world, 1.0, steps) for steps in (99, LIMIT, None)]),
        "value_iteration": np.array(horizon.policy_return(world, planned, 1.0, LIMIT)),
    }


def _learner(name: str, settings: Settings, rng: np.random.Generator) -> Callable[[Any, float], np.ndarray]:
    """Return what learns on: it is given a trial and a step size, and returns its table."""
    Q, model, gamma, epsilon = np.zeros(SHAPE), LearnedModel.of(*SHAPE), settings.gamma, settings.epsilon
    box: Any = {"Sarsa": sarsa, "Expected Sarsa": expected_sarsa}.get(name, q_learning)

    def learn(trial: Any, alpha: float) -> np.ndarray:
        if name == "Dyna-Q":
            dyna_q(trial, model, Q, alpha, gamma, epsilon, settings.n, rng)
        else:
            box(trial, Q, alpha, gamma, epsilon, rng)
        return Q

    return learn


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw exact returns of greedy policies against episodes, and the tutorial's scores."""
    figure.set_size_inches(10.6, 4.2)
    left, right = figure.subplots(1, 2, width_ratios=(1.7, 1))
    style.panel(left, "greedy policy: exact success within 100 steps", "episodes", "probability of reaching the goal")
    for i, name in enumerate(NAMES):
        look = {"linestyle": ":"} if i == 4 else {}
        color = style.COLORS[0 if i == 4 else i]
        style.curve(left, data["episodes"], data["returns"][i].T, name, color, marker="o", markersize=3, **look)  # type: ignore[arg-type]
    style.reference(left, float(data["optimum"][1]), "optimum within 100 steps, exact", side="left")
    style.reference(left, float(data["value_iteration"]), f"value iteration, γ = {settings.gamma:g}", side="left", above=False)
    left.set_xscale("log")
    left.set_ylim(0, 0.82)
    left.legend(frameon=False, fontsize=8, loc="lower right")
    style.panel(right, "a tutorial's Q-table: score while training", "score over 2,000 episodes", "runs")
    right.hist(data["tutorial"], bins=np.arange(0.0, 0.81, 0.025), color=style.COLORS[0], alpha=0.75)
    for x, label, color in (
        (float(data["tutorial"].mean()), "mean", style.COLORS[1]),
        (0.5345, "as printed, one run", style.INK),
        (float(data["optimum"][0]), "optimum", style.GREY),
    ):
        right.axvline(x, color=color, linewidth=1.3, linestyle="--", label=f"{label}: {x:.4f}")
    right.legend(frameon=False, fontsize=8, loc="upper left")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what holds on FrozenLake."""
    q, sarsa_, expected, dyna, constant = data["returns"][:, -4:].mean(axis=1)  # the later policies of each run
    optimum, tutorial = data["optimum"], data["tutorial"]
    late = f"towards {settings.episodes:,} episodes"
    least = 0.7 if settings.episodes >= 20_000 else 0.5
    inside = float(np.mean((tutorial >= 0.25) & (tutorial <= 0.7)))
    return [
        equal("the optimum within 99 steps is 0.7422", float(optimum[0]), 0.7422, 5e-5),
        equal("within 100 steps it is 0.7442", float(optimum[1]), 0.7442, 5e-5),
        equal("without a limit it is 14/17", float(optimum[2]), 14 / 17, 1e-9),
        true("no policy beats the optimum", data["returns"].max() <= optimum[1] + 1e-12, f"{data['returns'].max():.4f}"),
        less(f"{late}, with falling steps, Q-learning is above {least:g}", least, mean(q)),
        less("so is Sarsa", least, mean(sarsa_)),
        less("and Expected Sarsa", least, mean(expected)),
        less("a constant step size is worse for Q-learning", mean(constant - q), 0.0),
        less("Dyna-Q's model of one outcome misleads it", mean(dyna - q), 0.0),
        equal("the tutorial's score is 0.485 on average", mean(tutorial), 0.485, 0.06),
        true(
            "but single runs differ widely", tutorial.std(ddof=1) > 0.05 and inside > 0.8, f"{tutorial.min():.2f} to {tutorial.max():.2f}"
        ),
    ]
