"""Mutants: a box with one line changed, everywhere it is used, until the test ends."""

import contextlib
import inspect
import textwrap
from collections.abc import Iterator
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


def broken_claims(name: str, **options) -> list[str]:
    """Make a figure at its fast level; return the claims that fail."""
    return [claim.text for claim in figures.make(name, level="fast", **options).claims if not claim.holds]
