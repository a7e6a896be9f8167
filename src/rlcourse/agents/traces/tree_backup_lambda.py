"""Tree-Backup(lambda), TB(lambda): off-policy traces without importance sampling (Sec. 12.10; Precup, Sutton & Singh 2000).

The true heir of Q-learning: each step takes the expectation over the next actions, and the trace goes on only by the share that the
target policy gives to the action taken. So no ratio can grow, and behaviour may be anything:

    z <- gamma lambda pi(A|S) z + x(S, A);    w <- w + alpha delta z;    delta = R + gamma sum_a pi(a|S') q(S', a, w) - q(S, A, w)

The target policy pi is epsilon-greedy with a rate of its own, 0 for greedy: then TB(lambda) is Watkins's Q(lambda), except where greedy
actions tie and share. lambda = 0 is the one-step tree backup. A truncated episode bootstraps from its last state.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.core.box import box
from rlcourse.core.config import Discount, Probability, StepSize
from rlcourse.core.linear import add_action, q_hat
from rlcourse.core.policies import epsilon_greedy, epsilon_greedy_probabilities, expected_value
from rlcourse.core.traces import step_and_fade
from rlcourse.core.trial import Trial

__all__ = ["TreeBackupLambda", "TreeBackupLambdaConfig", "tree_backup_lambda"]


@box
def tree_backup_lambda(world, features, w, alpha, gamma, lam, epsilon, target_epsilon, rng):
    """Tree-Backup(lambda) for estimating w^T x ~ q*, as Sec. 12.10 describes it."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize S
        x = features.x(S)
        z = np.zeros(w.shape)  # z <- 0
        done = False
        while not done:  # Loop for each step of episode:
            q = q_hat(x, w)
            A = epsilon_greedy(q, epsilon, rng)  # Choose A from S, epsilon-greedy according to q(S, ., w)
            z *= epsilon_greedy_probabilities(q, target_epsilon)[A]  # z <- gamma lambda pi(A|S) z: the rest at the end of the last step
            add_action(z, 1.0, x, A)  # ... + grad q(S, A, w)
            S, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            x = features.x(S)  # S <- S'
            target = R if terminated else R + gamma * expected_value(q_hat(x, w), target_epsilon)
            delta = target - q[A]  # delta <- R + gamma sum_a pi(a|S') q(S', a, w) - q(S, A, w)
            step_and_fade(w, alpha * delta, z, gamma * lam)  # w <- w + alpha delta z; z <- gamma lambda z
            done = terminated or truncated  # until S' is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class TreeBackupLambdaConfig(LinearConfig):
    """Settings of `TreeBackupLambda`, named as in the book."""

    alpha: StepSize = 0.0625  # step size; with n tilings a share of 1 / n
    gamma: Discount = 1.0  # discount rate
    lam: Probability = 0.9  # trace decay, lambda
    epsilon: Probability = 0.1  # probability of a random action, of the behaviour policy
    target_epsilon: Probability = 0.0  # probability of a random action, of the target policy; 0 is greedy


class TreeBackupLambda(LinearAgent):
    """Tree-Backup(lambda) on any environment with finite actions (Sec. 12.10)."""

    Config = TreeBackupLambdaConfig

    def _run(self, trial: Trial) -> None:
        c = self.config
        tree_backup_lambda(trial, self.features, self.w, c.alpha, c.gamma, c.lam, c.epsilon, c.target_epsilon, self.rng)
