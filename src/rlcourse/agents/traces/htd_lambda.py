"""HTD(lambda): a hybrid that is TD(lambda) where the data are on-policy, and a gradient-TD method elsewhere (Sec. 12.11).

Gradient-TD methods pay for their safety even where TD(lambda) would have been safe. HTD(lambda) keeps a second trace, that of the behaviour
policy, and corrects only by what the two traces differ in:

    w_t+1 = w_t + alpha delta_t z_t + alpha ((z_t - z^b_t)^T v_t) (x_t - gamma x_t+1)
    v_t+1 = v_t + beta delta_t z_t - beta (z^b_t^T v_t) (x_t - gamma x_t+1)
    z_t = rho_t (gamma lambda z_t-1 + x_t)            z^b_t = gamma lambda z^b_t-1 + x_t

b = pi makes z = z^b and w that of TD(lambda), bit for bit, whatever v is. v begins at 0 and outlives episodes. A terminal state has
no features; where a time limit ends the episode, its last state does count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.core.box import box
from rlcourse.core.config import Discount, Probability, StepSize
from rlcourse.core.linear import add, pi, v_hat
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["HTDLambda", "HTDLambdaConfig", "htd_lambda"]


@box
def htd_lambda(world, policy, behavior, features, w, v, alpha, beta, gamma, lam, rng):
    """HTD(lambda) for estimating w^T x ~ v_pi from b (Sec. 12.11, which has no box)."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)
        x = features.x(S)
        z, z_b = np.zeros(len(w)), np.zeros(len(w))  # z, z^b <- 0
        done = False
        while not done:  # Loop for each step of episode:
            A = sample(pi(behavior, S), rng)  # Choose A ~ b(.|S)
            rho = pi(policy, S)[A] / pi(behavior, S)[A]  # rho <- pi(A|S) / b(A|S)
            S, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, x'
            x_ = features.x(S)
            target = R if terminated else R + gamma * v_hat(x_, w)
            delta = target - v_hat(x, w)  # delta <- R + gamma w^T x' - w^T x
            z *= rho * gamma * lam  # z <- rho (gamma lambda z + x)
            add(z, rho, x)
            z_b *= gamma * lam  # z^b <- gamma lambda z^b + x
            add(z_b, 1.0, x)
            difference, expected = v_hat(z - z_b, v), v_hat(z_b, v)
            add(w, alpha * delta, z)  # w <- w + alpha delta z + alpha ((z - z^b)^T v) (x - gamma x')
            add(w, alpha * difference, x)
            add(v, beta * delta, z)  # v <- v + beta delta z - beta (z^b^T v) (x - gamma x')
            add(v, -beta * expected, x)
            if not terminated:
                add(w, -alpha * difference * gamma, x_)
                add(v, beta * expected * gamma, x_)
            x = x_  # x <- x'
            done = terminated or truncated  # until S' is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class HTDLambdaConfig(LinearConfig):
    """Settings of `HTDLambda`, named as in the book."""

    lam: Probability = 0.8  # lambda, trace decay
    alpha: StepSize = 0.01  # step size of w
    beta: StepSize = 0.05  # step size of v
    gamma: Discount = 1.0  # discount rate


class HTDLambda(LinearAgent):
    """HTD(lambda) for `policy` from the steps of `behavior` (Sec. 12.11).

    Attributes
    ----------
    v : ndarray of float64, shape [d]
        The second weights.
    """

    Config = HTDLambdaConfig
    inputs = ("policy", "behavior")
    values_of_states = True
    tables: ClassVar[tuple[str, ...]] = ("w", "v")

    def _make_tables(self) -> None:
        self.w, self.v = self._weights(), self._weights()

    def _run(self, trial: Trial) -> None:
        c = self.config
        htd_lambda(trial, self.policy, self.behavior, self.features, self.w, self.v, c.alpha, c.beta, c.gamma, c.lam, self.rng)
