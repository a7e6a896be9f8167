"""True online TD(lambda): the on-line lambda-return algorithm in constant time per step (Sec. 12.5).

Where values are linear, all that the on-line lambda-return algorithm does again and again folds into two corrections of TD(lambda), with
one more product per step: the trace is a dutch one, and the change of v(S_t) since it was last valued is taken into account:

    z_t = gamma lambda z_t-1 + (1 - alpha gamma lambda z_t-1^T x_t) x_t                                      (12.11)
    w_t+1 = w_t + alpha delta_t z_t + alpha (w_t^T x_t - w_t-1^T x_t) (z_t - x_t)

with delta_t as in TD(lambda) (12.6). The weights are those of the on-line lambda-return algorithm at every step, for every alpha, gamma,
lambda and every linear v: an identity, not a limit. lambda = 0 is TD(0). Where a time limit ends the episode, the last step bootstraps.
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

__all__ = ["TrueOnlineTDLambda", "TrueOnlineTDLambdaConfig", "true_online_td_lambda"]


@box
def true_online_td_lambda(world, policy, features, w, alpha, gamma, lam, rng):
    """True online TD(lambda) for estimating w^T x ~ v_pi, the box of Sec. 12.5."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize state and obtain initial feature vector x
        x = features.x(S)
        z = np.zeros(len(w))  # z <- 0
        V_old = 0.0  # V_old <- 0
        done = False
        while not done:  # Loop for each step of episode:
            A = sample(pi(policy, S), rng)  # Choose A ~ pi
            S, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, x'
            x_ = features.x(S)
            V = v_hat(x, w)  # V <- w^T x
            V_ = 0.0 if terminated else v_hat(x_, w)  # V' <- w^T x', 0 at a terminal state
            delta = R + gamma * V_ - V  # delta <- R + gamma V' - V
            dutch = 1.0 - alpha * gamma * lam * v_hat(x, z)  # z <- gamma lambda z + (1 - alpha gamma lambda z^T x) x
            z *= gamma * lam
            add(z, dutch, x)
            add(w, alpha * (delta + V - V_old), z)  # w <- w + alpha (delta + V - V_old) z - alpha (V - V_old) x
            add(w, -alpha * (V - V_old), x)
            V_old, x = V_, x_  # V_old <- V'; x <- x'
            done = terminated or truncated  # until S' is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class TrueOnlineTDLambdaConfig(LinearConfig):
    """Settings of `TrueOnlineTDLambda`, named as in the book."""

    lam: Probability = 0.8  # lambda, trace decay: 0 is TD(0), 1 is Monte Carlo at the episode's end
    alpha: StepSize = 0.05  # step size
    gamma: Discount = 1.0  # discount rate


class TrueOnlineTDLambda(LinearAgent):
    """True online TD(lambda) for a given policy (Sec. 12.5)."""

    Config = TrueOnlineTDLambdaConfig
    inputs = ("policy",)
    values_of_states = True

    def _run(self, trial: Trial) -> None:
        c = self.config
        true_online_td_lambda(trial, self.policy, self.features, self.w, c.alpha, c.gamma, c.lam, self.rng)
