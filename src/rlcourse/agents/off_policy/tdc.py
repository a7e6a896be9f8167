"""TDC, TD(0) with gradient correction, also called GTD(0): what to use where semi-gradient TD may diverge (Sec. 11.7).

Like GTD2 it descends the projected Bellman error with a second vector of weights v, which predicts the TD error. A few steps of algebra
more before sampling leave the plain semi-gradient TD update and a correction, which vanishes with v:

    w <- w + alpha rho_t (delta_t x_t - gamma x_t+1 v^T x_t),        v <- v + beta rho_t (delta_t - v^T x_t) x_t

It is stable where GTD2 is and usually faster. On Baird's counterexample it takes the PBE to zero and the value error with it, if at
last so slowly that the weights seem to stop elsewhere (Figure 11.5). w moves by the v of the step before; with v = 0 and beta = 0 it
would be semi-gradient off-policy TD(0).
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

__all__ = ["TDC", "TDCConfig", "tdc"]


@box
def tdc(world, policy, behavior, features, w, v, alpha, beta, gamma, rng):
    """TDC for estimating v_pi from b; w are the weights of values, v those of the TD error (Sec. 11.7)."""
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
            add(w, alpha * rho * delta, x)  # w <- w + alpha rho (delta x - gamma x' v^T x)
            if not terminated:
                add(w, -alpha * rho * predicted * gamma, x_)
            add(v, beta * rho * (delta - predicted), x)  # v <- v + beta rho (delta - v^T x) x
            S = S_  # S <- S'
            done = terminated or truncated


@dataclass(frozen=True)
class TDCConfig(LinearConfig):
    """Settings of `TDC`, named as in the book."""

    alpha: StepSize = 0.005  # step size of w
    beta: StepSize = 0.05  # step size of v; larger, so that v keeps up with w
    gamma: Discount = 1.0  # discount rate


class TDC(LinearAgent):
    """TDC prediction of `policy` from the steps of `behavior` (Sec. 11.7).

    Attributes
    ----------
    v : ndarray of float64, shape [d]
        Weights of the predicted TD error.
    """

    Config = TDCConfig
    inputs = ("policy", "behavior")
    tables = ("w", "v")
    values_of_states = True
    v: np.ndarray

    def _make_tables(self) -> None:
        self.w, self.v = self._weights(), self._weights()

    def _run(self, trial: Trial) -> None:
        c = self.config
        tdc(trial, self.policy, self.behavior, self.features, self.w, self.v, c.alpha, c.beta, c.gamma, self.rng)
