"""Kill runs at random moments, half of them at a random one of the calls by which they write, and go on with them."""

from __future__ import annotations

import os
import random
import signal
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from disturbed import Verdict, disturbed, summed
from forked import CASES, Case, Ended, Forked, Reference, counted, difference, folder_in
from outcome import Outcome

from rlcourse.core import files

COUNTS = {"kill -9": 100, "kill -9 while writing": 100}


def campaign(count: Callable[[str], int], seed: int, cases: Sequence[Case] = CASES) -> Iterator[Outcome]:
    """Yield a row for kills by the clock, and one for kills while something is written."""
    what = f"then resume ({len(cases)} agents and environments)"
    promise = "no row before the newest checkpoint is lost; the run goes on and ends equal bit for bit; nothing is left behind"
    for way, verdicts in disturbed(COUNTS, count, seed, cases, _killed):
        yield summed(f"{way}, {what}", verdicts, promise)


def _killed(way: str, reference: Reference, base: Path, rng: random.Random) -> Generator[None, None, Verdict]:
    """Kill a run, look at what is left, go on with it, and compare the end."""
    case = reference.case
    with tempfile.TemporaryDirectory(dir=base) as folder:
        place = Path(folder)
        by_call = way.endswith("writing")
        call, second, torn = rng.randrange(reference.calls), rng.uniform(0, reference.seconds), rng.random() < 0.5
        run = Forked(["train", *case.words, "-q", "--out", "runs"], place, (lambda: _die_at(call, torn)) if by_call else None)
        yield from run.wait(signal.SIGKILL, () if by_call else (second,))
        label = f"{case.name}, {f'call {call}' if by_call else f'second {second:.3f}'}"
        left = folder_in(place / "runs")
        if not (left / "config.toml").exists():
            return Verdict(label, "a checkpoint without config.toml" if list(left.rglob("*.safetensors")) else "")
        if lost := _lost_rows(left, reference):
            return Verdict(label, lost)
        again = yield from Forked(["resume", str(left), "-q"], place).wait()
        return Verdict(label, *_judged(left, again, reference))


def _lost_rows(run: Path, reference: Reference) -> str:
    """Return which rows of episodes.csv, whole and before the newest checkpoint, are missing."""
    newest = max(((int(file.stem), file) for file in (run / "checkpoints").glob("*[0-9].safetensors")), default=None)
    if newest is None:
        return ""
    known = int(files.read(newest[1])[1]["state"]["finished"])
    table = run / "episodes.csv"
    rows = table.read_bytes().splitlines(keepends=True)[1:] if table.exists() else []
    expected = (reference.folder / "episodes.csv").read_bytes().splitlines(keepends=True)[1:]
    return f"{known - len(rows)} rows of episodes.csv" if rows[:known] != expected[:known] else ""


def _judged(run: Path, again: Ended, reference: Reference) -> tuple[str, str]:
    """Return what was lost, and what else is wrong."""
    if again.code == 2 and "give more with -n" in again.said:  # it had ended
        again = again._replace(code=0)
    if again.code == 2 and "before it began to learn" in again.said and not list(run.rglob("*.safetensors")):
        return "", ""
    if again.code or "Traceback" in again.said:
        return f"resume ended with {again.code}: {again.said.strip()[-300:]}", ""
    if found := difference(run, reference.folder):
        return "", f"differs in {found}"
    rubbish = [path.name for path in run.rglob("*") if path.name.endswith(".tmp")]
    return "", f"left behind: {rubbish}" if rubbish else ""


# In the run -----------------------------------------------------------------------------------------------------------


def _die_at(at: int, torn: bool) -> None:
    """Let the run be killed before a call; a write may have come to half of its bytes."""

    def each(number: int, name: str, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        if number == at:
            if name == "write" and torn:
                function(*arguments[:-1], bytes(arguments[-1])[: len(arguments[-1]) // 2])
            os.kill(os.getpid(), signal.SIGKILL)

    counted(each)
