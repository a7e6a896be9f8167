"""Mutants: a box, or a kernel that it calls, with one line changed, everywhere it is used, until the test ends."""

import contextlib
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from rlcourse import figures
from rlcourse.core.box import Box


@contextlib.contextmanager
def mutated(box: Box, old: str, new: str) -> Iterator[None]:
    """Replace text in the source of a box; both speeds then run the mutant, which is never cached on disk."""
    source = textwrap.dedent(inspect.getsource(box.python))
    assert source.count(old) >= 1, f"{box} has no text {old!r}"
    names = dict(box.python.__globals__, box=lambda function: function, __name__="mutant")
    exec(compile(source.replace(old, new), f"<mutant of {box}>", "exec"), names)
    with mock.patch.multiple(box, python=names[box.python.__name__], _dispatchers={}):
        yield


@contextlib.contextmanager
def mutated_kernel(box: Box, kernel: Callable, old: str, new: str) -> Iterator[None]:
    """Replace text in the source of a kernel that a box calls, in the box's module or one that it imports by name."""
    assert old in inspect.getsource(kernel), f"{kernel} has no text {old!r}"
    module, home = sys.modules[box.python.__module__], sys.modules[kernel.__module__]
    changed = _executed(inspect.getsource(home).replace(old, new))
    if home is not module:  # whatever lies between kernel and box is made anew, for numba keeps what it has compiled
        with mock.patch.object(home, kernel.__name__, changed[kernel.__name__]):
            changed = _executed(inspect.getsource(module))
    with mock.patch.multiple(box, python=changed[box.python.__name__].python, _dispatchers={}):
        yield


def _executed(source: str) -> dict[str, Any]:
    """Run a module's source up to its settings; return its names."""
    names: dict[str, Any] = {"__name__": "mutant"}
    exec(compile(source.split("\n@dataclass")[0], "<mutant>", "exec"), names)
    return names


def broken_claims(name: str, **options) -> list[str]:
    """Make a figure at its fast level; return the claims that fail."""
    return [claim.text for claim in figures.make(name, level="fast", **options).claims if not claim.holds]
