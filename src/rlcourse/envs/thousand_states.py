"""The 1000-state random walk of Example 9.1: too many states for what is learned in time, if each learns alone.

States 0 to 999 (the book's 1 to 1000) lie in a row, and an episode begins in state 499. A step leads to one of the 100 states to the left
or one of the 100 to the right. From near an end that is further than the end: the episode then ends, in state 1000 beyond the left one with
reward -1, in 1001 beyond the right one with +1. Other rewards are zero. The action is the side, left or right; the walk of the book is
the equiprobable policy, whose values are nearly a straight line. The length of the jump is chance.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.mdp import MDP
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["ThousandStates", "make_env", "make_vec"]


class ThousandStates(NamedTuple):
    """The walk, as numbers: faster than its table of 100 outcomes per pair, which `model` makes.

    Attributes
    ----------
    n : int
        States that are not terminal.
    longest : int
        States that a jump passes at most.
    """

    n: int = 1000
    longest: int = 100

    @property
    def observation_space(self) -> gym.spaces.Discrete:
        """All states, and the two terminal ones."""
        return gym.spaces.Discrete(self.n + 2)

    @property
    def action_space(self) -> gym.spaces.Discrete:
        """Left and right."""
        return gym.spaces.Discrete(2)

    def reset(self, rng):
        """Begin in the middle: of an even number of states in the left one."""
        return (self.n - 1) // 2

    def step(self, state, action, rng):
        """Jump to a side; the terminal states keep what comes to them."""
        jump = 1 + int(rng.random() * self.longest)
        if state >= self.n:
            return state, 0.0, True, False
        following = state + jump if action == 1 else state - jump
        if following < 0:
            return self.n, -1.0, True, False
        if following >= self.n:
            return self.n + 1, 1.0, True, False
        return following, 0.0, False, False

    def observe(self, state):
        """Return the state."""
        return state

    def model(self) -> MDP:
        """Return the exact model: one outcome for each length of a jump."""
        jumps = np.arange(1, self.longest + 1)
        following = np.arange(self.n)[:, None, None] + np.array([-1, 1])[:, None] * jumps  # [n, 2, longest]
        left, right = following < 0, following >= self.n
        successor = np.where(left, self.n, np.where(right, self.n + 1, following))
        ends = np.broadcast_to(np.array([self.n, self.n + 1])[:, None, None], (2, 2, self.longest))
        successor = np.concatenate([successor, ends])
        reward = np.concatenate([right * 1.0 - left, np.zeros(ends.shape)])
        probability = np.full(successor.shape, 1.0 / self.longest)
        return MDP.from_arrays(probability, successor, reward, successor >= self.n, self.reset(None))


def make_env(render_mode: str | None = None, n: int = 1000, longest: int = 100) -> WorldEnv:
    """Make ``rlcourse/RandomWalk1000-v0``."""
    from rlcourse.envs.drawing_examples import long_walk, long_walk_text

    return WorldEnv(ThousandStates(n, longest), render_mode=render_mode, picture=long_walk, text=long_walk_text, fps=8)


def make_vec(num_envs: int = 1, n: int = 1000, longest: int = 100, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(ThousandStates(n, longest), num_envs, **options)
