"""n-step semi-gradient TD: between semi-gradient TD(0) and gradient Monte Carlo (Sec. 9.4).

The n-step return of Section 7.1 with values that states share; the bootstrap is taken as it is, only the estimate has a gradient:

    G_t:t+n = R_t+1 + gamma R_t+2 + ... + gamma^(n-1) R_t+n + gamma^n v(S_t+n, w)        (9.16)
    w <- w + alpha [G_t:t+n - v(S_t, w)] grad v(S_t, w)                                  (9.15)

n = 1 is semi-gradient TD(0), bit for bit; n beyond the length of the episode is gradient Monte Carlo; one feature per state makes it
tabular n-step TD. As there, the best n lies in between. Updates run n steps late, so the last n of them follow the end of the episode;
where a time limit ends it, they all bootstrap from the state where the limit struck.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.agents.n_step.returns import FOREVER, discounted
from rlcourse.core.box import box
from rlcourse.core.config import Count, Discount, StepSize
from rlcourse.core.linear import add, pi, v_hat
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["NStepSemiGradientTD", "NStepSemiGradientTDConfig", "n_step_semi_gradient_td"]


@box
def n_step_semi_gradient_td(world, policy, features, w, n, alpha, gamma, rng):
    """n-step semi-gradient TD for estimating v ~ v_pi, the box of Sec. 9.4; what belongs to time i lies in slot i mod n + 1."""
    m = n + 1
    rewards = np.empty(m)
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize and store S_0, not terminal
        states = [S] * m
        t, T, tau, terminated = 0, FOREVER, -1, False  # T <- infinity
        while tau < T - 1:  # Loop for t = 0, 1, 2, ... until tau = T - 1:
            if t < T:  # If t < T:
                A = sample(pi(policy, S), rng)  # Take an action according to pi(.|S_t)
                S, R, terminated, truncated = world.step(S, A, rng)  # Observe and store R_t+1 and S_t+1
                states[(t + 1) % m], rewards[(t + 1) % m] = S, R
                if terminated or truncated:  # If S_t+1 is terminal (or the time limit strikes), T <- t + 1
                    T = t + 1
            tau = t - n + 1  # tau is the time whose state's estimate is being updated
            if tau >= 0:
                h = min(tau + n, T)
                G = 0.0 if terminated else v_hat(features.x(states[h % m]), w)  # v(S_tau+n, w), if tau + n < T
                G = discounted(rewards, tau + 1, h, gamma, G)  # G <- sum_i gamma^(i-tau-1) R_i + gamma^n v(S_tau+n, w)
                x = features.x(states[tau % m])
                add(w, alpha * (G - v_hat(x, w)), x)  # w <- w + alpha [G - v(S_tau, w)] grad v(S_tau, w)
            t += 1


@dataclass(frozen=True)
class NStepSemiGradientTDConfig(LinearConfig):
    """Settings of `NStepSemiGradientTD`, named as in the book."""

    n: Count = 4  # steps before bootstrapping
    alpha: StepSize = 0.01  # step size
    gamma: Discount = 1.0  # discount rate


class NStepSemiGradientTD(LinearAgent):
    """n-step semi-gradient TD prediction of a given policy (Sec. 9.4)."""

    Config = NStepSemiGradientTDConfig
    inputs = ("policy",)
    values_of_states = True

    def _run(self, trial: Trial) -> None:
        c = self.config
        n_step_semi_gradient_td(trial, self.policy, self.features, self.w, c.n, c.alpha, c.gamma, self.rng)
