"""Bounds on exact computations, by work that is counted and not by a clock: what is computed is the same on every machine.

>>> from rlcourse.core import exact, work
>>> with work.at_most(1e9):
...     exact.v_star("FrozenLake-v1", gamma=0.99)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["TooMuchWork", "at_most", "spend"]


class TooMuchWork(ValueError):
    """More than `at_most` allows."""


class _Purse:
    def __init__(self, operations: float) -> None:
        self.left = operations


_purse: ContextVar[_Purse | None] = ContextVar("purse", default=None)


@contextmanager
def at_most(operations: float) -> Iterator[None]:
    """Let what is computed inside spend so many operations, each about a nanosecond of one core; `TooMuchWork` is raised beyond."""
    token = _purse.set(_Purse(operations))
    try:
        yield
    finally:
        _purse.reset(token)


def spend(operations: float) -> None:
    """Count operations that are about to be made; without `at_most` around it nothing happens."""
    purse = _purse.get()
    if purse is not None:
        purse.left -= operations
        if purse.left < 0:
            raise TooMuchWork("this takes more work than is allowed here")
