"""Interrupt runs at random moments, by Ctrl-C once or twice and by SIGTERM, and go on with them."""

from __future__ import annotations

import random
import signal
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path

import numpy as np
from disturbed import Verdict, disturbed, summed
from forked import CASES, Case, Forked, Reference, crowd, difference, folder_in
from outcome import Outcome

COUNTS = {"SIGINT": 50, "SIGTERM": 50, "Ctrl-C twice": 50}
_SECONDS = 2.0  # in which what was learned is saved, and the process has ended


def campaign(count: Callable[[str], int], seed: int, cases: Sequence[Case] = CASES) -> Iterator[Outcome]:
    """Yield a row for each way to interrupt."""
    promise = "all is saved in two seconds, exit code 130 or 143; the run goes on and ends equal bit for bit"
    for way, verdicts in disturbed(COUNTS, count, seed, cases, _interrupted):
        seconds = np.array([verdict.seconds for verdict in verdicts])
        yield summed(f"{way}, then resume: ends in {np.median(seconds):.2f} s (median), {seconds.max():.2f} s (worst)", verdicts, promise)


def _interrupted(way: str, reference: Reference, base: Path, rng: random.Random) -> Generator[None, None, Verdict]:
    case, latest = reference.case, reference.seconds
    number = signal.SIGTERM if way == "SIGTERM" else signal.SIGINT
    while True:
        moments = [rng.uniform(0.05, latest)]
        moments += [moments[0] + rng.uniform(0, 0.3)] if way == "Ctrl-C twice" else []
        with tempfile.TemporaryDirectory(dir=base) as folder:
            place = Path(folder)
            run = Forked(["train", *case.words, "-q", "--out", "runs"], place)
            ended = yield from run.wait(number, moments)
            if ended.code == 0:  # before the signal came
                latest = 0.8 * moments[0]
                continue
            label = f"{case.name}, second {moments[0]:.6g}"
            seconds = ended.seconds - moments[0]
            if ended.code != 128 + number or "Traceback" in ended.said:
                return Verdict(label, "", f"ended with {ended.code}: {ended.said.strip()[-300:]}", seconds)
            if seconds > _SECONDS * crowd():
                return Verdict(label, "", f"took {seconds:.2f} s", seconds)
            left = folder_in(place / "runs")
            if not list(left.rglob("*.safetensors")):
                return Verdict(label, "", "" if "saved" not in ended.said else "says that it saved, and did not", seconds)
            again = yield from Forked(["resume", str(left), "-q"], place).wait()
            if again.code or "Traceback" in again.said:
                return Verdict(label, f"resume ended with {again.code}: {again.said.strip()[-300:]}", "", seconds)
            found = difference(left, reference.folder)
            return Verdict(label, "", f"differs in {found}" if found else "", seconds)
