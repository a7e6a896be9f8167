"""True online Sarsa(lambda): the lambda-return seen from every moment, at the cost of a trace (Sec. 12.5, 12.7; van Seijen 2014).

The best one could do online is to go back at each step and redo all updates of the episode with lambda-returns that look up to now. True
online Sarsa(lambda) arrives at the very same weights, by a dutch trace and two terms in Q - Q_old: what the last step did to q(S, A).

    z <- gamma lambda z + (1 - alpha gamma lambda z^T x) x                                  (12.11)
    w <- w + alpha (delta + Q - Q_old) z - alpha (Q - Q_old) x

Without these terms a dutch trace is only another kind of trace of `SarsaLambda`. lambda = 0 is semi-gradient Sarsa. A truncated episode
bootstraps from its last state.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.core.box import box
from rlcourse.core.config import Discount, Probability, StepSize
from rlcourse.core.linear import add_action, q_hat, q_hat_of
from rlcourse.core.policies import epsilon_greedy
from rlcourse.core.traces import DUTCH, imprint, step_and_fade
from rlcourse.core.trial import Trial

__all__ = ["TrueOnlineSarsaLambda", "TrueOnlineSarsaLambdaConfig", "true_online_sarsa_lambda"]


@box
def true_online_sarsa_lambda(world, features, w, alpha, gamma, lam, epsilon, rng):
    """True online Sarsa(lambda) for estimating w^T x ~ q*, the box of Sec. 12.7."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize S
        x = features.x(S)  # x <- x(S, A)
        A = epsilon_greedy(q_hat(x, w), epsilon, rng)  # Choose A ~ pi(.|S) or near greedily from S using w
        z, Q_old = np.zeros(w.shape), 0.0  # z <- 0; Q_old <- 0
        done = False
        while not done:  # Loop for each step of episode:
            S, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            x_ = features.x(S)  # x' <- x(S', A'), 0 if S' is terminal
            q_ = q_hat(x_, w)
            A_ = epsilon_greedy(q_, epsilon, rng)  # Choose A' ~ pi(.|S') or near greedily from S' using w
            Q = q_hat_of(x, w, A)  # Q <- w^T x
            Q_ = 0.0 if terminated else q_[A_]  # Q' <- w^T x'
            delta = R + gamma * Q_ - Q  # delta <- R + gamma Q' - Q
            imprint(z, x, A, DUTCH, alpha)  # z <- gamma lambda z + (1 - alpha gamma lambda z^T x) x
            step_and_fade(w, alpha * (delta + Q - Q_old), z, gamma * lam)  # w <- w + alpha (delta + Q - Q_old) z
            add_action(w, -alpha * (Q - Q_old), x, A)  # ... - alpha (Q - Q_old) x
            Q_old = Q_  # Q_old <- Q'
            x, A = x_, A_  # x <- x'; A <- A'
            done = terminated or truncated  # until S' is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class TrueOnlineSarsaLambdaConfig(LinearConfig):
    """Settings of `TrueOnlineSarsaLambda`, named as in the book."""

    alpha: StepSize = 0.0625  # step size; with n tilings a share of 1 / n
    gamma: Discount = 1.0  # discount rate
    lam: Probability = 0.9  # trace decay, lambda
    epsilon: Probability = 0.1  # probability of a random action


class TrueOnlineSarsaLambda(LinearAgent):
    """True online Sarsa(lambda) on any environment with finite actions (Sec. 12.7)."""

    Config = TrueOnlineSarsaLambdaConfig

    def _run(self, trial: Trial) -> None:
        c = self.config
        true_online_sarsa_lambda(trial, self.features, self.w, c.alpha, c.gamma, c.lam, c.epsilon, self.rng)
