"""`Window`: an observation is the last k of them, and says which are there; for agents whose networks carry no memory along.

Gymnasium's `FrameStackObservation` fills the beginning of an episode with copies or zeros, which nothing tells from what was seen. Here
each row ends with a one where there was an observation, so that the encoders "window-lstm", "window-attention", ... (`rlcourse.encoders`)
leave the others out. `flatten` and `mlp` see all rows side by side.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.box import typed_kernel
from rlcourse.core.config import whole
from rlcourse.core.spaces import short
from rlcourse.core.vector import unpack
from rlcourse.wrappers.parts import head, join, tail

__all__ = ["Window", "Windowed", "windowed"]


def note(row, at, seen):
    """Write an observation into a row from `at` on: a number, or numbers."""
    if np.ndim(seen) == 0:
        row[at] = seen
        return
    for i in range(len(seen)):
        row[at + i] = seen[i]


@typed_kernel(note)
def _note(row, at, seen):
    if not hasattr(seen, "count") and not hasattr(seen, "layout"):  # neither a tuple nor an array

        def number(row, at, seen):
            row[at] = seen

        return number

    def numbers(row, at, seen):
        for i in range(len(seen)):
            row[at + i] = seen[i]

    return numbers


class Windowed(NamedTuple):
    """A world that shows its last k observations. State = (the state of the world inside ..., the k - 1 before it, how many there are).

    Attributes
    ----------
    world : World
        Its states are tuples of floats, its observations numbers or vectors.
    k, width : int
        Rows of an observation, and numbers of a row before its mark.
    hot : bool
        Whether the observations inside are numbers, which are shown as a one in their place.
    like, blank : tuple of float
        A state of the world inside, for its length; zeros, what an episode begins with.
    """

    world: Any
    k: int
    width: int
    hot: bool
    like: tuple[float, ...]
    blank: tuple[float, ...]

    @property
    def observation_space(self) -> gym.spaces.Box:
        """Rows of the last observations, the newest last; each ends with a one, those from before the episode are zeros."""
        return _rows(self.world.observation_space, self.k)

    @property
    def action_space(self) -> gym.Space[Any]:
        """That of the world inside."""
        return self.world.action_space

    def reset(self, rng):
        """Begin an episode, with nothing before it."""
        return join(self.world.reset(rng), self.blank)

    def step(self, state, action, rng):
        """Take an action; what was seen before it is kept."""
        inner, old = head(state, self.like), tail(state, self.like)
        each = (len(self.blank) - 1) // (self.k - 1)  # numbers that are kept of an observation
        kept = np.zeros((1, len(self.blank)))
        for i in range(len(self.blank) - 1 - each):
            kept[0, i] = old[i + each]
        note(kept[0], len(self.blank) - 1 - each, self.world.observe(inner))
        kept[0, -1] = min(old[len(self.blank) - 1] + 1.0, self.k - 1.0)
        after, reward, terminated, truncated = self.world.step(inner, action, rng)
        return join(after, unpack(kept, 0, self.blank)), reward, terminated, truncated

    def observe(self, state):
        """Return the rows: an array [k, width + 1]."""
        old, each = tail(state, self.like), (len(self.blank) - 1) // (self.k - 1)
        seen = np.zeros((self.k, each))
        note(seen[-1], 0, self.world.observe(head(state, self.like)))
        for i in range(len(self.blank) - 1):
            seen[i // each, i % each] = old[i]
        shown = np.zeros((self.k, self.width + 1))
        for j in range(self.k - 1 - int(old[len(self.blank) - 1]), self.k):
            shown[j, -1] = 1.0
            if self.hot:
                shown[j, int(seen[j, 0])] = 1.0
            else:
                for i in range(self.width):
                    shown[j, i] = seen[j, i]
        return shown


def windowed(world: Any, k: int = 8) -> Windowed:
    """Return a world that shows its last k observations; see `Window`."""
    space, k = world.observation_space, whole("k", k, 2)
    width = _rows(space, k).shape[1] - 1
    like = world.reset(np.random.default_rng(0))
    hot = isinstance(space, gym.spaces.Discrete)
    if not isinstance(like, tuple):
        raise ValueError(f"Window needs a world whose state is a tuple of floats, not {like!r}")
    return Windowed(world, k, width, hot, like, (0.0,) * ((k - 1) * (1 if hot else width) + 1))


class Window(gym.Wrapper[Any, Any, Any, Any], gym.utils.RecordConstructorArgs):
    """Show the last k observations as rows [k, n + 1], the newest last; a row ends with a one, those from before the episode are zeros.

    Parameters
    ----------
    env : Env
        Observations are vectors in a Box, or numbers (Discrete), which are shown as a one in their place.
    k : int
        At least 2.
    """

    def __init__(self, env: gym.Env[Any, Any], k: int = 8) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, k=k)
        gym.Wrapper.__init__(self, env)
        self.k = whole("k", k, 2)
        self.observation_space = _rows(env.observation_space, self.k)
        self._shown = np.zeros(self.observation_space.shape, np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode: of the rows only the last is an observation."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._shown[:] = 0.0
        return self._with(observation), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take an action; the oldest row goes."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return self._with(observation), reward, terminated, truncated, info

    def _with(self, observation: Any) -> np.ndarray:
        self._shown[:-1] = self._shown[1:]
        space = self.env.observation_space
        if isinstance(space, gym.spaces.Discrete):
            self._shown[-1] = 0.0
            self._shown[-1, int(observation) - int(space.start)] = 1.0
        else:
            self._shown[-1, :-1] = observation
        self._shown[-1, -1] = 1.0
        return self._shown.copy()

    def around(self, world: Any) -> Windowed:
        """Return this wrapper around a world."""
        return windowed(world, self.k)


def _rows(space: gym.Space[Any], k: int) -> gym.spaces.Box:
    """Return the space of the last k observations of a space."""
    if isinstance(space, gym.spaces.Discrete):
        low, high = np.zeros(int(space.n)), np.ones(int(space.n))
    elif isinstance(space, gym.spaces.Box) and len(space.shape) == 1:
        low, high = np.minimum(space.low, 0.0), np.maximum(space.high, 0.0)
    else:
        raise ValueError(
            f"Window needs vectors or numbers, not {short(space)}; wrap the environment in FlattenObservation or EncodeObservation"
        )
    low, high = np.append(low, 0.0), np.append(high, 1.0)
    return gym.spaces.Box(np.tile(low, (k, 1)).astype(np.float32), np.tile(high, (k, 1)).astype(np.float32), dtype=np.float32)
