"""TD(lambda): the backward view, credit for the past by a trace of it (Sec. 12.2).

The off-line lambda-return algorithm waits for the end of the episode. TD(lambda) hands each TD error back at once to the states before it,
in proportion to the eligibility trace, a memory of features that fades by gamma lambda in every step:

    z_t = gamma lambda z_t-1 + grad v(S_t, w_t)                          (12.5)
    delta_t = R_t+1 + gamma v(S_t+1, w_t) - v(S_t, w_t)                  (12.6)
    w_t+1 = w_t + alpha delta_t z_t                                      (12.7)

lambda = 0 is TD(0), bit for bit; lambda = 1 is a Monte Carlo method that learns during the episode. With values held fixed until the
episode ends (``online=False``) its changes sum to those of the lambda-returns (Exercise 12.4); on-line it follows them where alpha is
small. Where a time limit ends the episode, the last TD error bootstraps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.core.box import box
from rlcourse.core.config import Discount, Probability, StepSize
from rlcourse.core.linear import add, pi, v_hat
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["TDLambda", "TDLambdaConfig", "td_lambda"]


@box
def td_lambda(world, policy, features, w, online, alpha, gamma, lam, rng):
    """Semi-gradient TD(lambda) for estimating v ~ v_pi, the box of Sec. 12.2."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize S
        x = features.x(S)
        z = np.zeros(len(w))  # z <- 0
        u = w if online else w.copy()  # the weights that value states: w itself, or as it was when the episode began
        done = False
        while not done:  # Loop for each step of episode:
            A = sample(pi(policy, S), rng)  # Choose A ~ pi(.|S)
            S, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            x_ = features.x(S)
            z *= gamma * lam  # z <- gamma lambda z + grad v(S, w)
            add(z, 1.0, x)
            target = R if terminated else R + gamma * v_hat(x_, u)
            delta = target - v_hat(x, u)  # delta <- R + gamma v(S', w) - v(S, w)
            add(w, alpha * delta, z)  # w <- w + alpha delta z
            x = x_  # S <- S'
            done = terminated or truncated  # until S' is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class TDLambdaConfig(LinearConfig):
    """Settings of `TDLambda`, named as in the book."""

    lam: Probability = 0.8  # lambda, trace decay: 0 is TD(0), 1 is Monte Carlo
    alpha: StepSize = 0.05  # step size
    gamma: Discount = 1.0  # discount rate
    online: bool = True  # value states by the weights of each step; else by those at the beginning of the episode


class TDLambda(LinearAgent):
    """TD(lambda) with accumulating traces for a given policy (Sec. 12.2)."""

    Config = TDLambdaConfig
    inputs = ("policy",)
    values_of_states = True

    def _run(self, trial: Trial) -> None:
        c = self.config
        td_lambda(trial, self.policy, self.features, self.w, c.online, c.alpha, c.gamma, c.lam, self.rng)
