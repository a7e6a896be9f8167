"""Acrobot: a gymnast on a bar, driven at the hips only (Sutton 1996), step for step as Gymnasium's Acrobot-v1.

State = (angle of the first link from hanging, angle of the second relative to it, both angular velocities); seen are cosines and
sines of the angles, and the velocities. Reward -1 a step until the feet swing one link's length above the bar. The equations of
motion are those of the book's first edition, integrated by one Runge-Kutta step of 0.2 s.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.box import kernel
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["Acrobot", "make_env", "make_vec"]


class Acrobot(NamedTuple):
    """Two links; SI units; a variant is ``Acrobot()._replace(...)``."""

    mass_1: float = 1.0
    mass_2: float = 1.0
    length_1: float = 1.0
    center_1: float = 0.5  # from the joint to the centre of mass
    center_2: float = 0.5
    inertia: float = 1.0  # of each link
    gravity: float = 9.8
    dt: float = 0.2
    max_speed_1: float = 4 * math.pi
    max_speed_2: float = 9 * math.pi

    @property
    def observation_space(self) -> gym.spaces.Box:
        """Cosine and sine of both angles, and both velocities."""
        high = np.array([1.0, 1.0, 1.0, 1.0, self.max_speed_1, self.max_speed_2], dtype=np.float32)
        return gym.spaces.Box(-high, high, dtype=np.float32)

    @property
    def action_space(self) -> gym.spaces.Discrete:
        """Torque -1, 0 or +1 at the second joint."""
        return gym.spaces.Discrete(3)

    def reset(self, rng):
        """Begin almost hanging, each variable uniform in [-0.1, 0.1), rounded to float32 as Gymnasium's is."""
        a = float(np.float32(-0.1 + 0.2 * rng.random()))
        b = float(np.float32(-0.1 + 0.2 * rng.random()))
        c = float(np.float32(-0.1 + 0.2 * rng.random()))
        d = float(np.float32(-0.1 + 0.2 * rng.random()))
        return a, b, c, d

    def step(self, state, action, rng):
        """Swing for `dt` seconds."""
        torque = float(action - 1)
        h = self.dt
        k1 = acceleration(self, state, torque)
        k2 = acceleration(self, moved(state, k1, h / 2.0), torque)
        k3 = acceleration(self, moved(state, k2, h / 2.0), torque)
        k4 = acceleration(self, moved(state, k3, h), torque)
        theta_1 = wrapped(state[0] + h / 6.0 * (k1[0] + 2 * k2[0] + 2 * k3[0] + k4[0]))
        theta_2 = wrapped(state[1] + h / 6.0 * (k1[1] + 2 * k2[1] + 2 * k3[1] + k4[1]))
        speed_1 = state[2] + h / 6.0 * (k1[2] + 2 * k2[2] + 2 * k3[2] + k4[2])
        speed_2 = state[3] + h / 6.0 * (k1[3] + 2 * k2[3] + 2 * k3[3] + k4[3])
        speed_1 = min(max(speed_1, -self.max_speed_1), self.max_speed_1)
        speed_2 = min(max(speed_2, -self.max_speed_2), self.max_speed_2)
        up = -math.cos(theta_1) - math.cos(theta_2 + theta_1) > 1.0
        return (theta_1, theta_2, speed_1, speed_2), 0.0 if up else -1.0, up, False

    def observe(self, state):
        """Return cosine and sine of both angles, and both velocities."""
        return math.cos(state[0]), math.sin(state[0]), math.cos(state[1]), math.sin(state[1]), state[2], state[3]


@kernel
def acceleration(body, state, torque):
    """Return the time derivative of the state under a torque at the second joint."""
    theta_1, theta_2, speed_1, speed_2 = state
    m1, m2, l1, c1, c2, g = body.mass_1, body.mass_2, body.length_1, body.center_1, body.center_2, body.gravity
    cos, sin = math.cos(theta_2), math.sin(theta_2)
    d1 = m1 * (c1 * c1) + m2 * (l1 * l1 + c2 * c2 + 2 * l1 * c2 * cos) + 2 * body.inertia
    d2 = m2 * (c2 * c2 + l1 * c2 * cos) + body.inertia
    phi_2 = m2 * c2 * g * math.cos(theta_1 + theta_2 - math.pi / 2.0)
    phi_1 = phi_2 + (m1 * c1 + m2 * l1) * g * math.cos(theta_1 - math.pi / 2.0)
    phi_1 -= m2 * l1 * c2 * speed_2 * (speed_2 + 2 * speed_1) * sin
    pull = torque + d2 / d1 * phi_1 - m2 * l1 * c2 * (speed_1 * speed_1) * sin - phi_2
    acc_2 = pull / (m2 * (c2 * c2) + body.inertia - d2 * d2 / d1)
    return speed_1, speed_2, -(d2 * acc_2 + phi_1) / d1, acc_2


@kernel
def moved(state, rate, h):
    """Return the state after a straight step."""
    return state[0] + h * rate[0], state[1] + h * rate[1], state[2] + h * rate[2], state[3] + h * rate[3]


@kernel
def wrapped(angle):
    """Return an angle in [-pi, pi]."""
    while angle > math.pi:
        angle -= 2 * math.pi
    while angle < -math.pi:
        angle += 2 * math.pi
    return angle


def make_env(render_mode: str | None = None) -> WorldEnv:
    """Make ``rlcourse/Acrobot-v1``."""
    from rlcourse.envs.drawing import acrobot

    return WorldEnv(Acrobot(), render_mode=render_mode, picture=acrobot, fps=15)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(Acrobot(), num_envs, **options)
