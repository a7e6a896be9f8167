"""The gradient bandit: learn preferences instead of values (Sec. 2.8).

Actions are drawn from a soft-max distribution pi over preferences H, and the preferences climb the gradient of the expected reward,
sampled with each reward:

    H(a) <- H(a) + alpha (R - mean R) (1{a = A} - pi(a))   for all a        (2.12)

Only differences of preferences matter. The baseline, the average of all rewards up to and with this one, leaves the direction of the
step unbiased and cuts its variance: without it, a testbed whose rewards lie around 4 makes every action that is taken look good. An
environment with states is treated as if it had one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rlcourse.agents.bandits.base import BanditAgent
from rlcourse.core.box import box, kernel
from rlcourse.core.config import Config, Positive
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["GradientBandit", "GradientBanditConfig", "gradient_bandit", "soft_max"]


@kernel
def soft_max(H, pi):
    """Write pi(a) = exp(H(a)) / sum_b exp(H(b)) into `pi` (Eq. 2.11): a new array in every step would cost a third of the time."""
    largest = H[0]
    for a in range(1, len(H)):
        largest = max(largest, H[a])
    total = 0.0
    for a in range(len(H)):
        pi[a] = math.exp(H[a] - largest)
        total += pi[a]
    for a in range(len(H)):
        pi[a] /= total


@box
def gradient_bandit(world, H, pi, mean, alpha, baseline, rng):
    """A gradient bandit algorithm, Eq. 2.12; `mean` holds the average reward and the number of rewards in it."""
    while world.more():  # Loop forever:
        S = world.reset(rng)
        done = False
        while not done:
            soft_max(H, pi)  # pi(a) <- exp(H(a)) / sum_b exp(H(b)) (2.11)
            A = sample(pi, rng)  # A ~ pi
            S, R, terminated, truncated = world.step(S, A, rng)  # R <- bandit(A)
            mean[1] += 1.0
            mean[0] += (R - mean[0]) / mean[1]  # the average of all rewards, R included
            better = R - mean[0] if baseline else R
            for a in range(len(H)):
                chosen = 1.0 if a == A else 0.0
                H[a] += alpha * better * (chosen - pi[a])  # H(a) <- H(a) + alpha (R - mean R) (1{a = A} - pi(a))
            done = terminated or truncated


@dataclass(frozen=True)
class GradientBanditConfig(Config):
    """Settings of `GradientBandit`, named as in the book."""

    alpha: Positive = 0.1  # step size
    baseline: bool = True  # whether the average reward is subtracted


class GradientBandit(BanditAgent):
    """Preferences that follow the gradient of the expected reward, without states (Sec. 2.8).

    Attributes
    ----------
    H : ndarray of float64, shape [A]
        Preferences.
    pi : ndarray of float64, shape [A]
        The policy that drew the last action.
    mean : ndarray of float64, shape [2]
        Average reward, and the number of rewards in it.
    """

    Config = GradientBanditConfig
    tables = ("H", "pi", "mean")

    def _build(self) -> None:
        super()._build()
        self.H, self.pi, self.mean = np.zeros(self.actions), np.zeros(self.actions), np.zeros(2)
        self.Q = self.H  # what `predict` is greedy in

    def _run(self, trial: Trial) -> None:
        gradient_bandit(trial, self.H, self.pi, self.mean, self.config.alpha, self.config.baseline, self.rng)

    def explore(self) -> int:
        """Return an action drawn from the policy."""
        pi = np.empty(self.actions)
        soft_max(self.H, pi)
        return int(sample(pi, self.rng))
