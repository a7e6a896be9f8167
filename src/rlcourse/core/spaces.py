"""Spaces: one integer for every discrete observation or action, and a description that files and messages can hold."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rlcourse.core.packing import Packed

__all__ = [
    "boxed",
    "channels_last",
    "describe",
    "is_batch",
    "is_finite",
    "not_finite",
    "of_parts",
    "ravel",
    "require_finite",
    "short",
    "size",
    "unravel",
]


def is_finite(space: gym.Space[Any]) -> bool:
    """Whether the space is Discrete, MultiDiscrete (of one axis) or a Tuple of Discrete."""
    if isinstance(space, spaces.Tuple):
        return all(isinstance(part, spaces.Discrete) for part in space.spaces)
    return isinstance(space, spaces.Discrete) or (isinstance(space, spaces.MultiDiscrete) and space.nvec.ndim == 1)


def size(space: gym.Space[Any]) -> int:
    """Return the number of elements of a finite space."""
    return math.prod(_counts_and_starts(space)[0])


def ravel(space: gym.Space[Any], element: Any) -> Any:
    """Return the index of an element, in ``range(size(space))``; a leading batch axis stays."""
    if isinstance(space, spaces.Discrete):
        return int(element) - int(space.start) if np.ndim(element) == 0 else np.asarray(element) - int(space.start)
    counts, starts = _counts_and_starts(space)
    parts = np.moveaxis(_array(space, element), -1, 0) if not isinstance(element, tuple) else element
    index: Any = 0
    for part, count, start in zip(parts, counts, starts, strict=True):
        index = index * count + (np.asarray(part) - start)
    return int(index) if np.ndim(index) == 0 else index


def unravel(space: gym.Space[Any], index: Any) -> Any:
    """Return the element of an index, the inverse of `ravel`; an array of indices becomes a batch."""
    counts, starts = _counts_and_starts(space)
    if isinstance(space, spaces.Discrete):
        return int(index) + starts[0] if np.ndim(index) == 0 else np.asarray(index) + starts[0]
    parts = [np.asarray(part) + start for part, start in zip(np.unravel_index(index, counts), starts, strict=True)]
    if isinstance(space, spaces.Tuple):
        return tuple(int(part) if part.ndim == 0 else part for part in parts)
    return np.stack(parts, axis=-1).astype(space.dtype)


def boxed(space: Any, action: Any) -> np.ndarray:
    """Return numbers within the bounds of a Box as an element of it: of its type, whole where that is whole."""
    numbers = np.asarray(action)
    element: np.ndarray = (numbers if space.dtype.kind == "f" else np.rint(numbers)).astype(space.dtype, copy=False)
    return element


def is_batch(space: gym.Space[Any], observation: Any) -> bool:
    """Whether an observation has a leading batch axis; raises where its shape fits the space neither way."""
    if isinstance(space, spaces.Tuple | spaces.Dict):
        parts: Any = space.spaces
        key = next(iter(parts)) if isinstance(space, spaces.Dict) else 0
        try:
            part = observation[key]
        except (TypeError, LookupError):
            part = None
        if part is None or (isinstance(observation, tuple) and len(observation) != len(parts)):
            raise ValueError(f"observation {observation!r:.80} has not the parts of {short(space)}{_hint(observation)}")
        return is_batch(parts[key], part)
    array = _array(space, observation)
    if isinstance(space, spaces.Discrete):
        _check_within(space, observation)
    shape, expected = array.shape, tuple(space.shape or ())
    if shape == expected:
        return False
    if len(shape) == len(expected) + 1 and shape[1:] == expected:
        return True
    raise ValueError(f"observation has shape {shape}; expected {expected}, or a batch of it ({space})")


def _array(space: gym.Space[Any], observation: Any) -> np.ndarray:
    """Return an observation as an array; raises ValueError where it is none of numbers."""
    try:
        array = np.asarray(observation)
    except ValueError:  # rows of unequal lengths
        array = np.asarray(None)
    if array.dtype.kind not in "biuf" and not isinstance(space, spaces.Text):
        what = f"an array of {array.dtype}" if isinstance(observation, np.ndarray) else f"{observation!r:.80}"
        raise ValueError(f"observation must be an array of numbers of {short(space)}, or a batch of it, not {what}{_hint(observation)}")
    require_finite(array)
    return array


def not_finite(what: str, values: Any) -> str:
    """Return in words which number of an array is no finite one: "an observation that is no finite number, nan in entry [2],"."""
    array = np.asarray(values)
    at = np.argwhere(~np.isfinite(array))[0]
    entry = f" in entry {at.tolist()}" if array.ndim else ""
    return f"{what} that is no finite number, {array[tuple(at)]}{entry},"


def require_finite(observation: np.ndarray) -> None:
    """Raise ValueError where an observation, or one of a batch, has a number that is none or infinite: an action for it means nothing."""
    if observation.dtype.kind == "f" and not np.isfinite(observation).all():
        raise ValueError(f"observation has {not_finite('an entry', observation).removesuffix(',')}: mend what observes")


@contextmanager
def of_parts(space: gym.Space[Any], observation: Any) -> Iterator[None]:
    """Say in one sentence that an observation is none of a space of parts, whatever a look into it raises."""
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"observation {observation!r:.80} has not the parts of {short(space)}{_hint(observation)}") from error


def _hint(observation: Any) -> str:
    """Return what to do with all that reset() returns."""
    pair = isinstance(observation, tuple) and len(observation) == 2 and isinstance(observation[1], dict)
    return ": pass the first of the two values that reset() returns" if pair else ""


def _check_within(space: spaces.Discrete, observation: Any) -> None:
    """Raise ValueError where an observation, or one of a batch, is no element of the space."""
    given = np.asarray(observation)
    whole = given.dtype.kind in "biu" or (given.ndim == 0 and given.dtype.kind == "f" and float(given).is_integer())
    if not whole or not given.size or given.min() < space.start or given.max() >= space.start + space.n:
        raise ValueError(f"observation {observation!r:.80} is outside {space}")


def channels_last(shape: tuple[int, ...]) -> bool:
    """Whether the last of an image's three axes holds the channels: a square tells, otherwise the shorter of first and last axis."""
    first, middle, last = shape
    if (first == middle) != (middle == last):
        return first == middle
    return last <= first


def describe(space: gym.Space[Any]) -> dict[str, Any]:
    """Return a description that JSON can hold; two spaces are interchangeable where their descriptions are equal."""
    name = type(space).__name__
    if isinstance(space, spaces.Discrete):
        return {"type": name, "n": int(space.n), "start": int(space.start)}
    if isinstance(space, Packed):
        return {"type": name, "space": describe(space.original)}
    if isinstance(space, spaces.Box):
        bounds = {"low": np.unique(space.low).astype(str).tolist(), "high": np.unique(space.high).astype(str).tolist()}
        return {"type": name, "shape": list(space.shape), "dtype": str(space.dtype), **bounds}
    if isinstance(space, spaces.MultiDiscrete):
        return {"type": name, "nvec": space.nvec.tolist(), "start": space.start.tolist()}
    if isinstance(space, spaces.MultiBinary):
        return {"type": name, "shape": list(space.shape)}
    if isinstance(space, spaces.Dict):
        return {"type": name, "spaces": {key: describe(part) for key, part in space.spaces.items()}}
    if isinstance(space, spaces.Tuple | spaces.OneOf):
        return {"type": name, "spaces": [describe(part) for part in space.spaces]}
    if isinstance(space, spaces.Text):
        return {"type": name, "characters": space.characters, "min_length": space.min_length, "max_length": space.max_length}
    return {"type": name, "text": str(space)}


def short(space: gym.Space[Any]) -> str:
    """Return a space on one line, for messages: a Box by its least and its greatest bound, packed vectors by what they stand for."""
    if isinstance(space, Packed):
        return short(space.original)
    if isinstance(space, spaces.Box) and space.low.size:
        return f"Box({space.low.min():g}, {space.high.max():g}, {space.shape}, {space.dtype})"
    if isinstance(space, spaces.MultiDiscrete):
        counts = space.nvec
        alike = counts.size > 1 and bool((counts == counts.flat[0]).all()) and not space.start.any()
        return f"MultiDiscrete({counts.flat[0]}, {counts.shape})" if alike else " ".join(str(space).split())
    if isinstance(space, spaces.Text):
        return f"Text({space.max_length})"
    if isinstance(space, spaces.Dict):
        return f"Dict({', '.join(f'{key}: {short(part)}' for key, part in space.items())})"
    if isinstance(space, spaces.Tuple | spaces.OneOf):
        return f"{type(space).__name__}({', '.join(map(short, space.spaces))})"
    return " ".join(str(space).split())


def _counts_and_starts(space: gym.Space[Any]) -> tuple[list[int], list[int]]:
    if isinstance(space, spaces.Discrete):
        return [int(space.n)], [int(space.start)]
    if isinstance(space, spaces.MultiDiscrete):
        return space.nvec.ravel().tolist(), space.start.ravel().tolist()
    if isinstance(space, spaces.Tuple) and is_finite(space):
        parts = [part for part in space.spaces if isinstance(part, spaces.Discrete)]
        return [int(part.n) for part in parts], [int(part.start) for part in parts]
    raise ValueError(f"{space} is not finite: expected Discrete, MultiDiscrete or a Tuple of Discrete")
