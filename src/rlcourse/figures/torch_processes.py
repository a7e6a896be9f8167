"""Deep experiments run in processes: networks are made under torch's global generator, and threads would share it.

Every job has one thread of torch, here as there, so that results depend neither on the number of processes nor on the cores.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context
from typing import Any

__all__ = ["spread"]


def spread(function: Callable[[Any], Any], jobs: Sequence[Any], workers: int, progress: Callable[[int, int], None] | None) -> list[Any]:
    """Return ``[function(job) for job in jobs]``; see `rlcourse.figures.experiment.Lab.spread`."""
    if min(workers, len(jobs)) > 1:
        return _in_processes(function, jobs, workers, progress)
    results = []
    with _one_thread():
        for job in jobs:
            results.append(function(job))
            if progress is not None:
                progress(len(results), len(jobs))
    return results


def _in_processes(
    function: Callable[[Any], Any], jobs: Sequence[Any], workers: int, progress: Callable[[int, int], None] | None
) -> list[Any]:
    """Spread jobs over processes that end with this call, whatever ends it."""
    others = set(active_children())
    pool = ProcessPoolExecutor(min(workers, len(jobs)), mp_context=get_context("spawn"), initializer=_begin)
    try:
        futures = [pool.submit(function, job) for job in jobs]
        for done, future in enumerate(as_completed(futures), start=1):
            future.result()  # an error is raised at once, not when its turn comes
            if progress is not None:
                progress(done, len(jobs))
        return [future.result() for future in futures]
    except BrokenProcessPool as error:
        raise RuntimeError("a process of the experiment was killed, perhaps for want of memory: take fewer --workers") from error
    except BaseException:
        for process in set(active_children()) - others:
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _begin() -> None:
    """Prepare a process, before torch is imported: one thread, and Ctrl-C is the parent's business."""
    os.environ["OMP_NUM_THREADS"] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)
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
