"""How much memory is free, and refusing to take too much of it."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gymnasium as gym

__all__ = ["free_memory", "must_fit", "require_for_copies", "require_for_weights", "require_memory"]

_WORTH_SAYING = 100_000_000  # bytes: smaller memories are nobody's concern
_OF_A_COPY = 120  # bytes of a copy of a world, beside its observations: measured in CartPole


def free_memory() -> int | None:
    """Return the bytes that a program can still take without swapping, or None where the system does not tell."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def require_memory(what: str, needed: int, setting: str) -> None:
    """Say how much memory something will take, where that is much; refuse more than half of what is free.

    Raises
    ------
    ValueError
        Naming the setting to lower.
    """
    _refuse_too_much(what, needed, setting)
    if needed > _WORTH_SAYING:
        print(f"{what}: {needed / 1e9:.2f} GB")


def _refuse_too_much(what: str, needed: int, setting: str) -> None:
    free = free_memory()
    if free is not None and needed > free / 2:
        raise ValueError(
            f"{setting}: {what} would take {needed / 1e9:.2f} GB, more than half of the {free / 1e9:.2f} GB that are free; lower it"
        )


def require_for_copies(space: gym.Space[Any], copies: int, setting: str, each: int = 0) -> None:
    """Refuse copies of an environment that would take more than half of the free memory, before the first is made.

    Counted are observations, the bounds of their spaces, and what a copy takes at least: of a world, or `each` bytes.
    """
    _refuse_too_much(f"{copies:,} copies of the environment", copies * (8 * _bytes(space) + max(each, _OF_A_COPY)), setting)


def _bytes(space: gym.Space[Any]) -> int:
    """Return how many bytes an element of a space takes."""
    if isinstance(space, gym.spaces.Dict | gym.spaces.Tuple):
        return sum(map(_bytes, space.spaces.values() if isinstance(space, gym.spaces.Dict) else space.spaces))
    return math.prod(space.shape or ()) * (8 if space.dtype is None else space.dtype.itemsize)


def require_for_weights(config: Any) -> None:
    """Refuse widths whose weights, with their gradients and Adam's moments, would take more than half of the free memory.

    Counted is what the settings alone tell: the layers between hidden ones, and a memory's recurrent weights.
    """
    for setting in ("hidden", "actor_hidden"):
        widths = getattr(config, setting, ())
        require_memory("networks of these widths", 16 * (sum(widths) + sum(a * b for a, b in itertools.pairwise(widths))), setting)
    width, layers = getattr(config, "memory_size", 0), getattr(config, "memory_layers", 1)
    kind, _, window = str(getattr(config, "memory", "")).partition(":")
    if kind == "attention" and window.isdecimal():  # the observations that each copy holds, before and after, with their keys and values
        copies = getattr(config, "n_envs", 1)
        require_memory("attention over so many observations", 4 * 4 * int(window) * width * copies, "memory")
    require_memory("a memory of this width", 16 * 3 * width * width * layers, "memory_size")


@contextmanager
def must_fit(settings: str) -> Iterator[None]:
    """Turn a failed allocation into one sentence.

    Raises
    ------
    ValueError
        Naming the settings to lower.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:  # torch raises a RuntimeError
        if isinstance(error, RuntimeError) and not any(word in str(error) for word in ("allocate memory", "out of memory")):
            raise
        raise ValueError(f"{settings}: this agent does not fit into memory; lower one of them") from error
