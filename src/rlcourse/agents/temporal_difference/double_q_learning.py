"""Double Q-learning: two estimates, so that noise is not taken for value (Sec. 6.7; van Hasselt 2010).

Q-learning uses the maximum of estimates as an estimate of the maximum: with noise that is too large, the maximisation bias. The cure is
to learn two tables from different samples. A coin decides which one is updated; it says which action is best, the other one how good:

    Q1(S, A) <- Q1(S, A) + alpha [R + gamma Q2(S', argmax_a Q1(S', a)) - Q1(S, A)]        (6.10)

or the same with Q1 and Q2 exchanged. Q2's noise did not choose the action, so its value there is unbiased. Memory doubles, the
work of a step does not. The agent acts by Q1 + Q2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box
from rlcourse.core.config import Config, Discount, Probability, StepSize
from rlcourse.core.policies import epsilon_greedy, greedy
from rlcourse.core.trial import Trial

__all__ = ["DoubleQLearning", "DoubleQLearningConfig", "double_q_learning"]


@box
def double_q_learning(world, Q1, Q2, alpha, gamma, epsilon, rng):
    """Double Q-learning, for estimating Q1 ~ Q2 ~ q*, the box of Sec. 6.7."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize S
        done = False
        while not done:  # Loop for each step of episode:
            A = epsilon_greedy(Q1[S] + Q2[S], epsilon, rng)  # Choose A from S using the policy epsilon-greedy in Q1 + Q2
            S_, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            if rng.random() < 0.5:  # With 0.5 probability:
                target = R if terminated else R + gamma * Q2[S_, greedy(Q1[S_], rng)]
                Q1[S, A] += alpha * (target - Q1[S, A])  # Q1(S, A) <- Q1(S, A) + alpha [target - Q1(S, A)]
            else:  # else:
                target = R if terminated else R + gamma * Q1[S_, greedy(Q2[S_], rng)]
                Q2[S, A] += alpha * (target - Q2[S, A])  # Q2(S, A) <- Q2(S, A) + alpha [target - Q2(S, A)]
            S = S_  # S <- S'
            done = terminated or truncated  # until S is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class DoubleQLearningConfig(Config):
    """Settings of `DoubleQLearning`, named as in the book."""

    alpha: StepSize = 0.5  # step size
    gamma: Discount = 1.0  # discount rate
    epsilon: Probability = 0.1  # probability of a random action


class DoubleQLearning(TabularAgent):
    """Double Q-learning on any environment with finite observations and actions (Sec. 6.7).

    Attributes
    ----------
    Q1, Q2 : ndarray of float64, shape [S, A]
        The two estimates.
    Q : ndarray of float64, shape [S, A]
        Their mean, up to date whenever `learn` is not running.
    """

    Config = DoubleQLearningConfig
    tables = ("Q1", "Q2")

    def _build(self) -> None:
        super()._build()
        self.Q1, self.Q2 = np.zeros_like(self.Q), np.zeros_like(self.Q)

    def _run(self, trial: Trial) -> None:
        double_q_learning(trial, self.Q1, self.Q2, self.config.alpha, self.config.gamma, self.config.epsilon, self.rng)
        self.Q[...] = (self.Q1 + self.Q2) / 2.0

    def action_values(self, states: np.ndarray) -> np.ndarray:
        """Return the mean of both estimates, shape [n, A]."""
        mean: np.ndarray = (self.Q1[states] + self.Q2[states]) / 2.0
        return mean

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over tables, settings and generator; see `Agent.load_state_dict`."""
        super().load_state_dict(state)
        self.Q[...] = (self.Q1 + self.Q2) / 2.0
