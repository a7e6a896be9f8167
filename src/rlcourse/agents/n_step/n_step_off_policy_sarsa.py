"""Off-policy n-step Sarsa: learning of one policy from the actions of another, by importance sampling (Sec. 7.3).

The target policy pi is greedy, or nearly so; the behaviour policy b explores more. The rewards after A_t come from b's actions, so that
the whole update is weighted with how much more, or less, likely pi would have taken them:

    rho_t:h = prod_k=t..min(h, T-1) pi(A_k|S_k) / b(A_k|S_k)                                   (7.10)
    Q(S_t, A_t) <- Q(S_t, A_t) + alpha rho_t+1:t+n [G_t:t+n - Q(S_t, A_t)]                     (7.11)

A_t itself has no factor: it was taken, and we learn what follows. One action that pi would never take makes the factor 0, and nothing
is learned from all n steps; the tree backup does without. Ratios are those of the moment in which an action was drawn. A time limit
bootstraps from the state where it struck; the action drawn there then counts as A_t+n does. pi = b is n-step Sarsa, bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.n_step.returns import FOREVER, discounted, importance_ratio, product
from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box
from rlcourse.core.config import Config, Count, Discount, Probability, StepSize
from rlcourse.core.policies import epsilon_greedy
from rlcourse.core.trial import Trial

__all__ = ["NStepOffPolicySarsa", "NStepOffPolicySarsaConfig", "n_step_off_policy_sarsa"]


@box
def n_step_off_policy_sarsa(world, Q, n, alpha, gamma, epsilon, target_epsilon, rng):
    """Off-policy n-step Sarsa for estimating Q ~ q*, the box of Sec. 7.3; what belongs to time i lies in slot i mod n + 1."""
    m = n + 1
    while world.more():  # Loop for each episode:
        states, actions, rewards, ratios = np.empty(m, np.int64), np.empty(m, np.int64), np.empty(m), np.empty(m)
        S = world.reset(rng)  # Initialize and store S_0, not terminal
        A = epsilon_greedy(Q[S], epsilon, rng)  # Select and store an action A_0 ~ b(.|S_0)
        states[0], actions[0] = S, A
        t, T, tau, terminated = 0, FOREVER, -1, False  # T <- infinity
        while tau < T - 1:  # Loop for t = 0, 1, 2, ... until tau = T - 1:
            if t < T:  # If t < T:
                S, R, terminated, truncated = world.step(S, A, rng)  # Take action A_t; observe and store R_t+1 and S_t+1
                A = epsilon_greedy(Q[S], epsilon, rng)  # Select and store an action A_t+1 ~ b(.|S_t+1)
                states[(t + 1) % m], actions[(t + 1) % m], rewards[(t + 1) % m] = S, A, R
                ratios[(t + 1) % m] = importance_ratio(Q[S], A, target_epsilon, epsilon)  # pi(A_t+1|S_t+1) / b(A_t+1|S_t+1)
                if terminated or truncated:  # If S_t+1 is terminal (or the time limit strikes), T <- t + 1
                    T = t + 1
            tau = t - n + 1  # tau is the time whose estimate is being updated
            if tau >= 0:
                h = min(tau + n, T)
                rho = product(ratios, tau + 1, h - 1 if terminated else h)  # rho <- prod_i=tau+1..min(tau+n, T-1) pi / b
                G = 0.0 if terminated else Q[states[h % m], actions[h % m]]  # Q(S_tau+n, A_tau+n), if tau + n < T
                G = discounted(rewards, tau + 1, h, gamma, G)  # G <- sum_i gamma^(i-tau-1) R_i + gamma^n Q(S_tau+n, A_tau+n)
                S_tau, A_tau = states[tau % m], actions[tau % m]
                Q[S_tau, A_tau] += alpha * rho * (G - Q[S_tau, A_tau])  # Q <- Q + alpha rho [G - Q]; pi stays greedy by itself
            t += 1


@dataclass(frozen=True)
class NStepOffPolicySarsaConfig(Config):
    """Settings of `NStepOffPolicySarsa`, named as in the book."""

    n: Count = 4  # steps before bootstrapping
    alpha: StepSize = 0.1  # step size
    gamma: Discount = 1.0  # discount rate
    epsilon: Probability = 0.1  # probability of a random action, of the behaviour policy
    target_epsilon: Probability = 0.0  # probability of a random action, of the target policy; 0 is greedy


class NStepOffPolicySarsa(TabularAgent):
    """Off-policy n-step Sarsa on any environment with finite observations and actions (Sec. 7.3)."""

    Config = NStepOffPolicySarsaConfig

    def _run(self, trial: Trial) -> None:
        c = self.config
        n_step_off_policy_sarsa(trial, self.Q, c.n, c.alpha, c.gamma, c.epsilon, c.target_epsilon, self.rng)
