"""Off-policy n-step Q(sigma): sampling where sigma is 1, expectation where it is 0 (Sec. 7.6).

Sarsa samples every transition, the tree backup takes the expectation over actions everywhere; Q(sigma) chooses by the step, or in between:

    G_t:h = R_t+1 + gamma (sigma_t+1 rho_t+1 + (1 - sigma_t+1) pi(A_t+1|S_t+1)) (G_t+1:h - Q(S_t+1, A_t+1))
            + gamma Vbar(S_t+1),    Vbar(s) = sum_a pi(a|s) Q(s, a)        (7.17)

Where h is the last state the difference is 0: every backup ends in an expectation, and n = 1 is Expected Sarsa for every sigma, bit for
bit (the next action is chosen when it is taken). sigma = 1 is off-policy Sarsa with control variates (7.14), sigma = 0 the tree backup.
``draw=True`` makes each sigma_t 1 with probability sigma, else 0. A time limit bootstraps from the state where it struck.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.n_step.returns import FOREVER, importance_ratio
from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box
from rlcourse.core.config import Config, Count, Discount, Probability, StepSize
from rlcourse.core.policies import epsilon_greedy, epsilon_greedy_probabilities, expected_value
from rlcourse.core.trial import Trial

__all__ = ["NStepQSigma", "NStepQSigmaConfig", "n_step_q_sigma"]


@box
def n_step_q_sigma(world, Q, n, sigma, draw, alpha, gamma, epsilon, target_epsilon, rng):
    """Off-policy n-step Q(sigma) for estimating Q ~ q*, the box of Sec. 7.6; what belongs to time i lies in slot i mod n + 1."""
    m = n + 1
    while world.more():  # Loop for each episode:
        states, actions = np.empty(m, np.int64), np.empty(m, np.int64)
        rewards, sigmas, ratios = np.empty(m), np.empty(m), np.empty(m)
        S = world.reset(rng)  # Initialize and store S_0, not terminal
        states[0] = S
        t, T, tau, terminated = 0, FOREVER, -1, False  # T <- infinity
        while tau < T - 1:  # Loop for t = 0, 1, 2, ... until tau = T - 1:
            if t < T:  # If t < T:
                A = epsilon_greedy(Q[S], epsilon, rng)  # Choose and store an action A_t ~ b(.|S_t)
                actions[t % m] = A
                sigmas[t % m] = (1.0 if rng.random() < sigma else 0.0) if draw else sigma  # Select and store sigma_t
                ratios[t % m] = importance_ratio(Q[S], A, target_epsilon, epsilon)  # Store pi(A_t|S_t) / b(A_t|S_t) as rho_t
                S, R, terminated, truncated = world.step(S, A, rng)  # Take action A_t; observe and store R_t+1, S_t+1
                states[(t + 1) % m], rewards[(t + 1) % m] = S, R
                if terminated or truncated:  # If S_t+1 is terminal (or the time limit strikes), T <- t + 1
                    T = t + 1
            tau = t - n + 1  # tau is the time whose estimate is being updated
            if tau >= 0:
                h = min(t + 1, T)
                G = 0.0 if terminated else expected_value(Q[states[h % m]], target_epsilon)  # for k = t + 1, G - Q is 0
                G = rewards[h % m] + gamma * G  # if k = T: G <- R_T
                for k in range(h - 1, tau, -1):  # Loop for k = min(t + 1, T) down through tau + 1:
                    q, A_k, i = Q[states[k % m]], actions[k % m], k % m
                    pi = epsilon_greedy_probabilities(q, target_epsilon)[A_k]
                    V_bar = expected_value(q, target_epsilon)  # Vbar <- sum_a pi(a|S_k) Q(S_k, a)
                    weight = sigmas[i] * ratios[i] + (1.0 - sigmas[i]) * pi
                    G = rewards[i] + gamma * weight * (G - q[A_k]) + gamma * V_bar  # G <- R_k + gamma (...)(G - Q) + gamma Vbar
                S_tau, A_tau = states[tau % m], actions[tau % m]
                Q[S_tau, A_tau] += alpha * (G - Q[S_tau, A_tau])  # Q(S_tau, A_tau) <- Q(S_tau, A_tau) + alpha [G - Q(S_tau, A_tau)]
            t += 1


@dataclass(frozen=True)
class NStepQSigmaConfig(Config):
    """Settings of `NStepQSigma`, named as in the book."""

    n: Count = 4  # steps before bootstrapping
    sigma: Probability = 0.5  # degree of sampling: 1 samples as Sarsa does, 0 expects as the tree backup does
    draw: bool = False  # draw each sigma_t: 1 with probability sigma, else 0
    alpha: StepSize = 0.1  # step size
    gamma: Discount = 1.0  # discount rate
    epsilon: Probability = 0.1  # probability of a random action, of the behaviour policy
    target_epsilon: Probability = 0.0  # probability of a random action, of the target policy; 0 is greedy


class NStepQSigma(TabularAgent):
    """Off-policy n-step Q(sigma) on any environment with finite observations and actions (Sec. 7.6)."""

    Config = NStepQSigmaConfig

    def _run(self, trial: Trial) -> None:
        c = self.config
        n_step_q_sigma(trial, self.Q, c.n, c.sigma, c.draw, c.alpha, c.gamma, c.epsilon, c.target_epsilon, self.rng)
