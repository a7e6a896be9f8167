"""Sarsa(lambda): control with eligibility traces, the tabular form (Sec. 12.7; Silver's course, lecture 5).

One-step Sarsa tells only the last pair what it has learned. Sarsa(lambda) gives every pair a trace E that grows by one at each visit
and fades by gamma lambda at each step, and lets all pairs share each TD error in proportion to their traces:

    Q(s, a) <- Q(s, a) + alpha delta E(s, a)    for all s, a;    delta = R + gamma Q(S', A') - Q(S, A)

lambda = 0 is Sarsa; lambda = 1 is every-visit Monte Carlo control, online. The traces accumulate, as in the Easy21 assignment, whose
schedules are options: alpha = 1/N(s, a) of the current pair, and epsilon = N0 / (N0 + N(s)). A truncated episode
bootstraps from its last state.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box, kernel
from rlcourse.core.config import Config, Discount, NonNegative, Probability
from rlcourse.core.policies import epsilon_greedy
from rlcourse.core.trial import Trial

__all__ = ["TabularSarsaLambda", "TabularSarsaLambdaConfig", "exploration", "tabular_sarsa_lambda"]


@kernel
def exploration(epsilon, N0, N):
    """Return epsilon where N0 is 0, else N0 / (N0 + N(s)); N [A] are the visits of the state's pairs."""
    if N0 == 0.0:
        return epsilon
    visits = 0.0
    for a in range(len(N)):
        visits += N[a]
    return N0 / (N0 + visits)


@box
def tabular_sarsa_lambda(world, Q, N, alpha, gamma, lam, epsilon, N0, rng):
    """Sarsa(lambda) with accumulating traces for estimating Q ~ q*; N [S, A] counts visits; alpha = 0 stands for 1/N(s, a)."""
    while world.more():  # Loop for each episode:
        E = np.zeros(Q.shape)  # E(s, a) <- 0 for all s, a
        S = world.reset(rng)  # Initialize S
        A = epsilon_greedy(Q[S], exploration(epsilon, N0, N[S]), rng)  # Choose A from S using policy derived from Q
        done = False
        while not done:  # Loop for each step of episode:
            S_, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            N[S, A] += 1.0
            step = alpha if alpha > 0.0 else 1.0 / N[S, A]
            A_ = epsilon_greedy(Q[S_], exploration(epsilon, N0, N[S_]), rng)  # Choose A' from S'
            target = R if terminated else R + gamma * Q[S_, A_]
            delta = target - Q[S, A]  # delta <- R + gamma Q(S', A') - Q(S, A)
            E[S, A] += 1.0  # E(S, A) <- E(S, A) + 1
            Q += (step * delta) * E  # Q(s, a) <- Q(s, a) + alpha delta E(s, a) for all s, a
            E *= gamma * lam  # E(s, a) <- gamma lambda E(s, a) for all s, a
            S, A = S_, A_  # S <- S'; A <- A'
            done = terminated or truncated  # until S is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class TabularSarsaLambdaConfig(Config):
    """Settings of `TabularSarsaLambda`, named as in the book."""

    alpha: Probability = 0.1  # step size; 0 means 1/N(s, a)
    gamma: Discount = 1.0  # discount rate
    lam: Probability = 0.8  # trace decay, lambda
    epsilon: Probability = 0.1  # probability of a random action, where N0 is 0
    N0: NonNegative = 0.0  # otherwise epsilon = N0 / (N0 + N(s))


class TabularSarsaLambda(TabularAgent):
    """Sarsa(lambda) on any environment with finite observations and actions (Sec. 12.7).

    Attributes
    ----------
    N : ndarray of float64, shape [S, A]
        Visits.
    """

    Config = TabularSarsaLambdaConfig
    tables = ("Q", "N")

    def _build(self) -> None:
        super()._build()
        self.N = np.zeros_like(self.Q)

    def _run(self, trial: Trial) -> None:
        c = self.config
        tabular_sarsa_lambda(trial, self.Q, self.N, c.alpha, c.gamma, c.lam, c.epsilon, c.N0, self.rng)
