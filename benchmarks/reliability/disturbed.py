"""Undisturbed runs of some cases, as many disturbed ones, and what became of these."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from forked import Case, Reference, prepare, referenced, side_by_side
from outcome import Outcome

__all__ = ["Verdict", "disturbed", "summed"]


class Verdict(NamedTuple):
    """What became of a run that was disturbed.

    Attributes
    ----------
    how : str
        What reproduces it.
    lost, wrong : str
        What was lost, and what else is not as promised; or nothing.
    seconds : float
        After which it had ended, where that is promised.
    """

    how: str
    lost: str = ""
    wrong: str = ""
    seconds: float = 0.0


def disturbed(
    ways: Iterable[str],
    count: Callable[[str], int],
    seed: int,
    cases: Sequence[Case],
    one: Callable[[str, Reference, Path, random.Random], Generator[None, None, Verdict]],
) -> Iterator[tuple[str, list[Verdict]]]:
    """Disturb runs in each of some ways, case by case, some at once; yield the way and the verdicts."""
    prepare()
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as base:
        references = referenced(Path(base), cases)
        for way in ways:
            tasks = (one(way, references[i % len(references)], Path(base), random.Random(rng.random())) for i in range(count(way)))
            yield way, list(side_by_side(tasks, os.cpu_count() or 1))


def summed(what: str, verdicts: Sequence[Verdict], promise: str) -> Outcome:
    """Return the row of some verdicts."""
    bad = [verdict for verdict in verdicts if verdict.lost or verdict.wrong]
    lost = sum(bool(verdict.lost) for verdict in bad)
    failures = tuple(f"{verdict.how}: {verdict.lost or verdict.wrong}" for verdict in bad)
    return Outcome(what, len(verdicts), len(verdicts) - len(bad), lost, promise, failures)
