"""n-step Sarsa: on-policy control that credits the last n actions at once (Sec. 7.2).

When an episode first reaches a goal, one-step Sarsa strengthens only the last action; n-step Sarsa the last n of them (Figure 7.4). The
target is the n-step return with action values:

    G_t:t+n = R_t+1 + gamma R_t+2 + ... + gamma^(n-1) R_t+n + gamma^n Q(S_t+n, A_t+n)        (7.4)
    Q(S_t, A_t) <- Q(S_t, A_t) + alpha [G_t:t+n - Q(S_t, A_t)]                               (7.5)

n = 1 is Sarsa, bit for bit (an action is drawn in the last state too, as there, and not used if that is terminal). The last n updates
follow the end of the episode; where a time limit ends it they bootstrap from the state where the limit struck.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.n_step.returns import FOREVER, discounted
from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box
from rlcourse.core.config import Config, Count, Discount, Probability, StepSize
from rlcourse.core.policies import epsilon_greedy
from rlcourse.core.trial import Trial

__all__ = ["NStepSarsa", "NStepSarsaConfig", "n_step_sarsa"]


@box
def n_step_sarsa(world, Q, n, alpha, gamma, epsilon, rng):
    """n-step Sarsa for estimating Q ~ q*, the box of Sec. 7.2; what belongs to time i lies in slot i mod n + 1."""
    m = n + 1
    while world.more():  # Loop for each episode:
        states, actions, rewards = np.empty(m, np.int64), np.empty(m, np.int64), np.empty(m)
        S = world.reset(rng)  # Initialize and store S_0, not terminal
        A = epsilon_greedy(Q[S], epsilon, rng)  # Select and store an action A_0 ~ pi(.|S_0)
        states[0], actions[0] = S, A
        t, T, tau, terminated = 0, FOREVER, -1, False  # T <- infinity
        while tau < T - 1:  # Loop for t = 0, 1, 2, ... until tau = T - 1:
            if t < T:  # If t < T:
                S, R, terminated, truncated = world.step(S, A, rng)  # Take action A_t; observe and store R_t+1 and S_t+1
                A = epsilon_greedy(Q[S], epsilon, rng)  # Select and store an action A_t+1 ~ pi(.|S_t+1)
                states[(t + 1) % m], actions[(t + 1) % m], rewards[(t + 1) % m] = S, A, R
                if terminated or truncated:  # If S_t+1 is terminal (or the time limit strikes), T <- t + 1
                    T = t + 1
            tau = t - n + 1  # tau is the time whose estimate is being updated
            if tau >= 0:
                h = min(tau + n, T)
                G = 0.0 if terminated else Q[states[h % m], actions[h % m]]  # Q(S_tau+n, A_tau+n), if tau + n < T
                G = discounted(rewards, tau + 1, h, gamma, G)  # G <- sum_i gamma^(i-tau-1) R_i + gamma^n Q(S_tau+n, A_tau+n)
                S_tau, A_tau = states[tau % m], actions[tau % m]
                Q[S_tau, A_tau] += alpha * (G - Q[S_tau, A_tau])  # Q(S_tau, A_tau) <- Q(S_tau, A_tau) + alpha [G - Q(S_tau, A_tau)]
            t += 1


@dataclass(frozen=True)
class NStepSarsaConfig(Config):
    """Settings of `NStepSarsa`, named as in the book."""

    n: Count = 4  # steps before bootstrapping
    alpha: StepSize = 0.2  # step size
    gamma: Discount = 1.0  # discount rate
    epsilon: Probability = 0.1  # probability of a random action


class NStepSarsa(TabularAgent):
    """n-step Sarsa on any environment with finite observations and actions (Sec. 7.2)."""

    Config = NStepSarsaConfig

    def _run(self, trial: Trial) -> None:
        c = self.config
        n_step_sarsa(trial, self.Q, c.n, c.alpha, c.gamma, c.epsilon, self.rng)
