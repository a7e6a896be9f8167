"""What the worlds around worlds share: spaces that hold a zero, and the two parts of a longer state."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from rlcourse.core.box import typed_kernel
from rlcourse.core.rows import replaced
from rlcourse.core.spaces import short

__all__ = ["box_of", "head", "join", "tail", "with_zero"]


def head(state, like):
    """Return the first entries of a state, as many as `like` has."""
    return state[: len(like)]


@typed_kernel(head)
def _head(state, like):
    length = len(like)
    return lambda state, like: state[:length]


def tail(state, like):
    """Return the other entries of a state, behind those that `like` has."""
    return state[len(like) :]


@typed_kernel(tail)
def _tail(state, like):
    length = len(like)
    return lambda state, like: state[length:]


def join(inner, extra):
    """Return a state with further entries behind it, all of them float64."""
    return inner + extra


@typed_kernel(join)
def _join(inner, extra):
    n, m = len(inner), len(extra)
    blank = (0.0,) * (n + m)

    def joined(inner, extra):
        both = blank
        for i in range(n):
            both = replaced(both, i, float(inner[i]))
        for i in range(m):
            both = replaced(both, n + i, float(extra[i]))
        return both

    return joined


def box_of(space: gym.Space[Any], name: str) -> gym.spaces.Box:
    """Return an observation space that must be a Box; `name` is who asks."""
    if not isinstance(space, gym.spaces.Box):
        raise ValueError(f"{name} needs observations in a Box, not in {short(space)}; wrap the environment in FlattenObservation")
    return space


def with_zero(space: gym.spaces.Box) -> gym.spaces.Box:
    """Return a Box that also holds the observation of zeros: the same one where it does already."""
    zero = np.zeros((), space.dtype)
    if np.all(space.low <= zero) and np.all(space.high >= zero):
        return space
    return gym.spaces.Box(np.minimum(space.low, zero), np.maximum(space.high, zero), dtype=space.dtype.type)
