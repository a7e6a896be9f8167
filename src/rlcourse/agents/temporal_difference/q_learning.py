"""Q-learning: off-policy control by temporal differences (Sec. 6.5; Watkins 1989).

One of the early breakthroughs of the field was to learn the optimal action values directly, whatever policy is followed, as long
as every pair goes on being visited. The target takes the best action at the next state, not the one that will be taken:

    Q(S, A) <- Q(S, A) + alpha [R + gamma max_a Q(S', a) - Q(S, A)]        (6.8)

The learned policy is optimal; the online return is not, because the values ignore what exploration costs (Example 6.6), and the
maximum over noisy estimates is biased upwards (Sec. 6.7).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box
from rlcourse.core.config import Config, Discount, Probability, StepSize
from rlcourse.core.policies import epsilon_greedy
from rlcourse.core.trial import Trial

__all__ = ["QLearning", "QLearningConfig", "q_learning"]


@box
def q_learning(world, Q, alpha, gamma, epsilon, rng):
    """Q-learning (off-policy TD control) for estimating pi ~ pi*, the box of Sec. 6.5."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize S
        done = False
        while not done:  # Loop for each step of episode:
            A = epsilon_greedy(Q[S], epsilon, rng)  # Choose A from S using policy derived from Q
            S_, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            target = R if terminated else R + gamma * np.max(Q[S_])
            Q[S, A] += alpha * (target - Q[S, A])  # Q(S, A) <- Q(S, A) + alpha [R + gamma max_a Q(S', a) - Q(S, A)]
            S = S_  # S <- S'
            done = terminated or truncated  # until S is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class QLearningConfig(Config):
    """Settings of `QLearning`, named as in the book."""

    alpha: StepSize = 0.5  # step size
    gamma: Discount = 1.0  # discount rate
    epsilon: Probability = 0.1  # probability of a random action


class QLearning(TabularAgent):
    """Q-learning on any environment with finite observations and actions (Sec. 6.5)."""

    Config = QLearningConfig

    def _run(self, trial: Trial) -> None:
        q_learning(trial, self.Q, self.config.alpha, self.config.gamma, self.config.epsilon, self.rng)
