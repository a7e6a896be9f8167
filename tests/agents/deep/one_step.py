"""A world whose values are known by hand, for what agents bootstrap from at an end."""

from typing import NamedTuple

import gymnasium as gym
import numpy as np


class OneStep(NamedTuple):
    """An episode of one step with reward 1: terminated, or endless but for the time limit."""

    terminates: bool = True

    @property
    def observation_space(self):
        return gym.spaces.Box(-1, 1, (1,), dtype=np.float32)

    @property
    def action_space(self):
        return gym.spaces.Discrete(2)

    def reset(self, rng):
        return (0.5,)

    def step(self, state, action, rng):
        return (0.5,), 1.0, self.terminates, False

    def observe(self, state):
        return state
