"""Giving an object what a file holds for it: what does not fit is refused in one sentence, in our words rather than numpy's or torch's."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import gymnasium as gym
import numpy as np

from rlcourse.core.files import DamagedFile

__all__ = [
    "Misfit",
    "class_in",
    "environment_in",
    "finite",
    "fit",
    "fitting",
    "indices",
    "of_file",
    "require_plausible",
    "shaped",
    "whole_in",
]

_FOREIGN = (TypeError, ValueError, RuntimeError, AttributeError, IndexError, OverflowError, AssertionError, MemoryError, SystemError)


class Misfit(ValueError):
    """What a file holds, and what does not fit here; its text is our own sentence."""


def shaped(given: Any, shape: tuple[int | None, ...], dtype: Any, name: str) -> Any:
    """Return an array, or a tensor, of this shape (None: any length) and of numbers that this dtype can hold.

    Raises
    ------
    Misfit
        Naming the array.
    """
    found = getattr(given, "shape", None)
    if found is None:
        raise Misfit(f"{name} is no array in the file")
    if len(found) != len(shape) or any(wanted not in (None, axis) for wanted, axis in zip(shape, found, strict=True)):
        here = tuple("any" if axis is None else axis for axis in shape)
        raise Misfit(f"{name} has shape {tuple(found)} in the file, {str(here).replace(repr('any'), 'any')} here")
    if isinstance(given, np.ndarray) and not np.can_cast(given.dtype, dtype, "same_kind"):
        raise Misfit(f"{name} holds {given.dtype} in the file, {np.dtype(dtype)} here")
    return given


def fit(mine: np.ndarray, given: Any, name: str) -> None:
    """Overwrite an array by one of the same shape; raises Misfit where it is none."""
    mine[...] = shaped(given, mine.shape, mine.dtype, name)


def indices(given: np.ndarray, low: int, high: int, name: str) -> None:
    """Raise Misfit where a number lies outside [low, high): compiled code would look there without asking."""
    if given.size and not (low <= given.min() and given.max() < high):
        raise Misfit(f"{name} has numbers outside {low}..{high - 1} in the file")


def finite(given: np.ndarray, name: str) -> None:
    """Raise Misfit where numbers have diverged: nothing can be learned from them any more."""
    if not np.isfinite(given).all():
        raise Misfit(f"{name} is no longer finite in the file; take an earlier checkpoint")


def whole_in(value: Any, low: int, high: int, name: str) -> int:
    """Return a whole number of a file; raises Misfit where it is none, or not from low to high."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise Misfit(f"{name} is no whole number from {low} to {high} in the file")
    return int(value)


def class_in(metadata: Mapping[str, Any], path: Any) -> str:
    """Return the class that a file names; raises DamagedFile where that is no name."""
    name = metadata.get("class")
    if name is None and "moment" in metadata:
        raise ValueError(f"{path} holds a replay memory: name the file of the agent beside it")
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", name):
        raise DamagedFile(f"{path} names no class; take another checkpoint of the run")
    return name


def environment_in(metadata: Mapping[str, Any]) -> str:
    """Return the id of the environment that a file names, if that is registered: for others Gymnasium would import what the file says.

    Raises
    ------
    Misfit
        Where it names none, or an unknown one.
    """
    id = metadata["env_id"]
    if id is None:
        raise Misfit("it names no environment; pass env=")
    if not isinstance(id, str) or id not in gym.registry:
        raise Misfit(f"its environment {str(id)[:100]!r} is not registered here; import the package that has it, or pass env=")
    return id


def require_plausible(path: Any, settings: Any, arrays: Mapping[str, np.ndarray]) -> None:
    """Raise DamagedFile where settings describe networks, or copies, that the arrays of a file cannot be: none is made then."""
    held, needed = sum(array.nbytes for array in arrays.values()), 0
    values = settings if isinstance(settings, dict) else {}
    for name in ("hidden", "actor_hidden"):
        widths = values.get(name)
        if isinstance(widths, list) and all(isinstance(width, int) for width in widths):
            needed += 4 * sum(a * b for a, b in itertools.pairwise(widths)) + 4 * sum(widths)
    for name, square in (("memory_size", True), ("n_envs", False)):
        if isinstance(values.get(name), int):
            needed = max(needed, 4 * values[name] ** (1 + square))
    if needed > held and any(name in values for name in ("hidden", "memory_size")):
        raise DamagedFile(f"{path} holds less than the networks that its settings describe; take another checkpoint of the run")


@contextmanager
def of_file(path: Any) -> Iterator[None]:
    """Name the file in a sentence about what it says, or about an environment that does not suit it."""
    try:
        yield
    except ValueError as error:
        if type(error) is not ValueError:
            raise
        raise ValueError(f"{path}: {error}") from error
    except (MemoryError, OverflowError, TypeError) as error:
        raise DamagedFile(f"{path} holds settings that no agent can have; take another checkpoint of the run") from error


@contextmanager
def fitting(path: Any, name: str) -> Iterator[None]:
    """Turn whatever goes wrong while an object takes over the state in a file into one sentence that names the file.

    Raises
    ------
    ValueError
        Where the state is of something else.
    DamagedFile
        Where it is none.
    """
    try:
        yield
    except DamagedFile:
        raise
    except Misfit as error:
        raise ValueError(f"{path} does not fit: {error}") from error
    except KeyError as error:
        raise DamagedFile(f"{path} lacks {str(error)[:100]}; it was written by another version of rlcourse") from error
    except _FOREIGN as error:
        raise DamagedFile(f"{path} holds a state that no {name} can take over; take another checkpoint of the run") from error
