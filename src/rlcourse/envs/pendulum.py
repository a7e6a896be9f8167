"""Pendulum: swing up and hold, by a torque too weak to lift it at once; step for step as Gymnasium's Pendulum-v1.

State = (angle from upright, angular velocity); seen are cosine and sine of the angle, and the velocity. The action is a torque.
Reward is minus a quadratic cost of angle, velocity and torque. Episodes never terminate: only the time limit cuts them, which is
why bootstrapping at truncation matters here.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["Pendulum", "make_env", "make_vec"]


class Pendulum(NamedTuple):
    """A rod with a motor at its pivot; SI units; a variant is ``Pendulum()._replace(...)``."""

    gravity: float = 10.0
    mass: float = 1.0
    length: float = 1.0
    dt: float = 0.05
    max_speed: float = 8.0
    max_torque: float = 2.0

    @property
    def observation_space(self) -> gym.spaces.Box:
        """Cosine and sine of the angle, angular velocity."""
        high = np.array([1.0, 1.0, self.max_speed], dtype=np.float32)
        return gym.spaces.Box(-high, high, dtype=np.float32)

    @property
    def action_space(self) -> gym.spaces.Box:
        """Torque; larger ones are clipped."""
        return gym.spaces.Box(-self.max_torque, self.max_torque, (1,), dtype=np.float32)

    def reset(self, rng):
        """Begin anywhere: angle uniform in [-pi, pi), velocity in [-1, 1)."""
        theta = -math.pi + 2.0 * math.pi * rng.random()
        return theta, -1.0 + 2.0 * rng.random()

    def step(self, state, action, rng):
        """Turn for `dt` seconds."""
        theta, speed = state
        torque = min(max(float(action[0]), -self.max_torque), self.max_torque)
        angle = ((theta + math.pi) % (2.0 * math.pi)) - math.pi
        cost = angle * angle + 0.1 * (speed * speed) + 0.001 * (torque * torque)  # products: ** rounds differently when compiled
        weight = 3.0 * self.gravity / (2.0 * self.length) * math.sin(theta)
        speed = speed + (weight + 3.0 / (self.mass * self.length * self.length) * torque) * self.dt
        speed = min(max(speed, -self.max_speed), self.max_speed)
        return (theta + speed * self.dt, speed), -cost, False, False

    def observe(self, state):
        """Return cosine and sine of the angle, and the velocity."""
        return math.cos(state[0]), math.sin(state[0]), state[1]


def make_env(render_mode: str | None = None) -> WorldEnv:
    """Make ``rlcourse/Pendulum-v1``."""
    from rlcourse.envs.drawing import pendulum

    return WorldEnv(Pendulum(), render_mode=render_mode, picture=pendulum)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(Pendulum(), num_envs, **options)
