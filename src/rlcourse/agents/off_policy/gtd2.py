"""GTD2: gradient descent in the projected Bellman error, from samples, off-policy (Sec. 11.7).

The projected Bellman error PBE is zero at the TD fixed point, where semi-gradient TD would like to go. Its gradient is a product of three
expectations, two of which depend on the same next feature vector; so the last two are estimated together, by a second vector of weights v,
learned by the LMS rule, that predicts the TD error from the features: v ~ E[x x^T]^-1 E[rho delta x] (11.28). With x_t = x(S_t)

    v <- v + beta rho_t (delta_t - v^T x_t) x_t,        w <- w + alpha rho_t (x_t - gamma x_t+1) v^T x_t

Both cost O(d) per step, and both converge with suitable step sizes, v the faster one. Where w has reached the fixed point, the expected TD
error given the features is zero, and so is v. w moves by the v of the step before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.core.box import box
from rlcourse.core.config import Discount, StepSize
from rlcourse.core.linear import add, pi, v_hat
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["GTD2", "GTD2Config", "gtd2"]


@box
def gtd2(world, policy, behavior, features, w, v, alpha, beta, gamma, rng):
    """GTD2 for estimating v_pi from b; w are the weights of values, v those of the TD error (Sec. 11.7)."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize S
        done = False
        while not done:  # Loop for each step of episode:
            A = sample(pi(behavior, S), rng)  # Choose A ~ b(.|S)
            S_, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            rho = pi(policy, S)[A] / pi(behavior, S)[A]  # rho <- pi(A|S) / b(A|S)
            x, x_ = features.x(S), features.x(S_)
            target = R if terminated else R + gamma * v_hat(x_, w)
            delta = target - v_hat(x, w)  # delta <- R + gamma v(S', w) - v(S, w)
            predicted = v_hat(x, v)  # v^T x
            add(w, alpha * rho * predicted, x)  # w <- w + alpha rho (x - gamma x') v^T x
            if not terminated:
                add(w, -alpha * rho * predicted * gamma, x_)
            add(v, beta * rho * (delta - predicted), x)  # v <- v + beta rho (delta - v^T x) x
            S = S_  # S <- S'
            done = terminated or truncated


@dataclass(frozen=True)
class GTD2Config(LinearConfig):
    """Settings of `GTD2`, named as in the book."""

    alpha: StepSize = 0.005  # step size of w
    beta: StepSize = 0.05  # step size of v; larger, so that v keeps up with w
    gamma: Discount = 1.0  # discount rate


class GTD2(LinearAgent):
    """GTD2 prediction of `policy` from the steps of `behavior` (Sec. 11.7).

    Attributes
    ----------
    v : ndarray of float64, shape [d]
        Weights of the predicted TD error.
    """

    Config = GTD2Config
    inputs = ("policy", "behavior")
    tables = ("w", "v")
    values_of_states = True
    v: np.ndarray

    def _make_tables(self) -> None:
        self.w, self.v = self._weights(), self._weights()

    def _run(self, trial: Trial) -> None:
        c = self.config
        gtd2(trial, self.policy, self.behavior, self.features, self.w, self.v, c.alpha, c.beta, c.gamma, self.rng)
