"""Sarsa(lambda) with binary features and linear function approximation (Sec. 12.7).

The value of a pair is the sum of the weights of its active features, so that pairs with common features learn from one another:

    q(s, a, w) = sum of w[i] over i in F(s, a);    w <- w + alpha delta z;    z <- gamma lambda z,  after z[i] += 1 for i in F(S, A)

Here F is data: the active indices of every (state, action). With one feature for each pair it is the tabular agent, bit for bit.
Accumulating traces, or replacing ones (z[i] = 1). A truncated episode bootstraps from its last state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box, kernel
from rlcourse.core.config import Config, Discount, Probability, StepSize
from rlcourse.core.policies import epsilon_greedy
from rlcourse.core.trial import Trial

__all__ = ["LinearSarsaLambda", "LinearSarsaLambdaConfig", "linear_sarsa_lambda", "linear_values"]


@kernel
def linear_values(w, F):
    """Return q(s, a, w) of a state's actions, shape [A]: the sums of the weights of their features F [A, k]; -1 is none."""
    values = np.zeros(len(F))
    for a in range(len(F)):
        for i in F[a]:
            if i >= 0:
                values[a] += w[i]
    return values


@box
def linear_sarsa_lambda(world, F, w, alpha, gamma, lam, epsilon, replacing, rng):
    """Sarsa(lambda) with binary features for estimating w^T x ~ q*, the box of Sec. 12.7; F [S, A, k]."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize S
        A = epsilon_greedy(linear_values(w, F[S]), epsilon, rng)  # Choose A ~ pi(.|S), epsilon-greedy by q(S, ., w)
        z = np.zeros(len(w))  # z <- 0
        done = False
        while not done:  # Loop for each step of episode:
            S_, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            after = linear_values(w, F[S_])
            A_ = epsilon_greedy(after, epsilon, rng)  # Choose A' ~ pi(.|S')
            target = R if terminated else R + gamma * after[A_]
            delta = target - linear_values(w, F[S])[A]  # delta <- R + gamma q(S', A') - q(S, A)
            for i in F[S, A]:  # Loop for i in F(S, A):
                if i >= 0:
                    z[i] = 1.0 if replacing else z[i] + 1.0
            w += (alpha * delta) * z  # w <- w + alpha delta z
            z *= gamma * lam  # z <- gamma lambda z
            S, A = S_, A_  # S <- S'; A <- A'
            done = terminated or truncated  # until S' is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class LinearSarsaLambdaConfig(Config):
    """Settings of `LinearSarsaLambda`, named as in the book."""

    alpha: StepSize = 0.1  # step size
    gamma: Discount = 1.0  # discount rate
    lam: Probability = 0.8  # trace decay, lambda
    epsilon: Probability = 0.1  # probability of a random action
    replacing: bool = False  # replacing traces instead of accumulating ones


class LinearSarsaLambda(TabularAgent):
    """Sarsa(lambda) over binary features, where observations and actions are finite (Sec. 12.7).

    Parameters
    ----------
    features : ndarray of int, shape [S, A, k], optional
        Active features of each pair, counted from 0; -1 fills up. One feature for each pair where None.

    Attributes
    ----------
    w : ndarray of float64, shape [features]
        Weights.
    """

    Config = LinearSarsaLambdaConfig
    tables = ("w",)

    def __init__(self, env: Any, *, features: Any = None, **settings: Any) -> None:
        self._given_features = features
        super().__init__(env, **settings)

    def _build(self) -> None:
        super()._build()
        S, A = self.Q.shape
        given = np.arange(S * A).reshape(S, A, 1) if self._given_features is None else np.asarray(self._given_features)
        if given.ndim != 3 or given.shape[:2] != (S, A) or given.dtype.kind not in "iu" or given.min() < -1 or given.max() < 0:
            raise ValueError(f"features must be whole numbers >= -1 of shape ({S}, {A}, k), not {given.dtype} of shape {given.shape}")
        self.features = np.ascontiguousarray(given, dtype=np.int64)
        self.w = np.zeros(int(given.max()) + 1)

    def _run(self, trial: Trial) -> None:
        c = self.config
        linear_sarsa_lambda(trial, self.features, self.w, c.alpha, c.gamma, c.lam, c.epsilon, c.replacing, self.rng)

    def action_values(self, states: np.ndarray) -> np.ndarray:
        """Return q(s, a, w) of states, shape [n, A]."""
        return np.asarray(np.append(self.w, 0.0)[self.features[states]].sum(axis=-1))  # -1 finds the weight 0

    def state_dict(self) -> dict[str, Any]:
        """Return weights, features, settings and generator; see `Agent.state_dict`."""
        return super().state_dict() | {"features": self.features.copy()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over weights, features, settings and generator; see `Agent.load_state_dict`."""
        self.features, self.w = state["features"].copy(), np.zeros_like(state["w"])
        super().load_state_dict(state)
