"""Epsilon-greedy action values on a bandit: sample averages, constant steps, optimistic beginnings (Sec. 2.4 to 2.6).

The problem is to earn much while finding out which of k actions earns most; there is only one situation, so an observation says
nothing and is ignored. The value of an action is estimated by an average of the rewards that it brought:

    Q(A) <- Q(A) + alpha [R - Q(A)]        (2.3 with alpha = 1/N(A), 2.5 with a constant)

With alpha = 1/N(A) (`alpha=None`) this is the sample average, which settles; a constant step weighs late rewards more and so tracks
values that move. Mostly the best estimate is acted on, and with probability epsilon a random action. Estimates that begin far too
high explore without epsilon: whatever is tried disappoints. An environment with states is treated as if it had one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.bandits.base import BanditAgent
from rlcourse.core.box import box
from rlcourse.core.config import Config, Probability, StepSize
from rlcourse.core.policies import epsilon_greedy
from rlcourse.core.trial import Trial

__all__ = ["EpsilonGreedyBandit", "EpsilonGreedyBanditConfig", "epsilon_greedy_bandit"]


@box
def epsilon_greedy_bandit(world, Q, N, alpha, epsilon, rng):
    """A simple bandit algorithm, the box of Sec. 2.4; alpha = 0 stands for 1/N(A)."""
    while world.more():  # Loop forever:
        S = world.reset(rng)
        done = False
        while not done:
            A = epsilon_greedy(Q, epsilon, rng)  # A <- argmax_a Q(a) with probability 1 - epsilon, or a random action
            S, R, terminated, truncated = world.step(S, A, rng)  # R <- bandit(A)
            N[A] += 1.0  # N(A) <- N(A) + 1
            step = alpha if alpha > 0.0 else 1.0 / N[A]
            Q[A] += step * (R - Q[A])  # Q(A) <- Q(A) + 1/N(A) [R - Q(A)], or with a constant step size (2.5)
            done = terminated or truncated


@dataclass(frozen=True)
class EpsilonGreedyBanditConfig(Config):
    """Settings of `EpsilonGreedyBandit`, named as in the book."""

    alpha: StepSize | None = None  # step size; none: the sample average, 1/N(A)
    epsilon: Probability = 0.1  # probability of a random action
    initial: float = 0.0  # estimate of every action before it is tried; optimistic where it is above all rewards


class EpsilonGreedyBandit(BanditAgent):
    """Epsilon-greedy action values without states (Sec. 2.4).

    Attributes
    ----------
    Q : ndarray of float64, shape [A]
        Estimated values.
    N : ndarray of float64, shape [A]
        How often each action was taken.
    """

    Config = EpsilonGreedyBanditConfig
    tables = ("Q", "N")

    def _build(self) -> None:
        super()._build()
        self.Q, self.N = np.full(self.actions, float(self.config.initial)), np.zeros(self.actions)

    def _run(self, trial: Trial) -> None:
        epsilon_greedy_bandit(trial, self.Q, self.N, self.config.alpha or 0.0, self.config.epsilon, self.rng)
