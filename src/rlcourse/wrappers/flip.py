"""`RandomFlip`: half of the images are seen in a mirror; an augmentation that preserves what is right only where actions change sides too.

Most changes of an image leave the right action as it was. The mirror does not: where the ball was on the left it is on the right.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.box import typed_kernel
from rlcourse.core.rows import draw
from rlcourse.wrappers.augment import PER, image_axes
from rlcourse.wrappers.parts import head, join

__all__ = ["Flipped", "RandomFlip"]


def mirror(image):
    """Mirror an image [channels, height, width, channels] in place, left to right."""
    image[...] = image[:, :, ::-1].copy()


@typed_kernel(mirror)
def _mirror(image):
    def loops(image):
        last = image.shape[2] - 1
        for k in range(image.shape[0]):
            for i in range(image.shape[1]):
                for j in range(image.shape[2] // 2):
                    for m in range(image.shape[3]):
                        image[k, i, j, m], image[k, i, last - j, m] = image[k, i, last - j, m], image[k, i, j, m]

    return loops


class Flipped(NamedTuple):
    """A world that is seen in a mirror half of the time. State = (the state of the world inside ..., whether it is now).

    Attributes
    ----------
    world : World
        Its states are tuples of floats, its observations images.
    actions : ndarray of int, shape [A]
        What an action becomes that answers a mirrored image.
    axes : tuple of int
        The shape of an image as `image_axes` has it.
    blank : ndarray
        An image, for its shape and type.
    like : tuple of float
        A state of the world inside, for its length.
    keep : bool
        Whether an episode is mirrored as a whole.
    """

    world: Any
    actions: np.ndarray
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
        """Begin an episode, and draw whether it is seen in the mirror."""
        state = self.world.reset(rng)
        mirrored = 1.0 if rng.random() < 0.5 else 0.0
        return join(state, (mirrored,))

    def step(self, state, action, rng):
        """Take an action, or its counterpart where the last image was mirrored."""
        mirrored = state[len(self.like)]
        taken = self.actions[action] if mirrored == 1.0 else action
        inner, reward, terminated, truncated = self.world.step(head(state, self.like), taken, rng)
        if not self.keep:
            mirrored = 1.0 if rng.random() < 0.5 else 0.0
        return join(inner, (mirrored,)), reward, terminated, truncated

    def observe(self, state):
        """Return the image, or its mirror image."""
        shown = np.empty_like(self.blank)
        self.paint(state, shown)
        return shown

    def paint(self, state, seen):
        """Write the image, or its mirror image."""
        draw(self.world, head(state, self.like), seen)
        if state[len(self.like)] == 1.0:
            mirror(seen.reshape(self.axes))


class RandomFlip(gym.Wrapper[Any, Any, Any, Any], gym.utils.RecordConstructorArgs):
    """Mirror half of the images, left to right; which ones is drawn from the environment's own generator.

    Parameters
    ----------
    env : Env
        Observations are images or boards, actions Discrete.
    actions : tuple of int, optional
        What an action does that answers a mirrored image, such as (2, 1, 0) where 0 is left and 2 is right. Without it actions stay as
        they are, and the mirror teaches what is wrong.
    per : {"observation", "episode"}
        How often it is drawn.
    """

    @checked
    def __init__(self, env: gym.Env[Any, Any], actions: tuple[int, ...] | None = None, per: str = "observation") -> None:
        gym.utils.RecordConstructorArgs.__init__(self, actions=actions, per=per)
        gym.Wrapper.__init__(self, env)
        space = env.action_space
        if not isinstance(space, gym.spaces.Discrete):
            raise ValueError(f"RandomFlip needs Discrete actions, not {space}")
        self._axes = image_axes(env.observation_space, "RandomFlip")
        self._actions = np.arange(space.n) if actions is None else np.asarray(actions)
        if sorted(self._actions.tolist()) != list(range(int(space.n))):
            raise ValueError(f"actions must be an order of 0..{space.n - 1}, not {actions!r}")
        if per not in PER:
            raise ValueError(f"per must be 'observation' or 'episode', not {per!r}")
        self.per, self._mirrored = per, False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode, and draw whether it is mirrored."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._mirrored = bool(self.env.unwrapped.np_random.random() < 0.5)
        return self._seen(observation), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take an action, or its counterpart where the last image was mirrored."""
        start = int(self.env.action_space.start)  # type: ignore[attr-defined]
        taken = int(self._actions[int(action) - start]) + start if self._mirrored else action
        observation, reward, terminated, truncated, info = self.env.step(taken)
        if self.per == "observation":
            self._mirrored = bool(self.env.unwrapped.np_random.random() < 0.5)
        return self._seen(observation), reward, terminated, truncated, info

    def _seen(self, observation: Any) -> Any:
        if not self._mirrored:
            return observation
        shown = np.array(observation, order="C")
        mirror(shown.reshape(self._axes))
        return shown

    def around(self, world: Any) -> Flipped:
        """Return this wrapper around a world."""
        like = world.reset(np.random.default_rng(0))
        if not isinstance(like, tuple):
            raise ValueError(f"RandomFlip needs a world whose state is a tuple of floats, not {like!r}")
        space = world.observation_space
        return Flipped(world, self._actions, self._axes, np.zeros(space.shape, space.dtype), like, self.per == "episode")
