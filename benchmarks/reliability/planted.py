"""Bugs planted in a copy of the package, and how many of them the tests find: `benchmarks/mutants.py` as a campaign."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from outcome import Outcome

sys.path.append(str(Path(__file__).resolve().parent.parent))
import mutants
from planted_bugs import BUGS

COUNTS = {"planted bugs": len(BUGS)}


def campaign(count: Callable[[str], int], seed: int) -> Iterator[Outcome]:
    """Plant so many of the bugs, drawn at random where they are not all, and yield how many were killed."""
    bugs = random.Random(seed).sample(BUGS, min(count("planted bugs"), len(BUGS)))
    mutants.preload()
    verdicts = mutants.run(bugs, jobs=2)
    alive = [verdict for verdict in verdicts if verdict.how != "killed"]
    missed = tuple(f"{verdict.how}: {verdict.bug.name}: python benchmarks/mutants.py '{verdict.bug.name}'" for verdict in alive)
    promise = "at least 95 % of them are found by the tests that are named for them"
    yield Outcome("bugs planted in the package", len(bugs), len(bugs) - len(alive), len(alive), promise, missed, at_least=0.95)
