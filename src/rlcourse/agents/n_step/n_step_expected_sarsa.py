"""n-step Expected Sarsa: n sampled rewards, then the expected value of the last state (Sec. 7.2).

n-step Sarsa bootstraps from the action that happened to be taken last. Its expected form takes the mean over all actions there, and is
rid of that noise:

    G_t:t+n = R_t+1 + ... + gamma^(n-1) R_t+n + gamma^n sum_a pi(a|S_t+n) Q(S_t+n, a)        (7.7)

with the update of n-step Sarsa. n = 1 is Expected Sarsa, bit for bit: the next action is chosen when it is taken, from the newest Q.
The last n updates follow the end of the episode; where a time limit ends it they bootstrap from the state where the limit struck.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.n_step.returns import FOREVER, discounted
from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box
from rlcourse.core.config import Config, Count, Discount, Probability, StepSize
from rlcourse.core.policies import epsilon_greedy, expected_value
from rlcourse.core.trial import Trial

__all__ = ["NStepExpectedSarsa", "NStepExpectedSarsaConfig", "n_step_expected_sarsa"]


@box
def n_step_expected_sarsa(world, Q, n, alpha, gamma, epsilon, rng):
    """n-step Expected Sarsa for estimating Q ~ q* (Sec. 7.2); what belongs to time i lies in slot i mod n + 1."""
    m = n + 1
    while world.more():  # Loop for each episode:
        states, actions, rewards = np.empty(m, np.int64), np.empty(m, np.int64), np.empty(m)
        S = world.reset(rng)  # Initialize and store S_0, not terminal
        states[0] = S
        t, T, tau, terminated = 0, FOREVER, -1, False  # T <- infinity
        while tau < T - 1:  # Loop for t = 0, 1, 2, ... until tau = T - 1:
            if t < T:  # If t < T:
                A = epsilon_greedy(Q[S], epsilon, rng)  # Select, store and take an action A_t ~ pi(.|S_t)
                actions[t % m] = A
                S, R, terminated, truncated = world.step(S, A, rng)  # Observe and store R_t+1 and S_t+1
                states[(t + 1) % m], rewards[(t + 1) % m] = S, R
                if terminated or truncated:  # If S_t+1 is terminal (or the time limit strikes), T <- t + 1
                    T = t + 1
            tau = t - n + 1  # tau is the time whose estimate is being updated
            if tau >= 0:
                h = min(tau + n, T)
                G = 0.0 if terminated else expected_value(Q[states[h % m]], epsilon)  # sum_a pi(a|S_tau+n) Q(S_tau+n, a)
                G = discounted(rewards, tau + 1, h, gamma, G)  # G <- sum_i gamma^(i-tau-1) R_i + gamma^n sum_a pi(a) Q(a)
                S_tau, A_tau = states[tau % m], actions[tau % m]
                Q[S_tau, A_tau] += alpha * (G - Q[S_tau, A_tau])  # Q(S_tau, A_tau) <- Q(S_tau, A_tau) + alpha [G - Q(S_tau, A_tau)]
            t += 1


@dataclass(frozen=True)
class NStepExpectedSarsaConfig(Config):
    """Settings of `NStepExpectedSarsa`, named as in the book."""

    n: Count = 4  # steps before bootstrapping
    alpha: StepSize = 0.2  # step size
    gamma: Discount = 1.0  # discount rate
    epsilon: Probability = 0.1  # probability of a random action


class NStepExpectedSarsa(TabularAgent):
    """n-step Expected Sarsa on any environment with finite observations and actions (Sec. 7.2)."""

    Config = NStepExpectedSarsaConfig

    def _run(self, trial: Trial) -> None:
        c = self.config
        n_step_expected_sarsa(trial, self.Q, c.n, c.alpha, c.gamma, c.epsilon, self.rng)
