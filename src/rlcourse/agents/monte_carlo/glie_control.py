"""GLIE Monte Carlo control: exploration and step sizes by visit counts (Sec. 5.4; Silver's course, lecture 5).

On-policy control converges to q* where the policy is greedy in the limit with infinite exploration (GLIE): every pair is visited for ever,
and epsilon goes to zero. Counting visits gives both schedules: epsilon = N0 / (N0 + N(s)), and after each episode, for each visit,

    N(S, A) <- N(S, A) + 1;    Q(S, A) <- Q(S, A) + 1/N(S, A) [G - Q(S, A)]

so that Q(s, a) is the mean of all returns that followed (s, a), early ones of a poorer policy included. A truncated episode's
return begins with the value of the state where it was cut: the expectation of Q under the current policy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box, kernel
from rlcourse.core.config import Config, Discount, Positive
from rlcourse.core.policies import epsilon_greedy, expected_value
from rlcourse.core.trial import Trial

__all__ = ["GLIEControl", "GLIEControlConfig", "glie_control"]


@kernel
def glie(N0, N):
    """Return epsilon = N0 / (N0 + N(s)); N [A] are the visits of the state's pairs."""
    visits = 0.0
    for a in range(len(N)):
        visits += N[a]
    return N0 / (N0 + visits)


@box
def glie_control(world, Q, N, gamma, N0, rng):
    """Every-visit Monte Carlo control with counts N [S, A], for estimating Q ~ q*."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)
        episode = [(S, 0, 0.0) for _ in range(0)]  # S0, A0, R1, S1, A1, R2, ..., as triples
        G = 0.0
        done = False
        while not done:  # Generate an episode following the epsilon-greedy policy, epsilon = N0 / (N0 + N(s))
            A = epsilon_greedy(Q[S], glie(N0, N[S]), rng)
            S_, R, terminated, truncated = world.step(S, A, rng)
            episode.append((S, A, R))
            S = S_
            done = terminated or truncated
            if truncated and not terminated:  # cut short: the rest of the return is what Q expects
                G = expected_value(Q[S], glie(N0, N[S]))
        for t in range(len(episode) - 1, -1, -1):  # Loop for each step of episode, t = T-1, T-2, ..., 0:
            S, A, R = episode[t]
            G = gamma * G + R  # G <- gamma G + R_{t+1}
            N[S, A] += 1.0  # N(S_t, A_t) <- N(S_t, A_t) + 1
            Q[S, A] += (G - Q[S, A]) / N[S, A]  # Q(S_t, A_t) <- Q(S_t, A_t) + 1/N(S_t, A_t) [G - Q(S_t, A_t)]


@dataclass(frozen=True)
class GLIEControlConfig(Config):
    """Settings of `GLIEControl`."""

    gamma: Discount = 1.0  # discount rate
    N0: Positive = 100.0  # epsilon = N0 / (N0 + N(s)): the larger, the longer it explores


class GLIEControl(TabularAgent):
    """Monte Carlo control with counted step sizes and exploration on any finite environment (Sec. 5.4).

    Attributes
    ----------
    N : ndarray of float64, shape [S, A]
        Visits.
    """

    Config = GLIEControlConfig
    tables = ("Q", "N")

    def _build(self) -> None:
        super()._build()
        self.N = np.zeros_like(self.Q)

    def _run(self, trial: Trial) -> None:
        glie_control(trial, self.Q, self.N, self.config.gamma, self.config.N0, self.rng)
