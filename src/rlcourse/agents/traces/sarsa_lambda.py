"""Sarsa(lambda): on-policy control with eligibility traces over linear action values (Sec. 12.7).

One-step Sarsa tells only the last pair what it has learned. A trace z, as long as the weights, remembers which features have been active,
fades by gamma lambda a step, and all of them share each TD error:

    z <- gamma lambda z + x(S, A);    w <- w + alpha delta z;    delta = R + gamma q(S', A', w) - q(S, A, w)        (12.5-12.7)

What a feature that comes back does to its trace is the kind of the traces (`rlcourse.core.traces`): with binary features replacing
ones, at most 1, allow larger steps than accumulating ones (Fig. 12.11). lambda = 0 is semi-gradient Sarsa; one feature per state
makes it the tabular method. A truncated episode bootstraps from its last state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.core.box import box
from rlcourse.core.config import Discount, Probability, StepSize
from rlcourse.core.linear import q_hat, q_hat_of
from rlcourse.core.policies import epsilon_greedy
from rlcourse.core.traces import KINDS, imprint, step_and_fade
from rlcourse.core.trial import Trial

__all__ = ["SarsaLambda", "SarsaLambdaConfig", "sarsa_lambda"]


@box
def sarsa_lambda(world, features, w, alpha, gamma, lam, epsilon, traces, rng):
    """Sarsa(lambda) for estimating w^T x ~ q*, the box of Sec. 12.7."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize S
        x = features.x(S)
        A = epsilon_greedy(q_hat(x, w), epsilon, rng)  # Choose A ~ pi(.|S) or epsilon-greedy according to q(S, ., w)
        z = np.zeros(w.shape)  # z <- 0
        done = False
        while not done:  # Loop for each step of episode:
            S, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            x_ = features.x(S)
            q_ = q_hat(x_, w)
            A_ = epsilon_greedy(q_, epsilon, rng)  # Choose A' ~ pi(.|S') or near greedily ~ q(S', ., w)
            target = R if terminated else R + gamma * q_[A_]
            delta = target - q_hat_of(x, w, A)  # delta <- R + gamma q(S', A', w) - q(S, A, w)
            imprint(z, x, A, traces, alpha)  # z_i <- z_i + 1 or z_i <- 1, for i in F(S, A)
            step_and_fade(w, alpha * delta, z, gamma * lam)  # w <- w + alpha delta z; z <- gamma lambda z
            x, A = x_, A_  # S <- S'; A <- A'
            done = terminated or truncated  # until S' is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class SarsaLambdaConfig(LinearConfig):
    """Settings of `SarsaLambda`, named as in the book."""

    alpha: StepSize = 0.0625  # step size; with n tilings a share of 1 / n
    gamma: Discount = 1.0  # discount rate
    lam: Probability = 0.9  # trace decay, lambda
    epsilon: Probability = 0.1  # probability of a random action
    traces: Literal["accumulating", "replacing", "clearing", "dutch"] = "accumulating"  # replacing and clearing: binary features only


class SarsaLambda(LinearAgent):
    """Sarsa(lambda) on any environment with finite actions (Sec. 12.7)."""

    Config = SarsaLambdaConfig

    def _check_features(self) -> None:
        super()._check_features()
        kind = self.config.traces
        if kind in ("replacing", "clearing") and self.features.x(self._state_of(self._some_observation())).dtype != np.int64:
            raise ValueError(f"traces: {kind} ones need binary features, and these are vectors: take accumulating or dutch traces")

    def _run(self, trial: Trial) -> None:
        c = self.config
        sarsa_lambda(trial, self.features, self.w, c.alpha, c.gamma, c.lam, c.epsilon, KINDS.index(c.traces), self.rng)
