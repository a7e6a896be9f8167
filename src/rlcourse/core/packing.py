"""Observations of several parts as one vector of numbers, so that rollouts and replay memories hold arrays and nothing else.

`packed` makes of a Dict, a Tuple, a OneOf or a Text a `Packed`: a Box of one axis that knows the space it stands for. Its vectors hold the
parts one after another - numbers as they are, text as one number per character - and an encoder takes them apart again (`Packed.parts`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium import spaces

__all__ = ["Packed", "Part", "characters", "packed", "parts"]

_COMPOSITE = (spaces.Dict, spaces.Tuple, spaces.OneOf)
_EXACT = 2**24  # up to here float32 holds every whole number


class Part(NamedTuple):
    """A part that is not made of others, and where a vector holds it."""

    path: tuple[str, ...]  # keys, and places in tuples as text
    space: gym.Space[Any]  # Box, Discrete, MultiDiscrete, MultiBinary or Text
    start: int  # first column
    stop: int  # after the last


def packed(space: gym.Space[Any]) -> Packed | None:
    """Return the vectors that stand for a space's observations; None where they are one array as they are.

    Raises
    ------
    ValueError
        For parts of no fixed size (Sequence, Graph), and spaces that nobody knows.
    """
    if isinstance(space, Packed | spaces.Box | spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary):
        return None
    return Packed(space)


def parts(space: gym.Space[Any]) -> tuple[Part, ...]:
    """Return the parts of a space in the order in which a vector holds them; a space of one part is that part.

    A OneOf has the number of the choice as its part "index", and each of its choices, blank unless chosen.
    """
    found, at = [], 0
    for path, leaf in _leaves(space, ()):
        found.append(Part(path, leaf, at, at := at + _width(leaf)))
    return tuple(found)


def characters(space: spaces.Text) -> int:
    """Return how many numbers a character of a text may have: 0 is none (padding), 1 to n the charset in order, n + 1 unknown."""
    return len(space.characters) + 2


class Packed(spaces.Box):
    """Vectors that stand for the observations of a space of several parts, or of text.

    Parameters
    ----------
    original : Dict, Tuple, OneOf or Text

    Attributes
    ----------
    original : gymnasium.Space
    parts : tuple of Part
        What the columns are.
    """

    def __init__(self, original: gym.Space[Any]) -> None:
        self.original, self.parts = original, parts(original)
        if not self.parts or not self.parts[-1].stop:
            raise ValueError(f"there is nothing to see in {original}: an observation needs at least one number")
        low, high = (np.concatenate(side).astype(np.float32) for side in zip(*(_bounds(part.space) for part in self.parts), strict=True))
        super().__init__(low, high, dtype=np.float32)

    def pack(self, observation: Any) -> np.ndarray[Any, Any]:
        """Return the vector of an observation, float32 [width]."""
        vector = np.empty((1, *self.shape), np.float32)
        _write(self.original, observation, vector, 0, batch=False)
        return vector[0]

    def pack_batch(self, observations: Any) -> np.ndarray[Any, Any]:
        """Return the vectors of a batch as a vectorised environment hands it over, float32 [B, width].

        That is a dictionary or a tuple of batches of the parts; of texts, and of OneOf, it is a tuple of elements.
        """
        vectors = np.empty((_length(self.original, observations), *self.shape), np.float32)
        _write(self.original, observations, vectors, 0, batch=True)
        return vectors

    def unpack(self, vector: Any) -> Any:
        """Return the observation that a vector stands for: what `pack` was given, but for letters that the charset lacks."""
        return _read(self.original, np.asarray(vector), 0)[0]

    def unpack_batch(self, vectors: Any) -> Any:
        """Return the batch of observations that vectors [B, width] stand for: what `pack_batch` was given, in arrays of their own."""
        return _read_batch(self.original, np.asarray(vectors), 0)[0]

    def is_batch(self, observation: Any) -> bool:
        """Whether an observation of the original space has a leading batch axis."""
        return _is_batch(self.original, observation)

    def __eq__(self, other: object) -> bool:
        """Whether the other stands for the same space."""
        return isinstance(other, Packed) and self.original == other.original

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Return the original's own name."""
        return f"Packed({self.original})"


def _leaves(space: gym.Space[Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], gym.Space[Any]]]:
    if isinstance(space, spaces.OneOf):
        yield (*path, "index"), spaces.Discrete(len(space.spaces))
    if isinstance(space, _COMPOSITE):
        for key, part in _children(space):
            yield from _leaves(part, (*path, str(key)))
        return
    where = f"the part {'.'.join(path)!r} of an observation, {space!s:.100}," if path else f"an observation of {space!s:.100}"
    if isinstance(space, spaces.Sequence | spaces.Graph):
        fix = "turn it into a Box of a fixed length with gymnasium.wrappers.TransformObservation"
        raise ValueError(f"{where} has no fixed size, which networks need: {fix}")
    if not isinstance(space, spaces.Box | spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary | spaces.Text):
        raise ValueError(
            f"{where} cannot be read: networks take Box, Discrete, MultiDiscrete, MultiBinary, Text, and Dict, Tuple, OneOf of them"
        )
    if isinstance(space, spaces.Discrete) and max(abs(int(space.start)), abs(int(space.start) + int(space.n))) > _EXACT:
        raise ValueError(f"{where} has numbers above {_EXACT:,}, which float32 does not tell apart")
    yield path, space


def _children(space: Any) -> list[tuple[Any, gym.Space[Any]]]:
    return list(space.spaces.items()) if isinstance(space, spaces.Dict) else list(enumerate(space.spaces))


def _first(space: Any) -> tuple[Any, gym.Space[Any]]:
    """Return the first part that is not empty, and its key."""
    return next((key, part) for key, part in _children(space) if any(True for _ in _leaves(part, ())))


def _width(space: gym.Space[Any]) -> int:
    """Return the columns of a part."""
    return space.max_length if isinstance(space, spaces.Text) else math.prod(space.shape or ())


def _bounds(space: gym.Space[Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the least and the greatest number of each column of a part."""
    ones = np.ones(_width(space))
    if isinstance(space, spaces.Text):
        return 0 * ones, ones * (characters(space) - 1)
    if isinstance(space, spaces.Box):
        return space.low.ravel(), space.high.ravel()
    if isinstance(space, spaces.Discrete | spaces.MultiDiscrete):
        start, n = (space.start, space.n) if isinstance(space, spaces.Discrete) else (space.start.ravel(), space.nvec.ravel())
        return ones * start, ones * (start + n - 1)
    return 0 * ones, ones


def _write(space: gym.Space[Any], values: Any, out: np.ndarray[Any, Any], at: int, batch: bool) -> int:
    """Write values into columns from `at` on, of out [B, width]; return the column after them."""
    if isinstance(space, spaces.OneOf):
        return _write_choice(space, values if batch else (values,), out, at)
    if isinstance(space, spaces.Dict | spaces.Tuple):
        for key, part in _children(space):
            at = _write(part, values[key], out, at, batch)
        return at
    if isinstance(space, spaces.Text):
        numbers = {character: i + 1 for i, character in enumerate(space.characters)}
        rows = np.zeros((len(out), space.max_length), np.float32)
        for row, text in zip(rows, values if batch else (values,), strict=True):
            text = text[: space.max_length]
            row[: len(text)] = [numbers.get(character, len(numbers) + 1) for character in text]
        values = rows
    stop = at + _width(space)
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":  # half of a complex number would be dropped with a warning
        raise ValueError(f"{array.dtype} is no type of numbers of {space}")
    out[:, at:stop] = array.reshape(len(out), stop - at)
    return stop


def _read(space: gym.Space[Any], vector: np.ndarray[Any, Any], at: int) -> tuple[Any, int]:
    """Return what columns from `at` on hold, and the column after them."""
    if isinstance(space, spaces.OneOf):
        chosen, at, values = int(vector[at]), at + 1, []
        for part in space.spaces:
            value, at = _read(part, vector, at)
            values.append(value)
        return (np.int64(chosen), values[chosen]), at
    if isinstance(space, spaces.Dict | spaces.Tuple):
        found = []
        for key, part in _children(space):
            value, at = _read(part, vector, at)
            found.append((key, value))
        return dict(found) if isinstance(space, spaces.Dict) else tuple(value for _, value in found), at
    stop = at + _width(space)
    columns = vector[at:stop]
    if isinstance(space, spaces.Text):
        signs = ("", *space.characters, "\N{REPLACEMENT CHARACTER}")
        return "".join(signs[int(number)] for number in columns), stop
    if isinstance(space, spaces.Discrete):
        return np.int64(columns[0]), stop
    return columns.reshape(space.shape).astype(space.dtype), stop


def _read_batch(space: gym.Space[Any], vectors: np.ndarray[Any, Any], at: int) -> tuple[Any, int]:
    """Return what columns from `at` on hold in a batch, and the column after them."""
    if isinstance(space, spaces.OneOf | spaces.Text):
        return tuple(_read(space, vector, at)[0] for vector in vectors), at + sum(_width(leaf) for _, leaf in _leaves(space, ()))
    if isinstance(space, spaces.Dict | spaces.Tuple):
        found = []
        for key, part in _children(space):
            value, at = _read_batch(part, vectors, at)
            found.append((key, value))
        return dict(found) if isinstance(space, spaces.Dict) else tuple(value for _, value in found), at
    stop = at + _width(space)
    return vectors[:, at:stop].reshape(len(vectors), *(space.shape or ())).astype(space.dtype), stop


def _write_choice(space: spaces.OneOf[Any], values: Any, out: np.ndarray[Any, Any], at: int) -> int:
    """Write elements of a OneOf: the number of the choice, and all choices, blank but the chosen one."""
    chosen = np.array([index for index, _ in values])
    out[:, at] = chosen
    at += 1
    for k, part in enumerate(space.spaces):
        blank = [_bounds(leaf)[0] * (not isinstance(leaf, spaces.Box)) for _, leaf in _leaves(part, ())]
        stop = at + sum(map(len, blank))
        out[:, at:stop] = np.concatenate([np.zeros(0), *blank])
        for row in np.flatnonzero(chosen == k):
            _write(part, values[row][1], out[row : row + 1], at, batch=False)
        at = stop
    return at


def _is_batch(space: gym.Space[Any], value: Any) -> bool:
    """Whether a value is a batch; only a part of one array or a text can tell."""
    if isinstance(space, spaces.OneOf):
        return isinstance(value[0], tuple)
    if isinstance(space, spaces.Dict | spaces.Tuple):
        key, part = _first(space)
        return _is_batch(part, value[key])
    return not isinstance(value, str) if isinstance(space, spaces.Text) else np.ndim(value) > len(space.shape or ())


def _length(space: gym.Space[Any], values: Any) -> int:
    """Return how many observations a batch holds."""
    while isinstance(space, spaces.Dict | spaces.Tuple):
        key, space = _first(space)
        values = values[key]
    return len(values)
