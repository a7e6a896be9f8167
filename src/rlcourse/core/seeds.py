"""Independent streams and independent runs: the result never depends on the number of workers."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np

from rlcourse.core.fits import Misfit

__all__ = ["begin", "begin_copies", "environment_seed", "replicate", "restore", "snapshot", "spawn"]

T = TypeVar("T")


def spawn(seed: int, count: int) -> list[np.random.Generator]:
    """Return generators of independent streams, children of one `numpy.random.SeedSequence`."""
    return [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(count)]


def replicate(run: Callable[[np.random.Generator], T], runs: int, *, seed: int = 0, workers: int | None = None) -> list[T]:
    """Run an experiment several times, each on its own stream, spread over threads; boxes release the GIL.

    Parameters
    ----------
    run : callable
        One run, given its generator.
    runs : int
        How many; result i depends on `seed` and i alone.
    workers : int, optional
        Threads; the number of cores where None.

    Returns
    -------
    list
        The results in order.
    """
    if runs < 1:
        raise ValueError(f"runs must be at least 1, not {runs}")
    with ThreadPoolExecutor(max_workers=min(runs, workers or os.cpu_count() or 1)) as pool:
        return list(pool.map(run, spawn(seed, runs)))


def environment_seed(rng: np.random.Generator) -> int:
    """Draw the seed of an agent's environments."""
    return int(rng.integers(2**31))


def begin(env: Any, seed: int) -> Any:
    """Reset an environment with a seed, which its action space gets too: some wrappers and environments sample from it."""
    env.action_space.seed(seed)
    return env.reset(seed=seed)


def begin_copies(env: Any, rng: np.random.Generator) -> Any:
    """Reset a vector environment with a seed that is drawn, which the action spaces get too, copy i that and i more."""
    seed = environment_seed(rng)
    for i, each in enumerate(getattr(env.unwrapped, "envs", ())):
        each.action_space.seed(seed + i)
    return begin(env, seed)


def snapshot(rng: np.random.Generator) -> dict[str, Any]:
    """Return a generator's state as JSON can hold it."""
    state: dict[str, Any] = dict(rng.bit_generator.state)
    return state


def restore(rng: np.random.Generator, state: dict[str, Any]) -> None:
    """Put a generator into a state that `snapshot` returned, in place; raises Misfit where it is none."""
    rng.bit_generator.state = state
    if snapshot(rng) != state:  # numpy cuts fractions off
        raise Misfit("rng is no state of a generator in the file")
