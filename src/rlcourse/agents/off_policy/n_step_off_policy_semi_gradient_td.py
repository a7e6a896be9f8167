"""Off-policy n-step semi-gradient TD: prediction from the steps of another policy (Sec. 11.1, Exercise 11.1).

The tabular method (7.9) with weights for tables: the update of time tau weighs all n ratios,

    w <- w + alpha rho_tau ... rho_tau+n-1 [G_tau:tau+n - v(S_tau, w)] grad v(S_tau, w),
    G_tau:tau+n = R_tau+1 + gamma R_tau+2 + ... + gamma^n-1 R_tau+n + gamma^n v(S_tau+n, w)

With control variates (7.13) the ratios go into the return instead: same expectation, less variance. The longer n, the less is
bootstrapped: the expected update becomes stable, and the product of ratios the problem. n = 1 without control variates is (11.2); one
feature per state makes it `NStepOffPolicyTD`. Where a time limit ends the episode, returns begin with the value of its last state.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.agents.n_step.returns import FOREVER, discounted, product
from rlcourse.core.box import box
from rlcourse.core.config import Count, Discount, StepSize
from rlcourse.core.linear import add, pi, v_hat
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["NStepOffPolicySemiGradientTD", "NStepOffPolicySemiGradientTDConfig", "n_step_off_policy_semi_gradient_td"]


@box
def n_step_off_policy_semi_gradient_td(world, policy, behavior, features, w, n, control_variates, alpha, gamma, rng):
    """Off-policy n-step semi-gradient TD for estimating v ~ v_pi from b; what belongs to time i lies in slot i mod n + 1."""
    m = n + 1
    while world.more():  # Loop for each episode:
        rewards, ratios = np.empty(m), np.empty(m)
        S = world.reset(rng)  # Initialize and store S_0, not terminal
        xs = [features.x(S) for _ in range(m)]
        t, T, tau, terminated = 0, FOREVER, -1, False  # T <- infinity
        while tau < T - 1:  # Loop for t = 0, 1, 2, ... until tau = T - 1:
            if t < T:  # If t < T:
                A = sample(pi(behavior, S), rng)  # Take an action according to b(.|S_t)
                ratios[t % m] = pi(policy, S)[A] / pi(behavior, S)[A]  # Store pi(A_t|S_t) / b(A_t|S_t) as rho_t
                S, R, terminated, truncated = world.step(S, A, rng)  # Observe and store R_t+1 and S_t+1
                xs[(t + 1) % m], rewards[(t + 1) % m] = features.x(S), R
                if terminated or truncated:  # If S_t+1 is terminal (or the time limit strikes), T <- t + 1
                    T = t + 1
            tau = t - n + 1  # tau is the time whose state's estimate is being updated
            if tau >= 0:
                h = min(tau + n, T)
                rho, v = 1.0, v_hat(xs[tau % m], w)
                G = 0.0 if terminated else v_hat(xs[h % m], w)  # G_h:h = v(S_h, w), 0 at a terminal state
                if control_variates:
                    for k in range(h - 1, tau - 1, -1):  # G_k:h <- rho_k (R_k+1 + gamma G_k+1:h) + (1 - rho_k) v(S_k, w)
                        G = ratios[k % m] * (rewards[(k + 1) % m] + gamma * G) + (1.0 - ratios[k % m]) * v_hat(xs[k % m], w)
                else:
                    rho = product(ratios, tau, h - 1)  # rho <- rho_tau:tau+n-1
                    G = discounted(rewards, tau + 1, h, gamma, G)  # G <- sum_i gamma^(i-tau-1) R_i + gamma^n v(S_tau+n, w)
                add(w, alpha * rho * (G - v), xs[tau % m])  # w <- w + alpha rho [G - v(S_tau, w)] grad v(S_tau, w)
            t += 1


@dataclass(frozen=True)
class NStepOffPolicySemiGradientTDConfig(LinearConfig):
    """Settings of `NStepOffPolicySemiGradientTD`, named as in the book."""

    n: Count = 4  # steps before bootstrapping
    control_variates: bool = False  # put the ratios into the return, with control variates; else weight the whole update
    alpha: StepSize = 0.01  # step size
    gamma: Discount = 1.0  # discount rate


class NStepOffPolicySemiGradientTD(LinearAgent):
    """Off-policy n-step semi-gradient TD of `policy` from the steps of `behavior` (Sec. 11.1)."""

    Config = NStepOffPolicySemiGradientTDConfig
    inputs = ("policy", "behavior")
    values_of_states = True

    def _run(self, trial: Trial) -> None:
        c = self.config
        n_step_off_policy_semi_gradient_td(
            trial, self.policy, self.behavior, self.features, self.w, c.n, c.control_variates, c.alpha, c.gamma, self.rng
        )
