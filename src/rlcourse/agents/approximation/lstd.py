"""Least-squares TD: the TD fixed point of all data so far, without a step size (Sec. 9.8).

Semi-gradient TD creeps towards the weights with A w = b (9.12). LSTD estimates A and b from the same steps and solves:

    A = sum over t of x_t (x_t - gamma x_t+1)^T + epsilon I,    b = sum over t of R_t+1 x_t,    w = A^-1 b        (9.20, 9.21)

Each step adds a matrix of rank one, so that the inverse is kept up to date by the Sherman-Morrison formula (9.22) in O(d^2) operations,
where TD needs O(d). It is the most data-efficient linear TD: what batch TD(0) would converge to on the same episodes. It has no step
size, but an epsilon that makes A invertible at first, and it never forgets, which is bad where what is to be learned changes. A truncated
step bootstraps from its last state.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.core.box import box
from rlcourse.core.config import Discount, Positive
from rlcourse.core.linear import add, pi, v_hat
from rlcourse.core.memory import require_memory
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["LSTD", "LSTDConfig", "lstd"]


@box
def lstd(world, policy, features, A_inv, b, w, gamma, rng):
    """LSTD for estimating v ~ v_pi (O(d^2) version), the box of Sec. 9.8; A_inv begins as I / epsilon, b as 0."""
    d = len(b)
    v, Ax = np.zeros(d), np.zeros(d)
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize S; x <- x(S)
        x = features.x(S)
        done = False
        while not done:  # Loop for each step of episode:
            A = sample(pi(policy, S), rng)  # Choose and take action A ~ pi(.|S), observe R, S'; x' <- x(S')
            S, R, terminated, truncated = world.step(S, A, rng)
            x_ = features.x(S)
            for i in range(d):
                following = 0.0 if terminated else gamma * v_hat(x_, A_inv[:, i])
                v[i] = v_hat(x, A_inv[:, i]) - following  # v <- A_inv^T (x - gamma x')
                Ax[i] = v_hat(x, A_inv[i])
            share = 1.0 / (1.0 + v_hat(x, v))
            add(b, R, x)  # b <- b + R x
            for i in range(d):
                add(A_inv[i], -Ax[i] * share, v)  # A_inv <- A_inv - (A_inv x) v^T / (1 + v^T x)
                w[i] = v_hat(b, A_inv[i])  # w <- A_inv b
            x = x_  # S <- S'; x <- x'
            done = terminated or truncated  # until S' is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class LSTDConfig(LinearConfig):
    """Settings of `LSTD`, named as in the book."""

    epsilon: Positive = 0.01  # the inverse of A begins as I / epsilon
    gamma: Discount = 1.0  # discount rate


class LSTD(LinearAgent):
    """Least-squares TD prediction of a given policy (Sec. 9.8).

    Attributes
    ----------
    A_inv : ndarray of float64, shape [d, d]
        Inverse of the estimate of A, times the number of steps.
    b : ndarray of float64, shape [d]
        Estimate of b, times the number of steps.
    """

    Config = LSTDConfig
    inputs = ("policy",)
    tables = ("w", "A_inv", "b")
    values_of_states = True

    def _make_tables(self) -> None:
        super()._make_tables()
        require_memory("the matrix of LSTD", 8 * len(self.w) * len(self.w), "features")
        self.A_inv, self.b = np.eye(len(self.w)) / self.config.epsilon, np.zeros(len(self.w))

    def _run(self, trial: Trial) -> None:
        lstd(trial, self.policy, self.features, self.A_inv, self.b, self.w, self.config.gamma, self.rng)
