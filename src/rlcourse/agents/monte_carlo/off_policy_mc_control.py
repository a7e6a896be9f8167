"""Off-policy Monte Carlo control (Sec. 5.7).

The problem is to find the optimal policy, a deterministic one, while behaving in a way that keeps exploring. The target policy
pi is greedy with respect to Q; b is epsilon-greedy around pi, so it takes every action. Returns of b are corrected by weighted importance
sampling as in Sec. 5.6,

    Q(S_t, A_t) <- Q(S_t, A_t) + W / C(S_t, A_t) [G_t - Q(S_t, A_t)],        pi(S_t) <- argmax_a Q(S_t, a)

and as pi is deterministic W becomes 0 at the last action that was not greedy: the method learns only from the tails of episodes, slowly
where exploration is frequent. Ties: pi keeps its action as long as that one is among the best, so that it is consistent; otherwise
it takes one of the best at random. Where a time limit cuts an episode off, G begins with Q(S, pi(S)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box, kernel
from rlcourse.core.config import Config, Discount, Probability
from rlcourse.core.policies import epsilon_greedy, greedy
from rlcourse.core.trial import Trial

__all__ = ["OffPolicyMCControl", "OffPolicyMCControlConfig", "off_policy_mc_control", "probability"]


@kernel
def probability(values, preferred, action, epsilon):
    """Return b(action|s) of the policy that is epsilon-greedy around a preferred action; -inf marks actions that do not exist."""
    n = 0
    for a in range(len(values)):
        n += 1 if values[a] > -math.inf else 0
    return epsilon / n + (1.0 - epsilon if action == preferred else 0.0)


@box
def off_policy_mc_control(world, pi, Q, C, epsilon, gamma, rng):
    """Off-policy MC control, for estimating pi ~ pi*, the box of Sec. 5.7."""
    episode = [(0, 0, 0.0, 1.0)]  # (S_t, A_t, R_t+1, b(A_t|S_t))
    while world.more():  # Loop forever (for each episode):
        episode.clear()
        S = world.reset(rng)  # b <- any soft policy: epsilon-greedy around pi
        done = terminated = False
        while not done:  # Generate an episode using b: S_0, A_0, R_1, ..., S_T-1, A_T-1, R_T
            A = epsilon_greedy(Q[S], 1.0, rng) if rng.random() < epsilon else int(pi[S])
            S_, R, terminated, truncated = world.step(S, A, rng)
            episode.append((S, A, R, probability(Q[S], int(pi[S]), A, epsilon)))
            S, done = S_, terminated or truncated
        G = 0.0 if terminated else Q[S, int(pi[S])]  # G <- 0, or what the time limit has cut off
        W = 1.0  # W <- 1
        followed = True
        while len(episode) > 0 and followed:  # Loop for each step of episode, t = T-1, T-2, ..., 0:
            S, A, R, b = episode.pop()
            G = gamma * G + R  # G <- gamma G + R_t+1
            C[S, A] += W  # C(S_t, A_t) <- C(S_t, A_t) + W
            Q[S, A] += W / C[S, A] * (G - Q[S, A])  # Q(S_t, A_t) <- Q(S_t, A_t) + W / C(S_t, A_t) [G - Q(S_t, A_t)]
            if Q[S, int(pi[S])] < np.max(Q[S]):
                pi[S] = greedy(Q[S], rng)  # pi(S_t) <- argmax_a Q(S_t, a) (with ties broken consistently)
            followed = int(pi[S]) == A  # If A_t != pi(S_t) then exit inner Loop (proceed to next episode)
            W /= b  # W <- W / b(A_t|S_t)


@dataclass(frozen=True)
class OffPolicyMCControlConfig(Config):
    """Settings of `OffPolicyMCControl`, named as in the book."""

    gamma: Discount = 1.0  # discount rate
    epsilon: Probability = 0.1  # probability of a random action in the behaviour policy


class OffPolicyMCControl(TabularAgent):
    """Off-policy Monte Carlo control (Sec. 5.7).

    Attributes
    ----------
    Q : ndarray of float64, shape [S, A]
        Action values.
    C : ndarray of float64, shape [S, A]
        Sums of weights.
    pi : ndarray of int64, shape [S]
        The target policy.
    """

    Config = OffPolicyMCControlConfig
    tables = ("Q", "C", "pi")

    def _build(self) -> None:
        super()._build()
        self.C, self.pi = np.zeros(self.Q.shape), np.zeros(len(self.Q), np.int64)

    def _run(self, trial: Trial) -> None:
        off_policy_mc_control(trial, self.pi, self.Q, self.C, self.config.epsilon, self.config.gamma, self.rng)
