"""`Window`: an observation is the last k of them, and says which are there; for agents whose networks carry no memory along.

Gymnasium's `FrameStackObservation` fills the beginning of an episode with copies or zeros, which nothing tells from what was seen. Here
each row ends with a one where there was an observation, so that the encoders "window-lstm", "window-attention", ... (`rlcourse.encoders`)
leave the others out. `flatten` and `mlp` see all rows side by side.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.box import typed_kernel
from rlcourse.core.config import whole
from rlcourse.core.rows import draw, replaced
from rlcourse.core.spaces import short
from rlcourse.core.world import World
from rlcourse.wrappers.parts import head, join, tail

__all__ = ["Window", "Windowed", "windowed"]


def entry(seen, i):
    """Return number i of an observation, which is a number or numbers."""
    return float(seen if np.ndim(seen) == 0 else seen[i])


@typed_kernel(entry)
def _entry(seen, i):
    if hasattr(seen, "count") or hasattr(seen, "layout"):  # a tuple or an array
        return lambda seen, i: float(seen[i])
    return lambda seen, i: float(seen)


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
        newest, last = self.world.observe(inner), len(self.blank) - 1
        kept = old
        for i in range(last):
            kept = replaced(kept, i, old[i + each] if i + each < last else entry(newest, i + each - last))
        kept = replaced(kept, last, min(old[last] + 1.0, self.k - 1.0))
        after, reward, terminated, truncated = self.world.step(inner, action, rng)
        return join(after, kept), reward, terminated, truncated

    def observe(self, state):
        """Return the rows: an array [k, width + 1]."""
        shown = np.empty((self.k, self.width + 1))
        self.paint(state, shown)
        return shown

    def paint(self, state, seen):
        """Write the rows."""
        old, each, newest = tail(state, self.like), (len(self.blank) - 1) // (self.k - 1), self.k - 1
        seen[:] = 0.0
        draw(self.world, head(state, self.like), seen[newest, :each])
        for j in range(newest - int(old[len(self.blank) - 1]), newest):
            for i in range(each):
                seen[j, i] = old[each * j + i]
        for j in range(newest - int(old[len(self.blank) - 1]), self.k):
            if self.hot:
                hot = int(seen[j, 0])
                seen[j, 0] = 0.0
                seen[j, hot] = 1.0
            seen[j, self.width] = 1.0


@checked
def windowed(world: World, k: int = 8) -> Windowed:
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
