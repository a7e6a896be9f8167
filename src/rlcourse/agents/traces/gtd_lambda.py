"""GTD(lambda): a gradient-TD method with traces, stable off-policy (Sec. 12.11).

TD(lambda) may diverge on the data of another policy. GTD(lambda) descends the projected Bellman error instead, as TDC of Section 11.7
does for one step, with a second vector v that learns the expected TD error as a linear function of the features:

    w_t+1 = w_t + alpha delta_t z_t - alpha gamma (1 - lambda) (z_t^T v_t) x_t+1
    v_t+1 = v_t + beta delta_t z_t - beta (v_t^T x_t) x_t

with delta_t and z_t as in off-policy TD(lambda) (12.23, 12.25), v_0 = 0 and beta larger than alpha as a rule. At lambda = 0 and on-policy
it is TDC; off-policy the last term has no ratio here, and the same expectation. v outlives episodes. A terminal state has no
features; where a time limit ends the episode, its last state does count.
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

__all__ = ["GTDLambda", "GTDLambdaConfig", "gtd_lambda"]


@box
def gtd_lambda(world, policy, behavior, features, w, v, alpha, beta, gamma, lam, rng):
    """GTD(lambda) for estimating w^T x ~ v_pi from b (Sec. 12.11, which has no box)."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)
        x = features.x(S)
        z = np.zeros(len(w))  # z <- 0
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
            add(w, alpha * delta, z)  # w <- w + alpha delta z - alpha gamma (1 - lambda) (z^T v) x'
            if not terminated:
                add(w, -alpha * gamma * (1.0 - lam) * v_hat(z, v), x_)
            expected = v_hat(x, v)
            add(v, beta * delta, z)  # v <- v + beta delta z - beta (v^T x) x
            add(v, -beta * expected, x)
            x = x_  # x <- x'
            done = terminated or truncated  # until S' is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class GTDLambdaConfig(LinearConfig):
    """Settings of `GTDLambda`, named as in the book."""

    lam: Probability = 0.8  # lambda, trace decay
    alpha: StepSize = 0.01  # step size of w
    beta: StepSize = 0.05  # step size of v
    gamma: Discount = 1.0  # discount rate


class GTDLambda(LinearAgent):
    """GTD(lambda) for `policy` from the steps of `behavior` (Sec. 12.11).

    Attributes
    ----------
    v : ndarray of float64, shape [d]
        The second weights: an estimate of the expected TD error, linear in the features.
    """

    Config = GTDLambdaConfig
    inputs = ("policy", "behavior")
    values_of_states = True
    tables: ClassVar[tuple[str, ...]] = ("w", "v")

    def _make_tables(self) -> None:
        self.w, self.v = self._weights(), self._weights()

    def _run(self, trial: Trial) -> None:
        c = self.config
        gtd_lambda(trial, self.policy, self.behavior, self.features, self.w, self.v, c.alpha, c.beta, c.gamma, c.lam, self.rng)
