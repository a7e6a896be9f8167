"""Semi-gradient off-policy Expected Sarsa: action values of a policy from another one's steps, without ratios (Sec. 11.1).

For action values the sampled action is the one that is updated, and what follows can be an expectation under pi, so that no ratio is
needed:

    w <- w + alpha delta_t grad q(S_t, A_t, w),    delta_t = R_t+1 + gamma sum_a pi(a|S_t+1) q(S_t+1, a, w) - q(S_t, A_t, w)        (11.5)

In a table there was no doubt about it. With approximation there is: pairs are updated as often as b takes them, and one may want to weigh
them differently. It bootstraps from values that generalise, off-policy: it may diverge. A truncated step bootstraps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.core import exact
from rlcourse.core.box import box
from rlcourse.core.config import Discount, StepSize
from rlcourse.core.linear import add_action, pi, q_hat, q_hat_of
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["OffPolicyExpectedSarsa", "OffPolicyExpectedSarsaConfig", "off_policy_expected_sarsa"]


@box
def off_policy_expected_sarsa(world, policy, behavior, features, w, alpha, gamma, rng):
    """Semi-gradient off-policy Expected Sarsa for estimating q ~ q_pi from b (Sec. 11.1)."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize S
        done = False
        while not done:  # Loop for each step of episode:
            A = sample(pi(behavior, S), rng)  # Choose A ~ b(.|S)
            S_, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            x = features.x(S)
            target = R
            if not terminated:
                q, chances = q_hat(features.x(S_), w), pi(policy, S_)
                for a in range(len(q)):
                    target += gamma * chances[a] * q[a]
            delta = target - q_hat_of(x, w, A)  # delta <- R + gamma sum_a pi(a|S') q(S', a, w) - q(S, A, w)
            add_action(w, alpha * delta, x, A)  # w <- w + alpha delta grad q(S, A, w)
            S = S_  # S <- S'
            done = terminated or truncated


@dataclass(frozen=True)
class OffPolicyExpectedSarsaConfig(LinearConfig):
    """Settings of `OffPolicyExpectedSarsa`, named as in the book."""

    alpha: StepSize = 0.01  # step size
    gamma: Discount = 1.0  # discount rate


class OffPolicyExpectedSarsa(LinearAgent):
    """Semi-gradient off-policy Expected Sarsa: action values of `policy` from the steps of `behavior` (Sec. 11.1)."""

    Config = OffPolicyExpectedSarsaConfig
    inputs = ("policy", "behavior")

    def _run(self, trial: Trial) -> None:
        c = self.config
        off_policy_expected_sarsa(trial, self.policy, self.behavior, self.features, self.w, c.alpha, c.gamma, self.rng)

    def exact_values(self) -> np.ndarray:
        """Return q_pi [S, A] of the given policy; needs a model (see `rlcourse.core.exact`)."""
        model = self._model()
        return exact.q_pi(model, np.broadcast_to(self.policy, model.successor.shape[:2]), self.config.gamma)
