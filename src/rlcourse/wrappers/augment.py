"""What the three augmentations share: something is drawn for every image, or once an episode, and the image is changed by it.

A change is a named tuple with ``draw(rng)``, which returns a tuple of floats, and ``apply(image, drawn)``, which changes an image in place;
both run at both speeds. `Augmentation` is the Gymnasium wrapper around it, `Augmented` the world around a world, whose state ends with
what was drawn.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.rows import draw
from rlcourse.core.spaces import channels_last, short
from rlcourse.wrappers.parts import box_of, head, join, tail

__all__ = ["PER", "Augmentation", "Augmented", "image_axes"]

PER = ("observation", "episode")


class Augmented(NamedTuple):
    """A world whose images are changed before they are seen. State = (the state of the world inside ..., what was drawn ...).

    Attributes
    ----------
    world : World
        Its states are tuples of floats, its observations images.
    how : named tuple
        The change.
    axes : tuple of int
        The shape of an image as `image_axes` has it.
    blank : ndarray
        An image, for its shape and type.
    like : tuple of float
        A state of the world inside, for its length.
    keep : bool
        Whether what was drawn holds for an episode.
    """

    world: Any
    how: Any
    axes: tuple[int, int, int, int]
    blank: np.ndarray
    like: tuple[float, ...]
    keep: bool

    @property
    def observation_space(self) -> gym.Space[Any]:
        """That of the world inside."""
        return self.world.observation_space

    @property
    def action_space(self) -> gym.Space[Any]:
        """That of the world inside."""
        return self.world.action_space

    def reset(self, rng):
        """Begin an episode, and draw."""
        state = self.world.reset(rng)
        return join(state, self.how.draw(rng))

    def step(self, state, action, rng):
        """Take an action, and draw again where that is due."""
        inner, reward, terminated, truncated = self.world.step(head(state, self.like), action, rng)
        drawn = tail(state, self.like)
        if not self.keep:
            drawn = self.how.draw(rng)
        return join(inner, drawn), reward, terminated, truncated

    def observe(self, state):
        """Return the changed image."""
        shown = np.empty_like(self.blank)
        self.paint(state, shown)
        return shown

    def paint(self, state, seen):
        """Write the changed image."""
        draw(self.world, head(state, self.like), seen)
        self.how.apply(seen.reshape(self.axes), tail(state, self.like))


class Augmentation(gym.Wrapper[Any, Any, Any, Any], gym.utils.RecordConstructorArgs):
    """Change every image; randomness comes from the environment's own generator.

    Parameters
    ----------
    env : Env
    how : named tuple
        The change.
    per : {"observation", "episode"}
        How often it is drawn.
    """

    def __init__(self, env: gym.Env[Any, Any], how: Any, per: str) -> None:
        if per not in PER:
            raise ValueError(f"per must be 'observation' or 'episode', not {per!r}")
        gym.Wrapper.__init__(self, env)
        self.how, self.per = how, per
        self._axes = image_axes(env.observation_space, type(self).__name__)
        self._drawn: tuple[float, ...] = ()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode, and draw."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._drawn = self.how.draw(self.env.unwrapped.np_random)
        return self._changed(observation), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take an action, and draw again where that is due."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        if self.per == "observation":
            self._drawn = self.how.draw(self.env.unwrapped.np_random)
        return self._changed(observation), reward, terminated, truncated, info

    def _changed(self, observation: Any) -> Any:
        shown = np.array(observation, order="C")
        self.how.apply(shown.reshape(self._axes), self._drawn)
        return shown

    def around(self, world: Any) -> Augmented:
        """Return this wrapper around a world."""
        like = world.reset(np.random.default_rng(0))
        if not isinstance(like, tuple):
            raise ValueError(f"{type(self).__name__} needs a world whose state is a tuple of floats, not {like!r}")
        space = world.observation_space
        return Augmented(world, self.how, self._axes, np.zeros(space.shape, space.dtype), like, self.per == "episode")


def image_axes(space: gym.Space[Any], name: str) -> tuple[int, int, int, int]:
    """Return the shape (channels first, height, width, channels last) of an image or a board; one of both numbers of channels is 1.

    `name` is who asks.
    """
    shape = tuple(int(n) for n in box_of(space, name).shape)
    if len(shape) == 2:
        return (1, *shape, 1)
    if len(shape) != 3:
        raise ValueError(f"{name} needs images or boards, of 2 or 3 axes, not {short(space)}")
    return (1, *shape) if channels_last(shape) else (*shape, 1)
