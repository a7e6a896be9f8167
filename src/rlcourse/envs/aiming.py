"""Aiming: one step, in which a number must be close to a target that depends on what is seen; the optimum is known.

What is seen is a number s, uniform in [-1, 1]. The action is a number too, and the reward is minus its squared distance from
offset + slope s. A Gaussian policy of mean mu(s) and deviation sigma is worth -E[(mu(s) - offset - slope s)^2] - sigma^2.
"""

from __future__ import annotations

from typing import NamedTuple

import gymnasium as gym
import numpy as np

__all__ = ["Aiming"]


class Aiming(NamedTuple):
    """The task; the fields are the line on which the targets lie."""

    offset: float = 1.0
    slope: float = 2.0
    bound: float = 20.0

    @property
    def observation_space(self) -> gym.spaces.Box:
        """What the target depends on."""
        return gym.spaces.Box(-1.0, 1.0, (1,), dtype=np.float64)

    @property
    def action_space(self) -> gym.spaces.Box:
        """Where one aims."""
        return gym.spaces.Box(-self.bound, self.bound, (1,), dtype=np.float64)

    def reset(self, rng):
        """Show a number."""
        return (2.0 * rng.random() - 1.0,)

    def step(self, state, action, rng):
        """Shoot."""
        miss = float(action[0]) - self.offset - self.slope * state[0]
        return state, -(miss * miss), True, False

    def observe(self, state):
        """Return the state: all of it is seen."""
        return state
