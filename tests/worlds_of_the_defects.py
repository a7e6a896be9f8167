"""Worlds whose observations tell where they were made, so that a mix-up is seen."""

from typing import NamedTuple

import gymnasium as gym
import numpy as np


class Numbered(NamedTuple):
    """An observation is (a number drawn for the episode, how many steps it is old); a step is rewarded with that count."""

    length: int = 100

    @property
    def observation_space(self):
        return gym.spaces.Box(0, 1000, (2,), dtype=np.float32)

    @property
    def action_space(self):
        return gym.spaces.Discrete(2)

    def reset(self, rng):
        return rng.random(), 0.0

    def step(self, state, action, rng):
        return (state[0], state[1] + 1.0), state[1], state[1] + 1.0 >= self.length, False

    def observe(self, state):
        return state


class ZeroInBetween(NamedTuple):
    """Counts down from 2 to -2; all that is seen of the third state is zero, and nothing ends there."""

    first: float = 2.0

    @property
    def observation_space(self):
        return gym.spaces.Box(-10, 10, (1,), dtype=np.float32)

    @property
    def action_space(self):
        return gym.spaces.Discrete(2)

    def reset(self, rng):
        return (self.first,)

    def step(self, state, action, rng):
        return (state[0] - 1.0,), 1.0, state[0] - 1.0 <= -self.first, False

    def observe(self, state):
        return state


class DeadSensor(NamedTuple):
    """Every observation and every reward is zero; an episode lasts a step."""

    reward: float = 0.0

    @property
    def observation_space(self):
        return gym.spaces.Box(-1, 1, (3,), dtype=np.float32)

    @property
    def action_space(self):
        return gym.spaces.Discrete(2)

    def reset(self, rng):
        return 0.0, 0.0, 0.0

    def step(self, state, action, rng):
        return (0.0, 0.0, 0.0), self.reward, True, False

    def observe(self, state):
        return state
