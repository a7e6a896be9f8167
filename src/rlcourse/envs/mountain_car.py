"""Mountain car: an engine too weak for the hill (Moore 1990; Example 10.1), step for step as Gymnasium's MountainCar-v0.

The car must first drive away from the goal to gather speed. State = (position, velocity), both seen; actions push left, not at all, or
right. Reward -1 a step until the goal on the right hill. At the left wall the car stops. In the book the goal is the right end, position
0.5: ``MountainCar(max_position=0.5)``, registered as ``rlcourse/MountainCarBook-v0`` with a time limit of 10,000 steps, where it has none.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["MountainCar", "make_env", "make_vec"]


class MountainCar(NamedTuple):
    """The car in the valley; the constants are fields: a variant is ``MountainCar()._replace(...)``."""

    force: float = 0.001
    gravity: float = 0.0025
    min_position: float = -1.2
    max_position: float = 0.6
    max_speed: float = 0.07
    goal_position: float = 0.5
    goal_velocity: float = 0.0

    @property
    def observation_space(self) -> gym.spaces.Box:
        """Position and velocity."""
        low = np.array([self.min_position, -self.max_speed], dtype=np.float32)
        high = np.array([self.max_position, self.max_speed], dtype=np.float32)
        return gym.spaces.Box(low, high, dtype=np.float32)

    @property
    def action_space(self) -> gym.spaces.Discrete:
        """Push left (0), not at all (1), or right (2)."""
        return gym.spaces.Discrete(3)

    def reset(self, rng):
        """Begin at rest near the bottom, uniform in [-0.6, -0.4)."""
        return -0.6 + (-0.4 - -0.6) * rng.random(), 0.0

    def step(self, state, action, rng):
        """Push for one time step."""
        position, velocity = state
        velocity += (action - 1) * self.force - math.cos(3 * position) * self.gravity
        velocity = min(max(velocity, -self.max_speed), self.max_speed)
        position = min(max(position + velocity, self.min_position), self.max_position)
        if position == self.min_position and velocity < 0:
            velocity = 0.0
        arrived = position >= self.goal_position and velocity >= self.goal_velocity
        return (position, velocity), -1.0, arrived, False

    def observe(self, state):
        """Return the state: all of it is seen."""
        return state


def make_env(render_mode: str | None = None, max_position: float = 0.6) -> WorldEnv:
    """Make ``rlcourse/MountainCar-v0``, or the book's car."""
    from rlcourse.envs.drawing import mountain_car

    return WorldEnv(MountainCar(max_position=max_position), render_mode=render_mode, picture=mountain_car)


def make_vec(num_envs: int = 1, max_position: float = 0.6, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(MountainCar(max_position=max_position), num_envs, **options)
