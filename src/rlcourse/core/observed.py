"""`Observed`: a world whose states are another's observations, for tables over what an agent sees."""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core import spaces
from rlcourse.core.box import is_data
from rlcourse.core.rows import unpack

__all__ = ["Observed", "observed"]


class Observed(NamedTuple):
    """A world that shows observations as its states and keeps the hidden state to itself.

    Attributes
    ----------
    world : World
        The world inside; its states are tuples of floats.
    hidden : ndarray of float64, shape [1, n]
        Its present state.
    like : tuple of float
        A state, for its length.
    """

    world: Any
    hidden: np.ndarray
    like: tuple[float, ...]

    @property
    def observation_space(self) -> gym.Space[Any]:
        """What is seen."""
        return self.world.observation_space

    @property
    def action_space(self) -> gym.Space[Any]:
        """That of the world inside."""
        return self.world.action_space

    def reset(self, rng):
        """Begin an episode; return the first observation."""
        state = self.world.reset(rng)
        self.hidden[0] = state
        return self.world.observe(state)

    def step(self, state, action, rng):
        """Take an action in the hidden state; return the next observation."""
        hidden, reward, terminated, truncated = self.world.step(unpack(self.hidden, 0, self.like), action, rng)
        self.hidden[0] = hidden
        return self.world.observe(hidden), reward, terminated, truncated

    def observe(self, state):
        """Return the observation as it is."""
        return state


def observed(world: Any, finite_only: bool = True) -> Any:
    """Return a world whose states are what is seen: the world itself, or `Observed` where its state is more than that.

    Parameters
    ----------
    world : World
    finite_only : bool
        Leave worlds whose observations are no integers as they are.
    """
    if not is_data(world) or (finite_only and not spaces.is_finite(world.observation_space)):
        return world
    state = world.reset(np.random.default_rng(0))
    if not isinstance(state, tuple) or world.observe(state) is state:
        return world
    return Observed(world, np.array([state], dtype=float), state)
