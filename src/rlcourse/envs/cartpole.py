"""CartPole: keep a pole upright on a cart (Barto, Sutton & Anderson 1983), step for step as Gymnasium's CartPole-v1.

State = (position, velocity, angle, angular velocity), all seen. Actions push the cart left or right with a fixed force. Reward +1 a
step; the episode ends when the pole leans over 12 degrees or the cart leaves the track. The equations are those of Florian (2007),
integrated by Euler's method.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["CartPole", "make_env", "make_env_pole", "make_vec", "make_vec_pole", "pole_balancing"]


class CartPole(NamedTuple):
    """The cart and the pole; the constants are fields, in SI units: a variant is ``CartPole()._replace(...)``."""

    gravity: float = 9.8
    cart_mass: float = 1.0
    pole_mass: float = 0.1
    half_length: float = 0.5
    force: float = 10.0
    dt: float = 0.02
    max_angle: float = 12 * 2 * math.pi / 360
    max_position: float = 2.4
    spread: float = 0.05  # of the start, to either side; 0 is at rest, upright, in the middle

    @property
    def observation_space(self) -> gym.spaces.Box:
        """Position, velocity, angle, angular velocity; twice the limits, so that the failing state lies inside."""
        high = np.array([2 * self.max_position, np.inf, 2 * self.max_angle, np.inf], dtype=np.float32)
        return gym.spaces.Box(-high, high, dtype=np.float32)

    @property
    def action_space(self) -> gym.spaces.Discrete:
        """Push left (0) or right (1)."""
        return gym.spaces.Discrete(2)

    def reset(self, rng):
        """Begin near the middle and upright: each variable uniform in [-spread, spread)."""
        width = 2 * self.spread
        x = -self.spread + width * rng.random()
        x_dot = -self.spread + width * rng.random()
        theta = -self.spread + width * rng.random()
        theta_dot = -self.spread + width * rng.random()
        return x, x_dot, theta, theta_dot

    def step(self, state, action, rng):
        """Push for `dt` seconds."""
        x, x_dot, theta, theta_dot = state
        force = self.force if action == 1 else -self.force
        mass = self.pole_mass + self.cart_mass
        pole = self.pole_mass * self.half_length
        cos, sin = math.cos(theta), math.sin(theta)
        push = (force + pole * (theta_dot * theta_dot) * sin) / mass
        theta_acc = (self.gravity * sin - cos * push) / (self.half_length * (4.0 / 3.0 - self.pole_mass * (cos * cos) / mass))
        x_acc = push - pole * theta_acc * cos / mass
        x = x + self.dt * x_dot
        x_dot = x_dot + self.dt * x_acc
        theta = theta + self.dt * theta_dot
        theta_dot = theta_dot + self.dt * theta_acc
        fallen = not (-self.max_position <= x <= self.max_position and -self.max_angle <= theta <= self.max_angle)
        return (x, x_dot, theta, theta_dot), 1.0, fallen, False

    def observe(self, state):
        """Return the state: all of it is seen."""
        return state


def make_env(render_mode: str | None = None) -> WorldEnv:
    """Make ``rlcourse/CartPole-v1``."""
    from rlcourse.envs.drawing import cartpole

    return WorldEnv(CartPole(), render_mode=render_mode, picture=cartpole, fps=50)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(CartPole(), num_envs, **options)


def pole_balancing() -> CartPole:
    """Make the task of Barto, Sutton & Anderson (1983), also that of Figure 12.14: begins at rest, upright, in the middle."""
    return CartPole(spread=0.0)


def make_env_pole(render_mode: str | None = None) -> WorldEnv:
    """Make ``rlcourse/PoleBalancing-v0``."""
    from rlcourse.envs.drawing import cartpole

    return WorldEnv(pole_balancing(), render_mode=render_mode, picture=cartpole, fps=50)


def make_vec_pole(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies of `pole_balancing`."""
    return WorldVectorEnv(pole_balancing(), num_envs, **options)
