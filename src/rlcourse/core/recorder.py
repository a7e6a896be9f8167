"""`Recorder`: a world around a world that writes down every transition; what is drawn or replayed afterwards."""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

__all__ = ["Recorder"]


class Recorder(NamedTuple):
    """A finite world with a transcript; a world itself.

    Attributes
    ----------
    world : World
        The world inside.
    log : ndarray of float64, shape [capacity + 1, 5]
        The number of transitions taken in the first slot of row 0; then rows of state, action, reward, next state, and how it
        went on: 0 it did, 1 terminated, 2 truncated. What exceeds the capacity is counted and not kept.
    """

    world: Any
    log: np.ndarray

    @classmethod
    def of(cls, world: Any, capacity: int) -> Recorder:
        """Make a recorder for so many transitions."""
        return cls(world, np.zeros((capacity + 1, 5)))

    @property
    def observation_space(self) -> gym.Space[Any]:
        """That of the world inside."""
        space: gym.Space[Any] = self.world.observation_space
        return space

    @property
    def action_space(self) -> gym.Space[Any]:
        """That of the world inside."""
        space: gym.Space[Any] = self.world.action_space
        return space

    def reset(self, rng):
        """Begin an episode."""
        return self.world.reset(rng)

    def step(self, state, action, rng):
        """Take an action and write down what happened."""
        next_state, reward, terminated, truncated = self.world.step(state, action, rng)
        row = int(self.log[0, 0]) + 1
        self.log[0, 0] = row
        if row < len(self.log):
            self.log[row, 0] = state
            self.log[row, 1] = action
            self.log[row, 2] = reward
            self.log[row, 3] = next_state
            self.log[row, 4] = 1.0 if terminated else 2.0 if truncated else 0.0
        return next_state, reward, terminated, truncated

    def observe(self, state):
        """Return the observation of the world inside."""
        return self.world.observe(state)

    def transitions(self) -> np.ndarray:
        """Return the rows written so far, shape [transitions, 5]; for Python only."""
        kept: np.ndarray = self.log[1 : 1 + int(self.log[0, 0])].copy()
        return kept
