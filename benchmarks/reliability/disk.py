"""Let calls that write fail: a disk that is full for a while or to the end, one with errors, a folder that becomes read-only."""

from __future__ import annotations

import errno
import os
import random
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from disturbed import Verdict, disturbed, summed
from forked import CASES, Case, Ended, Forked, Reference, counted, difference, folder_in
from outcome import Outcome

COUNTS = {"disk full for a while": 80, "disk full to the end": 60, "fsync fails": 40, "folder becomes read-only": 40}
_NEEDS_ROOM = ("write", "mkdir", "open", "fsync", "replace")  # what a full disk refuses
_NUMBERS = {"fsync fails": errno.EIO, "folder becomes read-only": errno.EROFS}


def campaign(count: Callable[[str], int], seed: int, cases: Sequence[Case] = CASES) -> Iterator[Outcome]:
    """Yield a row for each way in which writing fails."""
    promise = "training goes on with one warning; exit code 0 where all was written in the end, else 1 and resume ends bit-equal"
    for way, verdicts in disturbed(COUNTS, count, seed, cases, _refused):
        yield summed(f"{way}, from a random one of the calls that write", verdicts, promise)


def _refused(way: str, reference: Reference, base: Path, rng: random.Random) -> Generator[None, None, Verdict]:
    case = reference.case
    first = rng.randrange(reference.calls)
    last = first + rng.choice((1, 2, 5, 20)) if way in ("disk full for a while", "fsync fails") else 10**9
    names = ("fsync",) if way == "fsync fails" else _NEEDS_ROOM
    with tempfile.TemporaryDirectory(dir=base) as folder:
        place = Path(folder)
        run = Forked(
            ["train", *case.words, "-q", "--out", "runs"],
            place,
            lambda: _fail(first, last, names, _NUMBERS.get(way, errno.ENOSPC), folder),
        )
        ended = yield from run.wait()
        label = f"{case.name}, calls {first} to {last}"
        left = folder_in(place / "runs")
        if wrong := _said(ended):
            return Verdict(label, wrong=wrong)
        if ended.code == 2:  # it could not even begin
            return Verdict(label, wrong="" if not list(left.rglob("*.safetensors")) else f"ended with 2: {ended.said.strip()[-300:]}")
        if ended.code:
            again = yield from Forked(["resume", str(left), "-q"], place).wait()
            if again.code == 2 and "before it began to learn" in again.said and not list(left.rglob("*.safetensors")):
                return Verdict(label)
            if (
                again.code == 2 and "give more with -n" in again.said and (left / "card.md").exists()
            ):  # all was written, and that not confirmed
                again = again._replace(code=0)
            if again.code or "Traceback" in again.said:
                return Verdict(label, f"resume ended with {again.code}: {again.said.strip()[-300:]}")
        found = difference(left, reference.folder)
        return Verdict(label, f"ended with {ended.code} and differs in {found}" if found else "")


def _said(ended: Ended) -> str:
    """Return what is wrong with what a run said and how it ended, or nothing."""
    if ended.code not in (0, 1, 2) or "Traceback" in ended.said:
        return f"ended with {ended.code}: {ended.said.strip()[-300:]}"
    if (warnings := ended.said.count("training goes on")) > 1:
        return f"{warnings} warnings"
    if ended.code and "rlcourse: " not in ended.said:
        return f"ended with {ended.code} and said nothing"
    return ""


def _fail(first: int, last: int, names: tuple[str, ...], number: int, folder: str) -> None:
    """Let calls of some names fail, from one number to another."""

    def each(at: int, name: str, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        if first <= at < last and name in names:
            raise OSError(number, os.strerror(number))

    counted(each)
