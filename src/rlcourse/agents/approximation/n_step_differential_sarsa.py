"""Differential semi-gradient n-step Sarsa: n rewards against their average (Sec. 10.5).

The n-step return of a task that never ends: what the next n rewards are more than average, and the differential value after them.

    G_t:t+n = R_t+1 - R_bar + ... + R_t+n - R_bar + q(S_t+n, A_t+n, w)        (10.14)
    delta = G_t:t+n - q(S_t, A_t, w)                                          (10.15)
    R_bar <- R_bar + beta delta,   w <- w + alpha delta x(S_t, A_t)

n = 1 is differential Sarsa, bit for bit. Where a budget or a time limit cuts, the last n - 1 pairs are updated too, and they
bootstrap from the state of the cut; what follows begins by a reset, with w and R_bar kept. delta holds n errors of R_bar, so that
beta should shrink as n grows. If a task does end, the differential value beyond is zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.agents.n_step.returns import FOREVER
from rlcourse.core.box import box, kernel
from rlcourse.core.config import Count, Probability, StepSize
from rlcourse.core.linear import add_action, buffer, q_hat, q_hat_of
from rlcourse.core.policies import epsilon_greedy
from rlcourse.core.trial import Trial

__all__ = ["NStepDifferentialSarsa", "NStepDifferentialSarsaConfig", "n_step_differential_sarsa"]


@box
def n_step_differential_sarsa(world, features, w, R_bar, n, alpha, beta, epsilon, rng):
    """Differential semi-gradient n-step Sarsa for estimating q ~ q*, the box of Sec. 10.5; time i lies in slot i mod n + 1."""
    m = n + 1
    while world.more():
        S = world.reset(rng)  # Initialize and store S_0 and A_0
        x = features.x(S)
        A = epsilon_greedy(q_hat(x, w), epsilon, rng)
        states, actions, rewards = buffer(x, m), np.empty(m, np.int64), np.empty(m)
        states[0], actions[0] = x, A
        t, T, tau, terminated = 0, FOREVER, -1, False
        while tau < T - 1:  # Loop for each step, t = 0, 1, 2, ...:
            if t < T:
                S, R, terminated, truncated = world.step(S, A, rng)  # Take action A_t; observe and store R_t+1 and S_t+1
                x = features.x(S)
                A = epsilon_greedy(q_hat(x, w), epsilon, rng)  # Select and store an action A_t+1 ~ pi(.|S_t+1)
                states[(t + 1) % m], actions[(t + 1) % m], rewards[(t + 1) % m] = x, A, R
                if terminated or truncated:  # never in the book; here a budget or a time limit cuts
                    T = t + 1
            tau = t - n + 1  # tau is the time whose estimate is being updated
            if tau >= 0:
                h = min(tau + n, T)
                G = 0.0 if terminated else q_hat_of(states[h % m], w, actions[h % m])
                G = beyond_average(rewards, tau + 1, h, R_bar[0], G)
                x_tau, A_tau = states[tau % m], actions[tau % m]
                delta = G - q_hat_of(x_tau, w, A_tau)  # delta <- sum_i (R_i - R_bar) + q(S_tau+n, A_tau+n) - q(S_tau, A_tau)
                R_bar[0] += beta * delta  # R_bar <- R_bar + beta delta
                add_action(w, alpha * delta, x_tau, A_tau)  # w <- w + alpha delta grad q(S_tau, A_tau, w)
            t += 1


@kernel
def beyond_average(rewards, first, last, average, G):
    """Return (R_first - average) + ... + (R_last - average) + G, summed from the end; time i lies in slot i mod n + 1."""
    for i in range(last, first - 1, -1):
        G = rewards[i % len(rewards)] - average + G
    return G


@dataclass(frozen=True)
class NStepDifferentialSarsaConfig(LinearConfig):
    """Settings of `NStepDifferentialSarsa`, named as in the book."""

    n: Count = 4  # steps before bootstrapping
    alpha: StepSize = 0.01  # step size of the values; with n tilings a share of 1 / n
    beta: StepSize = 0.0025  # step size of the average reward
    epsilon: Probability = 0.1  # probability of a random action


class NStepDifferentialSarsa(LinearAgent):
    """Differential semi-gradient n-step Sarsa on any environment with finite actions, best on one that never ends (Sec. 10.5)."""

    Config = NStepDifferentialSarsaConfig
    tables: ClassVar[tuple[str, ...]] = ("w", "R_bar")
    R_bar: np.ndarray  # [1] the average reward

    def _make_tables(self) -> None:
        super()._make_tables()
        self.R_bar = np.zeros(1)

    def _run(self, trial: Trial) -> None:
        c = self.config
        n_step_differential_sarsa(trial, self.features, self.w, self.R_bar, c.n, c.alpha, c.beta, c.epsilon, self.rng)
