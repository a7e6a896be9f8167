"""Resumes compared: every agent is stopped at random points, loaded, and learns on; all that it is must equal what one go makes."""

from __future__ import annotations

import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from outcome import Outcome

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "agents"))

COUNTS = {"world": 5, "gymnasium": 5, "vectorised": 5, "variants": 5}  # stops of every agent
PROMISE = "weights, optimisers, replay, generators, environment and history equal to the last bit"
WHERE = {
    "world": "in worlds of ours",
    "gymnasium": "in a Gymnasium environment behind a wrapper with a state",
    "vectorised": "in several copies of one",
    "variants": "with priorities, noise, schedules, masks, windows, stacked frames",
}


def campaign(count: Callable[[str], int], seed: int) -> Iterator[Outcome]:
    """Stop every agent in every kind of environment."""
    import resuming

    def random_stops(name: str, kind: str) -> list[int]:
        rng = np.random.default_rng([seed, zlib.crc32(f"{name} {kind}".encode())])
        most = resuming.EPISODES if name in resuming.BOXED else resuming.STEPS * 3 // 4
        return sorted(rng.choice(np.arange(1, most), min(count(kind), most - 1), replace=False).tolist())

    for kind in resuming.KINDS:
        yield _outcome(kind, [(name, name, kind, random_stops(name, kind), {}) for name, each in resuming.CASES if each == kind])
    cases = []
    for what, (name, settings, *around) in resuming.VARIANTS.items():
        options = {"settings": {"n_envs": 2} | settings, **({"around": around[0]} if around else {})}
        cases.append((f"{name}, {what}", name, "gymnasium", random_stops(name, "variants"), options))
    yield _outcome("variants", cases)


def _outcome(what: str, cases: list[tuple]) -> Outcome:
    """Stop and compare; an agent that ends with an error has lost all of its stops."""
    from resuming import differences_by_stop

    tried, failures = 0, []
    for label, name, kind, stops, options in cases:
        with tempfile.TemporaryDirectory() as folder:
            try:
                found = differences_by_stop(name, kind, Path(folder), stops, **options)
            except Exception as error:  # to be reported, not to end the campaign
                found = {stop: [f"{type(error).__name__}: {error}"] for stop in stops}
        tried += len(found)
        failures += [f"{label}, {what}, stopped at {stop}: {', '.join(map(str, bad[:4]))}" for stop, bad in found.items() if bad]
    return Outcome(f"resumes {WHERE[what]}", tried, tried - len(failures), len(failures), PROMISE, tuple(failures))
