"""n-step semi-gradient Sarsa: the n-step return as the target of linear action values (Sec. 10.2).

A car that has reached the top of the hill for the first time can credit all the last n actions for it, and each of them teaches every
state that shares its tiles:

    G_t:t+n = R_t+1 + gamma R_t+2 + ... + gamma^(n-1) R_t+n + gamma^n q(S_t+n, A_t+n, w)        (10.4)
    w <- w + alpha [G_t:t+n - q(S_t, A_t, w)] x(S_t, A_t)                                       (10.5)

n = 1 is semi-gradient Sarsa, and one feature per state makes it n-step Sarsa, both bit for bit (as there, an action is drawn in the last
state too). What is stored of a state are its features. Where a time limit ends an episode the last updates bootstrap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.agents.n_step.returns import FOREVER, discounted
from rlcourse.core.box import box
from rlcourse.core.config import Count, Discount, Probability, StepSize
from rlcourse.core.linear import add_action, buffer, q_hat, q_hat_of
from rlcourse.core.policies import epsilon_greedy
from rlcourse.core.trial import Trial

__all__ = ["NStepSemiGradientSarsa", "NStepSemiGradientSarsaConfig", "n_step_semi_gradient_sarsa"]


@box
def n_step_semi_gradient_sarsa(world, features, w, n, alpha, gamma, epsilon, rng):
    """Episodic semi-gradient n-step Sarsa for estimating q ~ q*, the box of Sec. 10.2; time i lies in slot i mod n + 1."""
    m = n + 1
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize and store S_0, not terminal
        x = features.x(S)
        A = epsilon_greedy(q_hat(x, w), epsilon, rng)  # Select and store an action A_0 ~ pi(.|S_0)
        states, actions, rewards = buffer(x, m), np.empty(m, np.int64), np.empty(m)
        states[0], actions[0] = x, A
        t, T, tau, terminated = 0, FOREVER, -1, False  # T <- infinity
        while tau < T - 1:  # Loop for t = 0, 1, 2, ... until tau = T - 1:
            if t < T:  # If t < T:
                S, R, terminated, truncated = world.step(S, A, rng)  # Take action A_t; observe and store R_t+1 and S_t+1
                x = features.x(S)
                A = epsilon_greedy(q_hat(x, w), epsilon, rng)  # Select and store A_t+1 ~ pi(.|S_t+1)
                states[(t + 1) % m], actions[(t + 1) % m], rewards[(t + 1) % m] = x, A, R
                if terminated or truncated:  # If S_t+1 is terminal (or the time limit strikes), T <- t + 1
                    T = t + 1
            tau = t - n + 1  # tau is the time whose estimate is being updated
            if tau >= 0:
                h = min(tau + n, T)
                G = 0.0 if terminated else q_hat_of(states[h % m], w, actions[h % m])  # q(S_tau+n, A_tau+n, w), if tau + n < T
                G = discounted(rewards, tau + 1, h, gamma, G)  # G <- sum_i gamma^(i-tau-1) R_i + gamma^n q(S_tau+n, A_tau+n, w)
                x_tau, A_tau = states[tau % m], actions[tau % m]
                add_action(w, alpha * (G - q_hat_of(x_tau, w, A_tau)), x_tau, A_tau)  # w <- w + alpha [G - q(S_tau)] grad q(S_tau)
            t += 1


@dataclass(frozen=True)
class NStepSemiGradientSarsaConfig(LinearConfig):
    """Settings of `NStepSemiGradientSarsa`, named as in the book."""

    n: Count = 8  # steps before bootstrapping
    alpha: StepSize = 0.0375  # step size; with n tilings a share of 1 / n
    gamma: Discount = 1.0  # discount rate
    epsilon: Probability = 0.1  # probability of a random action


class NStepSemiGradientSarsa(LinearAgent):
    """n-step semi-gradient Sarsa on any environment with finite actions (Sec. 10.2)."""

    Config = NStepSemiGradientSarsaConfig

    def _run(self, trial: Trial) -> None:
        c = self.config
        n_step_semi_gradient_sarsa(trial, self.features, self.w, c.n, c.alpha, c.gamma, c.epsilon, self.rng)
