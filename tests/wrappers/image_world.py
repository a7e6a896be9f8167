"""A world of small images for tests: a spot that moves over a gradient; and the same as a plain Gymnasium environment, in every form."""

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box, Discrete

from rlcourse.core.world import WorldEnv


class Spot(NamedTuple):
    """State = (row, column) of a white pixel, which an action moves to the right or leaves; an episode lasts until the right edge."""

    ground: np.ndarray  # uint8 [7, 9, 3]

    @property
    def observation_space(self) -> gym.Space[Any]:
        """Images."""
        return Box(0, 255, (7, 9, 3), np.uint8)

    @property
    def action_space(self) -> gym.Space[Any]:
        """Stay, or move."""
        return Discrete(2)

    def reset(self, rng):
        """Begin in the first column."""
        return float(int(rng.random() * 7)), 0.0

    def step(self, state, action, rng):
        """Move."""
        column = state[1] + action
        return (state[0], column), float(action), column >= 8.0, False

    def observe(self, state):
        """Draw."""
        image = self.ground.copy()
        image[int(state[0]), int(state[1])] = 255
        return image


def spot() -> Spot:
    return Spot(np.arange(7 * 9 * 3, dtype=np.uint8).reshape(7, 9, 3))


class Pictures(gym.Env):
    """The same image again and again; of any shape and type."""

    action_space = Discrete(2)

    def __init__(self, shape=(7, 9, 3), dtype=np.uint8, high=255):
        self.observation_space = Box(0, high, shape, dtype)
        self.picture = np.random.default_rng(0).integers(0, high + 1, shape).astype(dtype)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.picture.copy(), {}

    def step(self, action):
        return self.picture.copy(), 0.0, False, False, {}


def make_spot() -> WorldEnv:
    return WorldEnv(spot())


if "test/Spot-v0" not in gym.registry:
    gym.register("test/Spot-v0", make_spot, max_episode_steps=20)
