"""The on-line lambda-return algorithm: all updates are made again at every step (Sec. 12.4).

Why wait for the end to use what is known? At each time h form the lambda-returns that look as far as h, go back to the weights with which
the episode began, and make all updates since then anew:

    w^h_t+1 = w^h_t + alpha [G^lambda_t:h - v(S_t, w^h_t)] grad v(S_t, w^h_t),   0 <= t < h,   w^h_0 the same for all h

The weights after time h are w_h = w^h_h; each state is valued once, by the weights of the time before it was seen. At the end of the
episode h = T and no return is cut off any more. It is the ideal that others approximate, and costs time in proportion
to the square of the episode's length. True online TD(lambda) computes exactly the same, step by step, in constant time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.core.box import box
from rlcourse.core.config import Discount, Probability, StepSize
from rlcourse.core.linear import add, pi, v_hat
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["OnlineLambdaReturn", "OnlineLambdaReturnConfig", "online_lambda_return"]


@box
def online_lambda_return(world, policy, features, w, alpha, gamma, lam, rng):
    """On-line lambda-return algorithm for estimating v ~ v_pi (Sec. 12.4, which has no box)."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)
        xs, rewards, V = [features.x(S)], [0.0], [0.0]  # x(S_k), R_k, and v(S_k, w_k-1)
        w_0 = w.copy()
        h, done = 0, False
        while not done:  # Loop for h = 1, 2, ..., T:
            S, R, terminated, truncated = world.step(S, sample(pi(policy, S), rng), rng)  # Observe R_h, S_h
            xs.append(features.x(S))
            rewards.append(R)
            V.append(0.0 if terminated else v_hat(xs[-1], w))
            h += 1
            G = np.empty(h + 1)
            G[h] = V[h]
            for k in range(h - 1, -1, -1):  # G_k <- G^lambda_k:h
                G[k] = rewards[k + 1] + gamma * ((1.0 - lam) * V[k + 1] + lam * G[k + 1])
            w[:] = w_0  # w <- w^h_0
            for t in range(h):  # Loop for t = 0, 1, ..., h - 1:
                add(w, alpha * (G[t] - v_hat(xs[t], w)), xs[t])  # w <- w + alpha [G^lambda_t:h - v(S_t, w)] grad v(S_t, w)
            done = terminated or truncated  # until S_h is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class OnlineLambdaReturnConfig(LinearConfig):
    """Settings of `OnlineLambdaReturn`, named as in the book."""

    lam: Probability = 0.8  # lambda: 0 is TD(0), 1 is Monte Carlo at the episode's end
    alpha: StepSize = 0.05  # step size
    gamma: Discount = 1.0  # discount rate


class OnlineLambdaReturn(LinearAgent):
    """The on-line lambda-return algorithm for a given policy (Sec. 12.4); `TrueOnlineTDLambda` is the same, fast."""

    Config = OnlineLambdaReturnConfig
    inputs = ("policy",)
    values_of_states = True

    def _run(self, trial: Trial) -> None:
        c = self.config
        online_lambda_return(trial, self.policy, self.features, self.w, c.alpha, c.gamma, c.lam, self.rng)
