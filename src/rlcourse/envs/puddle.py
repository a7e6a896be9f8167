"""Puddle world: to the far corner of a square, around or through two puddles (Sutton 1996).

State = (x, y) in the unit square. Four actions move 0.05 up, down, right or left, with Gaussian noise of 0.01 along both axes; walls
stop the move. Each step costs 1, and in a puddle 400 times the depth more: the distance to its nearest edge. The puddles are the
points within 0.1 of two segments, from (0.1, 0.75) to (0.45, 0.75) and from (0.45, 0.4) to (0.45, 0.8); where they meet, both cost. An
episode begins anywhere in the square and ends where x + y >= 1.9.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["PuddleWorld", "make_env", "make_vec"]


class PuddleWorld(NamedTuple):
    """The square; the constants are fields: a variant is ``PuddleWorld()._replace(...)``."""

    move: float = 0.05
    noise: float = 0.01
    radius: float = 0.1
    depth_cost: float = 400.0
    goal: float = 1.9
    left: float = 0.1  # the horizontal puddle, from here
    right: float = 0.45  # to here, where the vertical one lies
    height: float = 0.75  # of the horizontal one
    bottom: float = 0.4  # the vertical one, from here
    top: float = 0.8  # to here

    @property
    def observation_space(self) -> gym.spaces.Box:
        """Both coordinates."""
        return gym.spaces.Box(np.zeros(2, np.float32), np.ones(2, np.float32), dtype=np.float32)

    @property
    def action_space(self) -> gym.spaces.Discrete:
        """Up (0), down (1), right (2), left (3)."""
        return gym.spaces.Discrete(4)

    def reset(self, rng):
        """Begin anywhere but in the goal, uniformly."""
        x, y = rng.random(), rng.random()
        while x + y >= self.goal:
            x, y = rng.random(), rng.random()
        return x, y

    def depth(self, x, y):
        """Return how deep a point lies in the puddles, added up."""
        along = min(max(x, self.left), self.right)
        across = min(max(y, self.bottom), self.top)
        to_horizontal = math.sqrt((x - along) * (x - along) + (y - self.height) * (y - self.height))
        to_vertical = math.sqrt((x - self.right) * (x - self.right) + (y - across) * (y - across))
        return max(self.radius - to_horizontal, 0.0) + max(self.radius - to_vertical, 0.0)

    def step(self, state, action, rng):
        """Move one step; the depth that counts is where the move ends."""
        x, y = state
        dx = self.move if action == 2 else -self.move if action == 3 else 0.0
        dy = self.move if action == 0 else -self.move if action == 1 else 0.0
        x = min(max(x + dx + self.noise * rng.standard_normal(), 0.0), 1.0)
        y = min(max(y + dy + self.noise * rng.standard_normal(), 0.0), 1.0)
        return (x, y), -1.0 - self.depth_cost * self.depth(x, y), x + y >= self.goal, False

    def observe(self, state):
        """Return the state: all of it is seen."""
        return state


def make_env(render_mode: str | None = None) -> WorldEnv:
    """Make ``rlcourse/PuddleWorld-v0``."""
    from rlcourse.envs.drawing_puddle import puddle_world

    return WorldEnv(PuddleWorld(), render_mode=render_mode, picture=puddle_world, fps=15)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(PuddleWorld(), num_envs, **options)
