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


class NoiseImages(gym.Env):
    """Images of 28 x 28 bytes without meaning; an episode lasts seven steps."""

    observation_space, action_space = gym.spaces.Box(0, 255, (28, 28, 1), np.uint8), gym.spaces.Discrete(2)

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return self._image(), {}

    def step(self, action):
        self.steps += 1
        return self._image(), 1.0, self.steps == 7, False, {}

    def _image(self):
        return self.np_random.integers(0, 256, (28, 28, 1), dtype=np.uint8)
