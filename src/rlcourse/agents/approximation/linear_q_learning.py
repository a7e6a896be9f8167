"""Q-learning with linear action values: off-policy, bootstrapping, approximate (Sec. 11.1).

The target takes the best action at the next state, whatever will be done there:

    w <- w + alpha [R + gamma max_a q(S', a, w) - q(S, A, w)] x(S, A)

That is all three parts of the deadly triad (Sec. 11.3), so no proof says that w stays finite; where the behaviour is close to the greedy
policy, as epsilon-greedy is, divergence has not been seen. With one feature per state it is tabular Q-learning. A truncated
episode bootstraps from its last state.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.core.box import box
from rlcourse.core.config import Discount, Probability, StepSize
from rlcourse.core.linear import add_action, q_hat, q_hat_of
from rlcourse.core.policies import epsilon_greedy
from rlcourse.core.trial import Trial

__all__ = ["LinearQLearning", "LinearQLearningConfig", "linear_q_learning"]


@box
def linear_q_learning(world, features, w, alpha, gamma, epsilon, rng):
    """Semi-gradient Q-learning for estimating q ~ q*."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize S
        x = features.x(S)
        done = False
        while not done:  # Loop for each step of episode:
            A = epsilon_greedy(q_hat(x, w), epsilon, rng)  # Choose A as a function of q(S, ., w)
            S, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            x_ = features.x(S)
            target = R if terminated else R + gamma * np.max(q_hat(x_, w))  # max_a q(S', a, w)
            add_action(w, alpha * (target - q_hat_of(x, w, A)), x, A)  # w <- w + alpha [target - q(S, A, w)] grad q(S, A, w)
            x = x_  # S <- S'
            done = terminated or truncated  # until S is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class LinearQLearningConfig(LinearConfig):
    """Settings of `LinearQLearning`, named as in the book."""

    alpha: StepSize = 0.0625  # step size; with n tilings a share of 1 / n
    gamma: Discount = 1.0  # discount rate
    epsilon: Probability = 0.1  # probability of a random action


class LinearQLearning(LinearAgent):
    """Semi-gradient Q-learning on any environment with finite actions (Sec. 11.1)."""

    Config = LinearQLearningConfig

    def _run(self, trial: Trial) -> None:
        c = self.config
        linear_q_learning(trial, self.features, self.w, c.alpha, c.gamma, c.epsilon, self.rng)
