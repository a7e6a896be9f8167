"""UCB: explore by the upper end of what an action may be worth (Sec. 2.7).

Exploring at random wastes trials on actions that are surely bad. Upper confidence bounds spend them where there is doubt: each action
is judged by its estimate plus a measure of its uncertainty, which shrinks as it is tried and slowly grows while it is not:

    A_t = argmax_a [ Q_t(a) + c sqrt(ln t / N_t(a)) ]        (2.10)

An action never tried is maximising, so the first k steps try each one once. The number c > 0 sets how many standard deviations of
doubt count. Values are sample averages, as in the simple bandit algorithm, or follow a constant step size. An environment with
states is treated as if it had one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rlcourse.agents.bandits.base import BanditAgent
from rlcourse.core.box import box, kernel
from rlcourse.core.config import Config, NonNegative, StepSize
from rlcourse.core.trial import Trial

__all__ = ["UCBBandit", "UCBBanditConfig", "ucb_bandit", "upper_confidence"]


@kernel
def upper_confidence(Q, N, t, c, rng):
    """Return argmax_a Q(a) + c sqrt(ln t / N(a)), ties at random (Eq. 2.10); an untried action is maximising."""
    doubt = math.log(t)
    best = -math.inf
    action = 0
    ties = 0
    for a in range(len(Q)):
        bound = Q[a] + c * math.sqrt(doubt / N[a]) if N[a] > 0.0 else math.inf
        if bound > best:
            best = bound
            action = a
            ties = 1
        elif bound == best:
            ties += 1
            if rng.random() * ties < 1.0:
                action = a
    return action


@box
def ucb_bandit(world, Q, N, alpha, c, rng):
    """Upper-confidence-bound action selection, Eq. 2.10; alpha = 0 stands for 1/N(A)."""
    while world.more():  # Loop forever:
        S = world.reset(rng)
        t = 1.0  # the number of this step
        for a in range(len(N)):
            t += N[a]
        done = False
        while not done:
            A = upper_confidence(Q, N, t, c, rng)  # A <- argmax_a [Q(a) + c sqrt(ln t / N(a))]
            S, R, terminated, truncated = world.step(S, A, rng)  # R <- bandit(A)
            N[A] += 1.0  # N(A) <- N(A) + 1
            step = alpha if alpha > 0.0 else 1.0 / N[A]
            Q[A] += step * (R - Q[A])  # Q(A) <- Q(A) + 1/N(A) [R - Q(A)]
            t += 1.0
            done = terminated or truncated


@dataclass(frozen=True)
class UCBBanditConfig(Config):
    """Settings of `UCBBandit`, named as in the book."""

    c: NonNegative = 2.0  # degree of exploration
    alpha: StepSize | None = None  # step size; none: the sample average, 1/N(A)


class UCBBandit(BanditAgent):
    """Action values with upper confidence bounds, without states (Sec. 2.7).

    Attributes
    ----------
    Q : ndarray of float64, shape [A]
        Estimated values.
    N : ndarray of float64, shape [A]
        How often each action was taken.
    """

    Config = UCBBanditConfig
    tables = ("Q", "N")

    def _build(self) -> None:
        super()._build()
        self.Q, self.N = np.zeros(self.actions), np.zeros(self.actions)

    def _run(self, trial: Trial) -> None:
        ucb_bandit(trial, self.Q, self.N, self.config.alpha or 0.0, self.config.c, self.rng)

    def explore(self) -> int:
        """Return the action that it would try next."""
        return int(upper_confidence(self.Q, self.N, 1.0 + self.N.sum(), self.config.c, self.rng))
