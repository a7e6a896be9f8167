"""`Flicker`: with probability p an observation is all zeros (Hausknecht & Stone 2015), so that a policy must remember."""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.rows import draw
from rlcourse.core.world import World
from rlcourse.wrappers.parts import box_of, head, join, with_zero

__all__ = ["Flicker", "Flickering", "flickering"]


class Flickering(NamedTuple):
    """A world whose observations are blank now and then. State = (the state of the world inside ..., whether it is blank now).

    Attributes
    ----------
    world : World
        Its states are tuples of floats.
    p : float
        Probability of a blank observation.
    shape : tuple of int
        Of an observation.
    like : tuple of float
        A state of the world inside, for its length.
    """

    world: Any
    p: float
    shape: tuple[int, ...]
    like: tuple[float, ...]

    @property
    def observation_space(self) -> gym.spaces.Box:
        """That of the world inside, which holds zeros too."""
        return with_zero(self.world.observation_space)

    @property
    def action_space(self) -> gym.Space[Any]:
        """That of the world inside."""
        return self.world.action_space

    def reset(self, rng):
        """Begin an episode; the first observation may be blank."""
        state = self.world.reset(rng)
        blank = 1.0 if rng.random() < self.p else 0.0
        return join(state, (blank,))

    def step(self, state, action, rng):
        """Take an action, and draw whether what follows is seen."""
        inner, reward, terminated, truncated = self.world.step(head(state, self.like), action, rng)
        blank = 1.0 if rng.random() < self.p else 0.0
        return join(inner, (blank,)), reward, terminated, truncated

    def observe(self, state):
        """Return what is seen, or zeros: an array."""
        shown = np.empty(self.shape)
        self.paint(state, shown)
        return shown

    def paint(self, state, seen):
        """Write what is seen, or zeros."""
        if state[len(self.like)] == 0.0:
            draw(self.world, head(state, self.like), seen)
        else:
            seen[:] = 0


@checked
def flickering(world: World, p: float = 0.5) -> Flickering:
    """Return a world whose observations are blank with probability p; see `Flicker`."""
    shape = tuple(int(n) for n in _check(world.observation_space, p).shape)
    like = world.reset(np.random.default_rng(0))
    if not isinstance(like, tuple):
        raise ValueError(f"Flicker needs a world whose state is a tuple of floats, not {like!r}")
    return Flickering(world, float(p), shape, like)


class Flicker(gym.Wrapper[Any, Any, Any, Any], gym.utils.RecordConstructorArgs):
    """Show zeros instead of the observation with probability p, drawn from the environment's own generator.

    Parameters
    ----------
    env : Env
        Observations are in a Box, images included.
    p : float
    """

    @checked
    def __init__(self, env: gym.Env[Any, Any], p: float = 0.5) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, p=p)
        gym.Wrapper.__init__(self, env)
        self.p = float(p)
        self.observation_space = with_zero(_check(env.observation_space, p))

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; the first observation may be blank."""
        observation, info = self.env.reset(seed=seed, options=options)
        return self._flickered(observation), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take an action, and draw whether what follows is seen."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return self._flickered(observation), reward, terminated, truncated, info

    def _flickered(self, observation: Any) -> Any:
        return np.zeros_like(observation) if self.env.unwrapped.np_random.random() < self.p else observation

    def around(self, world: Any) -> Flickering:
        """Return this wrapper around a world."""
        return flickering(world, self.p)


def _check(space: gym.Space[Any], p: float) -> gym.spaces.Box:
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"p must be a probability, not {p!r}")
    return box_of(space, "Flicker")
