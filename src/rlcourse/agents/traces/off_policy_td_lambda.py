"""Off-policy TD(lambda): traces that carry importance sampling ratios (Sec. 12.9).

To learn about pi from what b does, weight each step of the lambda-return with rho = pi(A|S) / b(A|S), and keep the estimate where it is
0, with the control variate of Section 7.4. Backwards that is one factor in the trace, and the TD error stays as it was:

    delta_t = R_t+1 + gamma v(S_t+1, w_t) - v(S_t, w_t)                              (12.23)
    z_t = rho_t (gamma lambda z_t-1 + grad v(S_t, w_t))                              (12.25)
    w_t+1 = w_t + alpha delta_t z_t                                                  (12.7)

b = pi is TD(lambda); lambda = 0 is off-policy semi-gradient TD(0) (11.2). Where pi never goes the trace is cut. The sum of these changes
has the right expectation, but with features that states share the weights may diverge: the deadly triad (Sec. 11.3).
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

__all__ = ["OffPolicyTDLambda", "OffPolicyTDLambdaConfig", "off_policy_td_lambda"]


@box
def off_policy_td_lambda(world, policy, behavior, features, w, alpha, gamma, lam, rng):
    """Off-policy TD(lambda) for estimating v ~ v_pi from b (Sec. 12.9, which has no box)."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize S
        x = features.x(S)
        z = np.zeros(len(w))  # z <- 0
        done = False
        while not done:  # Loop for each step of episode:
            A = sample(pi(behavior, S), rng)  # Choose A ~ b(.|S)
            rho = pi(policy, S)[A] / pi(behavior, S)[A]  # rho <- pi(A|S) / b(A|S)
            S, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            x_ = features.x(S)
            target = R if terminated else R + gamma * v_hat(x_, w)
            delta = target - v_hat(x, w)  # delta <- R + gamma v(S', w) - v(S, w)
            z *= rho * gamma * lam  # z <- rho (gamma lambda z + grad v(S, w))
            add(z, rho, x)
            add(w, alpha * delta, z)  # w <- w + alpha delta z
            x = x_  # S <- S'
            done = terminated or truncated  # until S' is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class OffPolicyTDLambdaConfig(LinearConfig):
    """Settings of `OffPolicyTDLambda`, named as in the book."""

    lam: Probability = 0.8  # lambda, trace decay
    alpha: StepSize = 0.05  # step size
    gamma: Discount = 1.0  # discount rate


class OffPolicyTDLambda(LinearAgent):
    """TD(lambda) for `policy` from the steps of `behavior` (Sec. 12.9); it may diverge where states share features."""

    Config = OffPolicyTDLambdaConfig
    inputs = ("policy", "behavior")
    values_of_states = True

    def _run(self, trial: Trial) -> None:
        c = self.config
        off_policy_td_lambda(trial, self.policy, self.behavior, self.features, self.w, c.alpha, c.gamma, c.lam, self.rng)
