"""`MaskVelocity`: velocities read zero, so that one observation no longer tells the state; the task of a recurrent agent.

A position and the positions before it tell what is hidden, so a memory solves what a reactive policy cannot.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.rows import draw
from rlcourse.core.world import World, WorldEnv
from rlcourse.wrappers.parts import box_of, with_zero

__all__ = ["MaskVelocity", "Masked", "masked"]

VELOCITIES = {  # by the class of the environment or world, without "Env"
    "Acrobot": (4, 5),
    "CartPole": (1, 3),
    "Continuous_MountainCar": (1,),
    "LunarLander": (2, 3, 5),
    "MountainCar": (1,),
    "Pendulum": (2,),
}


class Masked(NamedTuple):
    """A world that shows zeros in some places of its observation; states, rewards and dynamics are those of the world inside.

    Attributes
    ----------
    world : World
        Its observations are vectors.
    seen : ndarray of bool, shape [n]
        What is shown.
    """

    world: Any
    seen: np.ndarray

    @property
    def observation_space(self) -> gym.spaces.Box:
        """That of the world inside, which holds zeros too."""
        return with_zero(self.world.observation_space)

    @property
    def action_space(self) -> gym.Space[Any]:
        """That of the world inside."""
        return self.world.action_space

    def reset(self, rng):
        """Begin an episode."""
        return self.world.reset(rng)

    def step(self, state, action, rng):
        """Take an action."""
        return self.world.step(state, action, rng)

    def observe(self, state):
        """Return what is seen, zeros elsewhere: an array."""
        shown = np.empty(len(self.seen))
        self.paint(state, shown)
        return shown

    def paint(self, state, seen):
        """Write what is seen, and zeros elsewhere."""
        draw(self.world, state, seen)
        for i in range(len(seen)):
            if not self.seen[i]:
                seen[i] = 0.0


@checked
def masked(world: World, indices: tuple[int, ...] | None = None) -> Masked:
    """Return a world with velocities hidden, or other places of its observation; see `MaskVelocity`."""
    space = box_of(world.observation_space, "MaskVelocity")
    return Masked(world, _seen(type(world).__name__, space, indices))


class MaskVelocity(gym.ObservationWrapper[Any, Any, Any], gym.utils.RecordConstructorArgs):
    """Show zeros in place of velocities.

    Parameters
    ----------
    env : Env
        CartPole, Acrobot, MountainCar, Pendulum or LunarLander; any other with `indices`.
    indices : tuple of int, optional
        Which places of the observation, a vector, are hidden.
    """

    @checked
    def __init__(self, env: gym.Env[Any, Any], indices: tuple[int, ...] | None = None) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, indices=indices)
        gym.ObservationWrapper.__init__(self, env)
        space = box_of(env.observation_space, "MaskVelocity")
        inner: Any = env.unwrapped
        self.indices = indices
        self.seen = _seen(type(inner.world if isinstance(inner, WorldEnv) else inner).__name__, space, indices)
        self.observation_space = with_zero(space)

    def observation(self, observation: Any) -> Any:
        """Return an observation with zeros in place of what is hidden."""
        return np.where(self.seen, observation, np.zeros((), observation.dtype))

    def around(self, world: Any) -> Masked:
        """Return this wrapper around a world."""
        return Masked(world, self.seen)


def _seen(name: str, space: gym.spaces.Box, indices: tuple[int, ...] | None) -> np.ndarray:
    """Return what stays visible, bool [n]."""
    if len(space.shape) != 1:
        raise ValueError(f"MaskVelocity needs observations that are vectors, not {space}")
    known = VELOCITIES.get(name.removesuffix("Env"))
    if indices is None and known is None:
        raise ValueError(f"MaskVelocity does not know the velocities of {name}; pass indices=")
    hidden = np.asarray(known if indices is None else indices, dtype=int)
    if not len(hidden) or hidden.min() < 0 or hidden.max() >= space.shape[0]:
        raise ValueError(f"indices must name places 0..{space.shape[0] - 1} of the observation, not {indices}")
    seen = np.ones(space.shape, np.bool_)
    seen[hidden] = False
    return seen
