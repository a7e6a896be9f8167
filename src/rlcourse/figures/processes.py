"""Processes that end with what started them, whatever ends it: an error, a signal, or its death."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context, parent_process
from types import FrameType
from typing import Any

from rlcourse.core.ended import ProcessEnded

__all__ = ["in_processes"]

_TURN = 0.1  # seconds between two looks for a signal
_NUMBERS = (signal.SIGINT, signal.SIGTERM)


def in_processes(
    function: Callable[..., Any], jobs: Sequence[tuple[Any, ...]], workers: int, prepare: Callable[[], None] | None = None
) -> Generator[tuple[int, Any], None, None]:
    """Yield the number of a job and ``function(*job)``, in the order in which they are done.

    The processes end with the iterator: close it (`contextlib.closing`) where it is not exhausted.

    Parameters
    ----------
    function : callable
        Of a module.
    jobs : sequence of tuple
    workers : int
        Processes at most.
    prepare : callable, optional
        Called first in each process.

    Raises
    ------
    ProcessEnded
        Where a process was killed.
    KeyboardInterrupt
        After SIGINT or SIGTERM, whose number is its argument.
    """
    others = set(active_children())
    with _noted() as came:
        pool = ProcessPoolExecutor(min(workers, len(jobs)), mp_context=get_context("spawn"), initializer=_begin, initargs=(prepare,))
        try:
            with _held_back():
                waiting = {pool.submit(function, *job): number for number, job in enumerate(jobs)}
            while waiting:
                done, _ = wait(waiting, timeout=_TURN, return_when=FIRST_COMPLETED)
                if came:
                    raise KeyboardInterrupt(came[0])
                for future in done:
                    yield waiting.pop(future), future.result()
        except BrokenProcessPool as error:
            raise ProcessEnded("a process of the experiment was killed, perhaps for want of memory: take fewer --workers") from error
        except BaseException:
            for process in set(active_children()) - others:
                process.kill()  # they have nothing to save
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@contextlib.contextmanager
def _noted() -> Iterator[list[int]]:
    """Note signals instead of raising: an exception within the pool's locks would leave them closed, and its threads waiting for ever."""
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)

    before = {number: signal.signal(number, note) for number in _NUMBERS}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _held_back() -> Iterator[None]:
    """Hold signals back in processes that start here, until they ignore them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _NUMBERS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(prepare: Callable[[], None] | None) -> None:
    """Leave signals to the parent, end when it is gone, and get ready."""
    for number in _NUMBERS:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _NUMBERS)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if prepare is not None:
        prepare()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
