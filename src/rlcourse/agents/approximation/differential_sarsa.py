"""Differential semi-gradient Sarsa: control for tasks that never end, without discounting (Sec. 10.3).

With approximate values discounting cannot define what to maximise in a continuing task (Sec. 10.4); the average reward r(pi) can. Values
are then differential: how much more than average is still to come.

    delta = R - R_bar + q(S', A', w) - q(S, A, w)        (10.11)
    R_bar <- R_bar + beta delta,   w <- w + alpha delta x(S, A)

delta, not R - R_bar, moves the average: its noise vanishes as the values become right (Exercise 10.8). A budget that is spent, or a
time limit, cuts the task: that step bootstraps, and what follows begins by a reset, with w and R_bar kept. That is what learning
on, or resuming from a file, means here; where a task starts does not matter to its average. If it does end, the value beyond is zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.core.box import box
from rlcourse.core.config import Probability, StepSize
from rlcourse.core.linear import add_action, q_hat, q_hat_of
from rlcourse.core.policies import epsilon_greedy
from rlcourse.core.trial import Trial

__all__ = ["DifferentialSarsa", "DifferentialSarsaConfig", "differential_sarsa"]


@box
def differential_sarsa(world, features, w, R_bar, alpha, beta, epsilon, rng):
    """Differential semi-gradient Sarsa for estimating q ~ q*, the box of Sec. 10.3."""
    while world.more():
        S = world.reset(rng)  # Initialize state S, and action A
        x = features.x(S)
        A = epsilon_greedy(q_hat(x, w), epsilon, rng)
        done = False
        while not done:  # Loop for each step:
            S, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            x_ = features.x(S)
            A_ = epsilon_greedy(q_hat(x_, w), epsilon, rng)  # Choose A' as a function of q(S', ., w)
            after = 0.0 if terminated else q_hat_of(x_, w, A_)
            delta = R - R_bar[0] + after - q_hat_of(x, w, A)  # delta <- R - R_bar + q(S', A', w) - q(S, A, w)
            R_bar[0] += beta * delta  # R_bar <- R_bar + beta delta
            add_action(w, alpha * delta, x, A)  # w <- w + alpha delta grad q(S, A, w)
            x, A = x_, A_  # S <- S'; A <- A'
            done = terminated or truncated  # never in the book; here a budget or a time limit cuts


@dataclass(frozen=True)
class DifferentialSarsaConfig(LinearConfig):
    """Settings of `DifferentialSarsa`, named as in the book."""

    alpha: StepSize = 0.01  # step size of the values; with n tilings a share of 1 / n
    beta: StepSize = 0.01  # step size of the average reward
    epsilon: Probability = 0.1  # probability of a random action


class DifferentialSarsa(LinearAgent):
    """Differential semi-gradient Sarsa on any environment with finite actions, best on one that never ends (Sec. 10.3)."""

    Config = DifferentialSarsaConfig
    tables: ClassVar[tuple[str, ...]] = ("w", "R_bar")
    R_bar: np.ndarray  # [1] the average reward

    def _make_tables(self) -> None:
        super()._make_tables()
        self.R_bar = np.zeros(1)

    def _run(self, trial: Trial) -> None:
        c = self.config
        differential_sarsa(trial, self.features, self.w, self.R_bar, c.alpha, c.beta, c.epsilon, self.rng)
