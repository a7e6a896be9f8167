"""Deep experiments run in processes: networks are made under torch's global generator, and threads would share it.

Every job has one thread of torch, here as there, so that results depend neither on the number of processes nor on the cores.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

from rlcourse.figures.processes import in_processes

__all__ = ["spread"]


def spread(function: Callable[[Any], Any], jobs: Sequence[Any], workers: int, progress: Callable[[int, int], None] | None) -> list[Any]:
    """Return ``[function(job) for job in jobs]``; see `rlcourse.figures.experiment.Lab.spread`."""
    several = min(workers, len(jobs)) > 1
    results = {}
    with contextlib.closing(
        in_processes(function, [(job,) for job in jobs], workers, _begin) if several else _here(function, jobs)
    ) as made:
        for number, result in made:
            results[number] = result
            if progress is not None:
                progress(len(results), len(jobs))
    return [results[number] for number in range(len(jobs))]


def _here(function: Callable[[Any], Any], jobs: Sequence[Any]) -> Generator[tuple[int, Any], None, None]:
    with _one_thread():
        for number, job in enumerate(jobs):
            yield number, function(job)


def _begin() -> None:
    """Let torch have one thread in a process, which it is told before it is imported."""
    os.environ["OMP_NUM_THREADS"] = "1"
    _only_one_thread()


def _only_one_thread() -> int:
    """Let torch use one thread; return how many it used."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    return before


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    import torch

    before = _only_one_thread()
    try:
        yield
    finally:
        torch.set_num_threads(before)
