"""Double Expected Sarsa: one table says how the policy acts, the other what it is worth (Exercise 6.13).

Expected Sarsa's target contains a maximum too, hidden in its epsilon-greedy policy, and so has a maximisation bias. With two tables
as in Double Q-learning, a coin decides which one is updated; the policy pi1 of the target is epsilon-greedy in that table, and the
expectation is taken over the values of the other:

    Q1(S, A) <- Q1(S, A) + alpha [R + gamma sum_a pi1(a|S') Q2(S', a) - Q1(S, A)]

or the same with 1 and 2 exchanged. With epsilon = 0 in the target it is Double Q-learning. The exercise leaves open what pi is
greedy in: with Q1 + Q2 the values would have a part in the choice again, and some of the bias would return.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box, kernel
from rlcourse.core.config import Config, Discount, Probability, StepSize
from rlcourse.core.policies import epsilon_greedy, epsilon_greedy_probabilities
from rlcourse.core.trial import Trial

__all__ = ["DoubleExpectedSarsa", "DoubleExpectedSarsaConfig", "double_expected_sarsa", "expected_under"]


@kernel
def expected_under(choosing, values, epsilon):
    """Return sum_a pi(a) values[a], where pi is epsilon-greedy in `choosing`; actions of value -inf do not exist."""
    probabilities = epsilon_greedy_probabilities(choosing, epsilon)
    total = 0.0
    for a in range(len(values)):
        if values[a] != -math.inf:
            total += probabilities[a] * values[a]
    return total


@box
def double_expected_sarsa(world, Q1, Q2, alpha, gamma, epsilon, rng):
    """Double Expected Sarsa, acting by Q1 + Q2 (Exercise 6.13)."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize S
        done = False
        while not done:  # Loop for each step of episode:
            A = epsilon_greedy(Q1[S] + Q2[S], epsilon, rng)  # Choose A from S using the policy epsilon-greedy in Q1 + Q2
            S_, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            if rng.random() < 0.5:  # With 0.5 probability:
                target = R if terminated else R + gamma * expected_under(Q1[S_], Q2[S_], epsilon)
                Q1[S, A] += alpha * (target - Q1[S, A])  # Q1(S, A) <- Q1(S, A) + alpha [target - Q1(S, A)]
            else:  # else:
                target = R if terminated else R + gamma * expected_under(Q2[S_], Q1[S_], epsilon)
                Q2[S, A] += alpha * (target - Q2[S, A])  # Q2(S, A) <- Q2(S, A) + alpha [target - Q2(S, A)]
            S = S_  # S <- S'
            done = terminated or truncated  # until S is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class DoubleExpectedSarsaConfig(Config):
    """Settings of `DoubleExpectedSarsa`, named as in the book."""

    alpha: StepSize = 0.5  # step size
    gamma: Discount = 1.0  # discount rate
    epsilon: Probability = 0.1  # probability of a random action, also in the target


class DoubleExpectedSarsa(TabularAgent):
    """Double Expected Sarsa on any environment with finite observations and actions (Exercise 6.13).

    Attributes
    ----------
    Q1, Q2 : ndarray of float64, shape [S, A]
        The two estimates.
    Q : ndarray of float64, shape [S, A]
        Their mean, up to date whenever `learn` is not running.
    """

    Config = DoubleExpectedSarsaConfig
    tables = ("Q1", "Q2")

    def _build(self) -> None:
        super()._build()
        self.Q1, self.Q2 = np.zeros_like(self.Q), np.zeros_like(self.Q)

    def _run(self, trial: Trial) -> None:
        double_expected_sarsa(trial, self.Q1, self.Q2, self.config.alpha, self.config.gamma, self.config.epsilon, self.rng)
        self.Q[...] = (self.Q1 + self.Q2) / 2.0

    def action_values(self, states: np.ndarray) -> np.ndarray:
        """Return the mean of both estimates, shape [n, A]."""
        mean: np.ndarray = (self.Q1[states] + self.Q2[states]) / 2.0
        return mean

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over tables, settings and generator; see `Agent.load_state_dict`."""
        super().load_state_dict(state)
        self.Q[...] = (self.Q1 + self.Q2) / 2.0
