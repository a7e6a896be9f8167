"""Truncated TD(lambda): lambda-returns that look n steps ahead (Sec. 12.3).

The lambda-return of a task without end is never known, but what lies far ahead hardly counts in it. Cut it off after n steps, and value
each state by the weights of the time before, as the n-step methods of chapter 7 do:

    w_t+n = w_t+n-1 + alpha [G^lambda_t:t+n - v(S_t, w_t+n-1)] grad v(S_t, w_t+n-1)
    G^lambda_t:t+k = v(S_t, w_t-1) + sum_i=t^t+k-1 (gamma lambda)^(i-t) delta'_i             (12.10)
    delta'_t = R_t+1 + gamma v(S_t+1, w_t) - v(S_t, w_t-1)

n = 1 is TD(0), lambda = 1 is n-step TD, and n beyond the episode is a lambda-return algorithm at the episode's end. Updates run n steps
late, so the last n of them follow the end; a time limit's last state then bootstraps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.agents.n_step.returns import FOREVER
from rlcourse.core.box import box
from rlcourse.core.config import Count, Discount, Probability, StepSize
from rlcourse.core.linear import add, pi, v_hat
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["TruncatedTDLambda", "TruncatedTDLambdaConfig", "truncated_td_lambda"]


@box
def truncated_td_lambda(world, policy, features, w, n, alpha, gamma, lam, rng):
    """TTD(lambda) for estimating v ~ v_pi (Sec. 12.3, which has no box); what belongs to time i lies in slot i mod n + 1."""
    m = n + 1
    while world.more():  # Loop for each episode:
        S = world.reset(rng)
        x = features.x(S)
        xs, rewards, V = [x], np.empty(m), np.empty(m)  # x(S_i), R_i and v(S_i, w_i-1)
        V[0] = v_hat(x, w)
        t, T, tau = 0, FOREVER, -1  # T <- infinity
        while tau < T - 1:  # Loop for t = 0, 1, 2, ... until tau = T - 1:
            if t < T:  # If t < T:
                S, R, terminated, truncated = world.step(S, sample(pi(policy, S), rng), rng)  # Observe R_t+1 and S_t+1
                x = features.x(S)
                if len(xs) < m:
                    xs.append(x)
                xs[(t + 1) % m], rewards[(t + 1) % m] = x, R
                V[(t + 1) % m] = 0.0 if terminated else v_hat(x, w)
                if terminated or truncated:  # If S_t+1 is terminal (or the time limit strikes), T <- t + 1
                    T = t + 1
            tau = t - n + 1  # tau is the time whose state's estimate is being updated
            if tau >= 0:
                h = min(tau + n, T)
                G = V[h % m]  # G <- G^lambda_tau:h, from its end; (12.10) says the same
                for k in range(h, tau, -1):
                    G = rewards[k % m] + gamma * ((1.0 - lam) * V[k % m] + lam * G)
                x_tau = xs[tau % m]
                add(w, alpha * (G - v_hat(x_tau, w)), x_tau)  # w <- w + alpha [G - v(S_tau, w)] grad v(S_tau, w)
            t += 1


@dataclass(frozen=True)
class TruncatedTDLambdaConfig(LinearConfig):
    """Settings of `TruncatedTDLambda`, named as in the book."""

    n: Count = 8  # steps before bootstrapping
    lam: Probability = 0.8  # lambda: 0 is TD(0) that learns n steps late, 1 is n-step TD
    alpha: StepSize = 0.05  # step size
    gamma: Discount = 1.0  # discount rate


class TruncatedTDLambda(LinearAgent):
    """TTD(lambda) for a given policy (Sec. 12.3)."""

    Config = TruncatedTDLambdaConfig
    inputs = ("policy",)
    values_of_states = True

    def _run(self, trial: Trial) -> None:
        c = self.config
        truncated_td_lambda(trial, self.policy, self.features, self.w, c.n, c.alpha, c.gamma, c.lam, self.rng)
