"""The maximisation-bias task of Example 6.7: a maximum over noise looks better than nothing.

Every episode begins in A. Right ends it with reward 0; left leads to B, also with reward 0. All of B's many actions end the
episode, with a reward drawn from a normal distribution of mean -0.1 and deviation 1. So left is always a mistake; yet the largest
of B's estimated values is often positive, and an agent that bootstraps from it goes left. States: A = 0, B = 1, the end right of A
= 2, the end left of B = 3. In A action 0 is left and 1 is right; the further ones are right too, and do not exist in
`initial_values`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.mdp import MDP
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["MaximizationBias", "make_env", "make_vec"]

A, B, RIGHT_END, LEFT_END = range(4)


class MaximizationBias(NamedTuple):
    """The task of Example 6.7."""

    actions: int = 10  # of B; the book says "many"
    mean: float = -0.1
    deviation: float = 1.0

    @property
    def observation_space(self) -> gym.spaces.Discrete:
        """A, B and the two ends."""
        return gym.spaces.Discrete(4)

    @property
    def action_space(self) -> gym.spaces.Discrete:
        """As many as B has."""
        return gym.spaces.Discrete(self.actions)

    def reset(self, rng):
        """Begin in A."""
        return A

    def step(self, state, action, rng):
        """Go left or right from A; take a normal reward from B."""
        if state == B:
            return LEFT_END, self.mean + self.deviation * rng.standard_normal(), True, False
        if state == A and action == 0:
            return B, 0.0, False, False
        return RIGHT_END if state == A else state, 0.0, True, False

    def observe(self, state):
        """Return the state."""
        return state

    def model(self) -> MDP:
        """Return the task with expected rewards: the same values."""
        table = {s: {a: [(1.0, s, 0.0, True)] for a in range(self.actions)} for s in range(4)}
        table[A] = {a: [(1.0, RIGHT_END, 0.0, True) if a else (1.0, B, 0.0, False)] for a in range(self.actions)}
        table[B] = {a: [(1.0, LEFT_END, self.mean, True)] for a in range(self.actions)}
        return MDP.of(table, A)

    def initial_values(self) -> np.ndarray:
        """Return action values of zero, shape [4, actions], and -inf for those of A's that do not exist."""
        Q = np.zeros((4, self.actions))
        Q[A, 2:] = -np.inf
        return Q


def make_env(render_mode: str | None = None) -> WorldEnv:
    """Make ``rlcourse/MaximizationBias-v0``."""
    from rlcourse.envs.drawing_chain import Chain

    chain = Chain([LEFT_END, B, A, RIGHT_END], ["", "B", "A", ""], (LEFT_END, RIGHT_END), ["-0.1±1", "0", "0"], goal=RIGHT_END)
    return WorldEnv(MaximizationBias(), render_mode=render_mode, picture=chain.picture, text=chain.text, fps=2)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(MaximizationBias(), num_envs, **options)
