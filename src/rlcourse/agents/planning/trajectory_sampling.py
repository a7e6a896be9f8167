"""Trajectory sampling: spend planning updates where the policy goes (Sec. 8.6).

Dynamic programming sweeps through all states, also through those that a good policy hardly ever meets. A planner may instead simulate
episodes with the model, under its present policy, and update the pairs that come along: the on-policy distribution. Both use the
same expected update and differ in nothing but which pair is next:

    Q(s, a) <- sum_{s', r} p(s', r | s, a) [r + gamma max_a' Q(s', a')]

Following the policy is faster at first, the more so the larger the task and the fewer its branches: uninteresting parts of the state
space wait. In the long run it is slower, because it updates the same pairs again and again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box, kernel
from rlcourse.core.config import Config, Discount, Probability
from rlcourse.core.history import History
from rlcourse.core.policies import epsilon_greedy
from rlcourse.core.trial import Trial

__all__ = [
    "TrajectorySampling",
    "TrajectorySamplingConfig",
    "expected_update",
    "on_policy_updates",
    "uniform_updates",
]


@kernel
def expected_update(model, Q, S, A, gamma):
    """Return sum_{s', r} p(s', r | S, A) [r + gamma max_a Q(s', a)]."""
    total = 0.0
    for k in range(model.successor.shape[2]):
        after = 0.0 if model.terminal[S, A, k] else gamma * np.max(Q[model.successor[S, A, k]])
        total += model.probability[S, A, k] * (model.reward[S, A, k] + after)
    return total


@box
def on_policy_updates(world, model, Q, gamma, epsilon, rng):
    """Expected updates along simulated episodes of the epsilon-greedy policy."""
    while world.more():  # Loop for each simulated episode:
        S = world.reset(rng)  # S <- a start state
        done = False
        while not done:  # Loop for each step:
            A = epsilon_greedy(Q[S], epsilon, rng)  # A <- epsilon-greedy(S, Q)
            Q[S, A] = expected_update(model, Q, S, A, gamma)  # Q(S, A) <- its expected update
            S, _, terminated, truncated = world.step(S, A, rng)  # S <- a next state, drawn from p(. | S, A)
            done = terminated or truncated


@box
def uniform_updates(world, model, Q, pairs, gamma):
    """Expected updates of all pairs in turn, in place; `pairs` are their numbers A * s + a."""
    while world.more():  # Loop:
        delta = 0.0
        for pair in pairs:  # Loop for each s in S, a in A(s):
            S, A = pair // Q.shape[1], pair % Q.shape[1]
            q = Q[S, A]
            Q[S, A] = expected_update(model, Q, S, A, gamma)  # Q(s, a) <- its expected update
            delta = max(delta, abs(Q[S, A] - q))
        world.sweep(delta, len(pairs))


@dataclass(frozen=True)
class TrajectorySamplingConfig(Config):
    """Settings of `TrajectorySampling`."""

    gamma: Discount = 1.0  # discount rate
    epsilon: Probability = 0.1  # probability of a random action in simulated episodes
    distribution: Literal["on-policy", "uniform"] = "on-policy"  # follow the policy, or sweep through all pairs


class TrajectorySampling(TabularAgent):
    """Expected updates with an exact model, on the on-policy distribution or on the uniform one (Sec. 8.6).

    A step is one update. On-policy, `episodes` are simulated episodes; else they are sweeps, of which `history` has the
    largest change, as `ValueIteration` has.
    """

    Config = TrajectorySamplingConfig

    def _build(self) -> None:
        super()._build()
        self.model = self._model()
        if self.config.distribution == "uniform":
            self.history = History(("delta", "updates", "terminated", "timesteps"))

    def _run(self, trial: Trial) -> None:
        if self.config.distribution == "uniform":
            uniform_updates(trial, self.model, self.Q, np.arange(self.Q.size), self.config.gamma)
        else:
            on_policy_updates(trial, self.model, self.Q, self.config.gamma, self.config.epsilon, self.rng)
