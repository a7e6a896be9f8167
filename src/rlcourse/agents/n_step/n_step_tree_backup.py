"""n-step tree backup: off-policy learning without importance sampling (Sec. 7.5).

Its target is a tree: along the actions taken it follows the sample, and at each of their siblings it takes the estimate, each branch
with the probability that the target policy gives it:

    G_t:t+n = R_t+1 + gamma sum_{a != A_t+1} pi(a|S_t+1) Q(S_t+1, a) + gamma pi(A_t+1|S_t+1) G_t+1:t+n        (7.16)

So no ratio can grow, and any behaviour will do; an action that pi never takes only cuts the tree there. n = 1 is Expected Sarsa with pi
as policy, bit for bit (the next action is chosen when it is taken, from the newest Q). The last n updates follow the end of the
episode; where a time limit ends it they bootstrap from the state where the limit struck.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.n_step.returns import FOREVER
from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box, kernel
from rlcourse.core.config import Config, Count, Discount, Probability, StepSize
from rlcourse.core.policies import epsilon_greedy, epsilon_greedy_probabilities, expected_value
from rlcourse.core.trial import Trial

__all__ = ["NStepTreeBackup", "NStepTreeBackupConfig", "branch", "n_step_tree_backup"]


@kernel
def branch(values, action, epsilon, G):
    """Return sum_{a != A} pi(a|S) Q(S, a) + pi(A|S) G, where pi is epsilon-greedy on Q(S, .)."""
    pi = epsilon_greedy_probabilities(values, epsilon)
    total = 0.0
    for a in range(len(values)):
        if pi[a] > 0.0:  # an action that does not exist has the value -inf
            total += pi[a] * (G if a == action else values[a])
    return total


@box
def n_step_tree_backup(world, Q, n, alpha, gamma, epsilon, target_epsilon, rng):
    """n-step Tree Backup for estimating Q ~ q*, the box of Sec. 7.5; what belongs to time i lies in slot i mod n + 1."""
    m = n + 1
    while world.more():  # Loop for each episode:
        states, actions, rewards = np.empty(m, np.int64), np.empty(m, np.int64), np.empty(m)
        S = world.reset(rng)  # Initialize and store S_0, not terminal
        states[0] = S
        t, T, tau, terminated = 0, FOREVER, -1, False  # T <- infinity
        while tau < T - 1:  # Loop for t = 0, 1, 2, ... until tau = T - 1:
            if t < T:  # If t < T:
                A = epsilon_greedy(Q[S], epsilon, rng)  # Choose and store an action A_t arbitrarily as a function of S_t
                actions[t % m] = A
                S, R, terminated, truncated = world.step(S, A, rng)  # Take action A_t; observe and store R_t+1, S_t+1
                states[(t + 1) % m], rewards[(t + 1) % m] = S, R
                if terminated or truncated:  # If S_t+1 is terminal (or the time limit strikes), T <- t + 1
                    T = t + 1
            tau = t + 1 - n  # tau is the time whose estimate is being updated
            if tau >= 0:
                h = min(t + 1, T)
                G = 0.0 if terminated else expected_value(Q[states[h % m]], target_epsilon)  # If t + 1 >= T: G <- R_T
                G = rewards[h % m] + gamma * G  # else G <- R_t+1 + gamma sum_a pi(a|S_t+1) Q(S_t+1, a)
                for k in range(h - 1, tau, -1):  # Loop for k = min(t, T - 1) down through tau + 1:
                    G = rewards[k % m] + gamma * branch(Q[states[k % m]], actions[k % m], target_epsilon, G)
                S_tau, A_tau = states[tau % m], actions[tau % m]
                Q[S_tau, A_tau] += alpha * (G - Q[S_tau, A_tau])  # Q(S_tau, A_tau) <- Q(S_tau, A_tau) + alpha [G - Q(S_tau, A_tau)]
            t += 1


@dataclass(frozen=True)
class NStepTreeBackupConfig(Config):
    """Settings of `NStepTreeBackup`, named as in the book."""

    n: Count = 4  # steps before bootstrapping
    alpha: StepSize = 0.2  # step size
    gamma: Discount = 1.0  # discount rate
    epsilon: Probability = 0.1  # probability of a random action, of the behaviour policy
    target_epsilon: Probability = 0.0  # probability of a random action, of the target policy; 0 is greedy


class NStepTreeBackup(TabularAgent):
    """n-step tree backup on any environment with finite observations and actions (Sec. 7.5)."""

    Config = NStepTreeBackupConfig

    def _run(self, trial: Trial) -> None:
        c = self.config
        n_step_tree_backup(trial, self.Q, c.n, c.alpha, c.gamma, c.epsilon, c.target_epsilon, self.rng)
