"""Mountain car with a throttle: as `MountainCar`, but the push is a number; step for step as Gymnasium's MountainCarContinuous-v0.

State = (position, velocity), both seen. Reward 100 at the goal on the right hill, and minus a tenth of the squared push at every step:
an agent that has not found the goal yet learns to do nothing, which makes this a test of exploration. Gymnasium's environment rounds
its state to single precision at every step, this one does not.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["MountainCarContinuous", "make_env", "make_vec"]


class MountainCarContinuous(NamedTuple):
    """The car in the valley; the constants are fields: a variant is ``MountainCarContinuous()._replace(...)``."""

    power: float = 0.0015
    gravity: float = 0.0025
    min_position: float = -1.2
    max_position: float = 0.6
    max_speed: float = 0.07
    goal_position: float = 0.45
    goal_velocity: float = 0.0

    @property
    def observation_space(self) -> gym.spaces.Box:
        """Position and velocity."""
        low = np.array([self.min_position, -self.max_speed], dtype=np.float32)
        high = np.array([self.max_position, self.max_speed], dtype=np.float32)
        return gym.spaces.Box(low, high, dtype=np.float32)

    @property
    def action_space(self) -> gym.spaces.Box:
        """Push, positive to the right; a larger one pushes no more, but costs."""
        return gym.spaces.Box(-1.0, 1.0, (1,), dtype=np.float32)

    def reset(self, rng):
        """Begin at rest near the bottom, uniform in [-0.6, -0.4)."""
        return -0.6 + (-0.4 - -0.6) * rng.random(), 0.0

    def step(self, state, action, rng):
        """Push for one time step."""
        position, velocity = state
        push = float(action[0])
        velocity += min(max(push, -1.0), 1.0) * self.power - math.cos(3 * position) * self.gravity
        velocity = min(max(velocity, -self.max_speed), self.max_speed)
        position = min(max(position + velocity, self.min_position), self.max_position)
        if position == self.min_position and velocity < 0:
            velocity = 0.0
        arrived = position >= self.goal_position and velocity >= self.goal_velocity
        return (position, velocity), (100.0 if arrived else 0.0) - 0.1 * (push * push), arrived, False

    def observe(self, state):
        """Return the state: all of it is seen."""
        return state


def make_env(render_mode: str | None = None) -> WorldEnv:
    """Make ``rlcourse/MountainCarContinuous-v0``."""
    from rlcourse.envs.drawing import mountain_car

    return WorldEnv(MountainCarContinuous(), render_mode=render_mode, picture=mountain_car)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(MountainCarContinuous(), num_envs, **options)
