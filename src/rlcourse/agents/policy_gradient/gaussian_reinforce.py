"""REINFORCE with a Gaussian policy: actions that are numbers (Sec. 13.7).

Of infinitely many actions none can have a value of its own. A policy can still be learned: it is a normal density whose mean and deviation
depend on the state, each by its own part of theta, and its score tells how to change them (Exercise 13.4):

    grad ln pi by theta_mu = (A - mu) / sigma^2 x(S);    grad ln pi by theta_sigma = ((A - mu)^2 / sigma^2 - 1) x(S)

The mean moves towards actions that did well; the deviation grows when actions from far away did well, and shrinks when near ones did: it
explores as long as that pays. The step is REINFORCE's, theta <- theta + alpha gamma^t G_t grad ln pi. Of an episode that is cut off
the return up to the cut is taken for the whole. Actions outside the bounds are clipped on their way into the environment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.linear import LinearConfig
from rlcourse.agents.policy_gradient.base import GaussianAgent
from rlcourse.core.actors import add_deviation_score, add_mean_score, clipped, gaussian_deviation, gaussian_mean, gaussian_sample
from rlcourse.core.box import box
from rlcourse.core.config import Discount, StepSize
from rlcourse.core.episodes import returns_of
from rlcourse.core.trial import Trial

__all__ = ["GaussianREINFORCE", "GaussianREINFORCEConfig", "gaussian_reinforce"]


@box
def gaussian_reinforce(world, features, theta_mu, theta_sigma, low, high, alpha, gamma, rng):
    """REINFORCE with a Gaussian policy, the box of Sec. 13.3 with the densities of Sec. 13.7."""
    while world.more():  # Loop forever (for each episode):
        S = world.reset(rng)
        episode = [(S, np.zeros(0), 0.0) for _ in range(0)]  # S0, A0, R1, S1, A1, R2, ..., as triples
        done = False
        while not done:  # Generate an episode following pi(.|., theta)
            x = features.x(S)
            A = gaussian_sample(gaussian_mean(x, theta_mu), gaussian_deviation(x, theta_sigma), rng)
            S_, R, terminated, truncated = world.step(S, clipped(A, low, high), rng)
            episode.append((S, A, R))
            S = S_
            done = terminated or truncated
        G = returns_of(episode, gamma, 0.0)
        discount = 1.0  # gamma^t
        for t in range(len(episode)):  # Loop for each step of the episode t = 0, 1, ..., T-1:
            S, A, R = episode[t]
            x = features.x(S)
            mu, sigma = gaussian_mean(x, theta_mu), gaussian_deviation(x, theta_sigma)
            step = alpha * discount * G[t]  # theta <- theta + alpha gamma^t G grad ln pi(A_t|S_t, theta)
            add_mean_score(theta_mu, step, x, A, mu, sigma)
            add_deviation_score(theta_sigma, step, x, A, mu, sigma)
            discount *= gamma


@dataclass(frozen=True)
class GaussianREINFORCEConfig(LinearConfig):
    """Settings of `GaussianREINFORCE`, named as in the book."""

    alpha: StepSize = 0.0001  # step size
    gamma: Discount = 1.0  # discount rate


class GaussianREINFORCE(GaussianAgent):
    """REINFORCE with a Gaussian policy, on any environment whose actions are numbers (Sec. 13.7)."""

    Config = GaussianREINFORCEConfig
    tables = ("theta_mu", "theta_sigma")

    def _run(self, trial: Trial) -> None:
        c, arrays = self.config, (self.theta_mu, self.theta_sigma)
        gaussian_reinforce(trial, self.features, *arrays, self.low, self.high, c.alpha, c.gamma, self.rng)
