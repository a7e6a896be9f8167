"""Semi-gradient off-policy TD(0): the simplest one, and not a safe one (Sec. 11.1).

The tabular off-policy methods carry over by writing weights for tables. With the one-step ratio rho_t = pi(A_t|S_t) / b(A_t|S_t)

    w <- w + alpha rho_t delta_t grad v(S_t, w),    delta_t = R_t+1 + gamma v(S_t+1, w) - v(S_t, w)        (11.2)

the ratio corrects what follows the action. It does not correct how often the states themselves are updated, which stays as under b; then
bootstrapping from values that generalise may diverge, on Baird's counterexample for any step size (Figure 11.2). Where it does
converge, it is to the TD fixed point under the distribution of b. With b = pi it is semi-gradient TD(0). A truncated step bootstraps.
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

__all__ = ["SemiGradientOffPolicyTD0", "SemiGradientOffPolicyTD0Config", "semi_gradient_off_policy_td0"]


@box
def semi_gradient_off_policy_td0(world, policy, behavior, features, w, alpha, gamma, rng):
    """Semi-gradient off-policy TD(0) for estimating v ~ v_pi from b (Sec. 11.1)."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize S
        done = False
        while not done:  # Loop for each step of episode:
            A = sample(pi(behavior, S), rng)  # Choose A ~ b(.|S)
            S_, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            rho = pi(policy, S)[A] / pi(behavior, S)[A]  # rho <- pi(A|S) / b(A|S)
            x = features.x(S)
            target = R if terminated else R + gamma * v_hat(features.x(S_), w)
            delta = target - v_hat(x, w)  # delta <- R + gamma v(S', w) - v(S, w)
            add(w, alpha * rho * delta, x)  # w <- w + alpha rho delta grad v(S, w)
            S = S_  # S <- S'
            done = terminated or truncated


@dataclass(frozen=True)
class SemiGradientOffPolicyTD0Config(LinearConfig):
    """Settings of `SemiGradientOffPolicyTD0`, named as in the book."""

    alpha: StepSize = 0.01  # step size
    gamma: Discount = 1.0  # discount rate


class SemiGradientOffPolicyTD0(LinearAgent):
    """Semi-gradient off-policy TD(0) of `policy` from the steps of `behavior` (Sec. 11.1).

    Weights begin at zero; ``agent.w[:] = ...`` before `learn` has them begin elsewhere.
    """

    Config = SemiGradientOffPolicyTD0Config
    inputs = ("policy", "behavior")
    values_of_states = True
    policy: np.ndarray
    behavior: np.ndarray

    def _run(self, trial: Trial) -> None:
        c = self.config
        semi_gradient_off_policy_td0(trial, self.policy, self.behavior, self.features, self.w, c.alpha, c.gamma, self.rng)
