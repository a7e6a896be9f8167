"""On-policy first-visit Monte Carlo control for epsilon-soft policies (Sec. 5.4).

The problem is control without a model, and without exploring starts. On-policy methods keep exploring by never becoming quite
greedy: the policy takes a random action with probability epsilon, and it is improved after each episode by taking the averages of
returns, first visits of a pair (S, A) only, as its action values:

    Q(S_t, A_t) <- average of the returns that followed the pair,        pi <- epsilon-greedy with respect to Q

Policy improvement then ends at the best policy among the epsilon-soft ones (see `rlcourse.core.exact.soft_policy`), not at the
optimal one. Where a time limit cuts an episode off, G begins with the expected Q of the state where it struck.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box
from rlcourse.core.config import Config, Discount, Probability
from rlcourse.core.policies import epsilon_greedy, expected_value
from rlcourse.core.trial import Trial

__all__ = ["MCControl", "MCControlConfig", "mc_control"]


@box
def mc_control(world, Q, N, epsilon, gamma, rng):
    """On-policy first-visit MC control (for epsilon-soft policies), estimates pi ~ pi*, the box of Sec. 5.4."""
    episode = [(0, 0, 0.0)]  # (S_t, A_t, R_t+1)
    episode.pop()
    visits = np.zeros(Q.shape, np.int64)  # in this episode up to time t
    while world.more():  # Repeat forever (for each episode):
        S = world.reset(rng)
        done = terminated = False
        while not done:  # Generate an episode following pi, which is epsilon-greedy: S_0, A_0, R_1, ..., S_T-1, A_T-1, R_T
            A = epsilon_greedy(Q[S], epsilon, rng)  # A* <- argmax_a Q(S, a), ties broken arbitrarily; pi(A*|S) <- 1 - epsilon + ...
            S_, R, terminated, truncated = world.step(S, A, rng)
            episode.append((S, A, R))
            visits[S, A] += 1
            S, done = S_, terminated or truncated
        G = 0.0 if terminated else expected_value(Q[S], epsilon)  # G <- 0, or what the time limit has cut off
        while len(episode) > 0:  # Loop for each step of episode, t = T-1, T-2, ..., 0:
            S, A, R = episode.pop()
            G = gamma * G + R  # G <- gamma G + R_t+1
            visits[S, A] -= 1
            if visits[S, A] == 0:  # Unless the pair S_t, A_t appears in S_0, A_0, ..., S_t-1, A_t-1:
                N[S, A] += 1.0
                Q[S, A] += (G - Q[S, A]) / N[S, A]  # Q(S_t, A_t) <- average(Returns(S_t, A_t))


@dataclass(frozen=True)
class MCControlConfig(Config):
    """Settings of `MCControl`, named as in the book."""

    gamma: Discount = 1.0  # discount rate
    epsilon: Probability = 0.1  # probability of a random action


class MCControl(TabularAgent):
    """On-policy first-visit Monte Carlo control (Sec. 5.4).

    Attributes
    ----------
    Q : ndarray of float64, shape [S, A]
        Action values.
    N : ndarray of float64, shape [S, A]
        Returns averaged in each.
    """

    Config = MCControlConfig
    tables = ("Q", "N")

    def _build(self) -> None:
        super()._build()
        self.N = np.zeros(self.Q.shape)

    def _run(self, trial: Trial) -> None:
        mc_control(trial, self.Q, self.N, self.config.epsilon, self.config.gamma, self.rng)
