"""Figure 12.2: the weights that the lambda-return gives to the n-step returns.

The one-step return gets 1 - lambda, each longer one lambda times as much as the one before, and the whole return all that is left,
lambda^(T-t-1). The weights sum to 1. They are not only computed by formula (12.3) but also measured on the algorithms: in an episode
of T steps without reward, with a single value of 1 in the state n steps ahead, the lambda-return is the weight of the n-step return.
TD(lambda) gives each the same weight without ever forming a return: the sum of its changes is the same (Exercise 12.4). The half-life of
the weights is ln(1/2) / ln(lambda) steps (Exercise 12.2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.traces.offline_lambda_return import offline_lambda_return
from rlcourse.agents.traces.td_lambda import td_lambda
from rlcourse.core.config import Config, Count, Probability
from rlcourse.core.trial import Trial
from rlcourse.envs import random_walk
from rlcourse.features import OneHot
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, Estimate, equal, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    lam: Probability = 0.85
    steps: Count = 18  # T - t, from time t to the end of the episode


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return the weights by (12.3), of the off-line algorithm and of TD(lambda), each [T - t]; and those of lambda 0 and 1."""
    T, lam = settings.steps, settings.lam
    return {
        "formula": np.array([(1 - lam) * lam ** (n - 1) for n in range(1, T)] + [lam ** (T - 1)]),
        "forward": measured(offline_lambda_return, lam, T, lab),
        "backward": measured(td_lambda, lam, T, lab),
        "ends": np.array([measured(offline_lambda_return, end, T, lab) for end in (0.0, 1.0)]),
    }


def measured(box: Any, lam: float, T: int, lab: Lab) -> np.ndarray:
    """Return the weight of each n-step return in the first update of an algorithm, shape [T].

    A walker in the middle of a row of 2 T - 1 states that always goes right needs T steps. Interpreted: less time than compiling.
    """
    found = np.zeros(T)
    for n in range(1, T + 1):
        world, w = random_walk(2 * T - 1, 0.0, 1.0 if n == T else 0.0), np.zeros(2 * T + 1)
        w[2 * T - 1 :] = 1.0  # of the two terminal states: no algorithm may look at it
        if n < T:
            w[T - 1 + n] = 1.0
        box.python(Trial.of(world, episodes=1, capacity=1), np.array([0.0, 1.0]), OneHot(len(w)), w, False, 1.0, 1.0, lam, lab.rng(n))
        found[n - 1] = w[T - 1]
    return found


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the weights over time, as the book does."""
    T, lam, weights = settings.steps, settings.lam, data["forward"]
    axes = style.panel(figure.subplots(), "", "steps n after time t", "weight of the n-step return")
    n = np.arange(1, T + 1)
    axes.bar(n[:-1], weights[:-1], width=1.0, align="edge", color=style.COLORS[0], alpha=0.35, edgecolor=style.COLORS[0])
    axes.bar(n[-1:], weights[-1:], width=1.0, align="edge", color=style.COLORS[1], alpha=0.45, edgecolor=style.COLORS[1])
    axes.plot(n + 0.5, weights[0] * lam ** (n - 1.0), color=style.INK, linewidth=1.2)
    arrow = {"arrowstyle": "->", "color": style.GREY}
    where = {"fontsize": 9, "color": style.INK, "arrowprops": arrow, "textcoords": "offset points"}
    axes.annotate("weight of the 3-step return\n(1 − λ) λ²", (3.5, weights[2]), (40, 35), **where)
    axes.annotate("decays by λ", (8.5, weights[0] * lam**7), (20, 30), **where)
    axes.annotate("weight of the whole return\nλ^(T−t−1)", (T + 0.5, weights[-1]), (-125, 55), **where)
    axes.text(T + 2, weights[0], f"λ = {lam:g},  total area = {weights.sum():.3f}", ha="right", fontsize=10, color=style.INK)
    axes.set_xticks([1.5, 3.5, T + 0.5], ["1", "3", f"T − t = {T}"])
    axes.set_xlim(0.6, T + 2.2)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return that the algorithms weight as the formula does, and what the figure writes beside the curve."""
    lam, T, weights = settings.lam, settings.steps, data["forward"]
    half = math.log(0.5) / math.log(lam)
    one_step, whole = np.eye(T)[0], np.eye(T)[-1]
    return [
        equal("the off-line lambda-return algorithm weights by (12.3)", gap(weights, data["formula"]), 0.0, 1e-12),
        equal("so does TD(lambda), summed over the episode", gap(data["backward"], data["formula"]), 0.0, 1e-12),
        equal("the weights sum to 1", float(weights.sum()), 1.0, 1e-12),
        equal("each is lambda times the one before, but for the last", gap(weights[1:-1], lam * weights[:-2]), 0.0, 1e-12),
        equal("the 3-step return has (1 - lambda) lambda^2", float(weights[2]), (1 - lam) * lam * lam, 1e-12),
        equal("the whole return has what is left, lambda^(T-t-1)", float(weights[-1]), lam ** (T - 1), 1e-12),
        true(
            "half of the first weight is passed at the half-life",
            weights[math.floor(half)] > 0.5 * weights[0] > weights[math.ceil(half)],
            f"{half:.2f} steps",
        ),
        equal("lambda = 0 has the one-step return alone", gap(data["ends"][0], one_step), 0.0, 1e-12),
        equal("lambda = 1 has the whole return alone", gap(data["ends"][1], whole), 0.0, 1e-12),
    ]


def gap(a: np.ndarray, b: np.ndarray) -> Estimate:
    """Return the largest distance between two arrays."""
    return Estimate(float(np.abs(a - b).max()))
