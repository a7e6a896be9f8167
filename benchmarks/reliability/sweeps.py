"""Kill a process of a run of several seeds, one that trains or the one that gave the command, and go on with all seeds."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from forked import difference, folder_in
from outcome import Outcome

COUNTS = {"a worker": 50, "the parent": 50}
SEEDS = 3
WORDS = (
    *("cliffwalk", "--algo", "q-learning", "-n", "1m", "--eval-every", "50k", "--eval-episodes", "1"),
    *("--seeds", str(SEEDS), "--jobs", "2"),
)
LONGEST = 120.0  # seconds
RLCOURSE = (sys.executable, "-m", "rlcourse")


def campaign(count: Callable[[str], int], seed: int) -> Iterator[Outcome]:
    """Yield a row for each kind of process that is killed."""
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole"
        _command(Path(folder) / "compiled", "train", *WORDS, "-q", "--out", "runs").wait()
        began = time.monotonic()
        _command(whole, "train", *WORDS, "-q", "--out", "runs").wait(LONGEST)
        seconds = time.monotonic() - began
        reference = [folder_in(path) for path in _seeds(whole)]
        for which in COUNTS:
            draw = random.Random(f"{seed} {which}")
            moments = [draw.uniform(0.2, seconds) for _ in range(count(which))]
            places = [Path(folder) / f"{which} {i}".replace(" ", "-") for i in range(len(moments))]
            with ThreadPoolExecutor(max(1, (os.cpu_count() or 1) // 2)) as together:
                said = list(together.map(lambda p, m, which=which: _killed(which, p, m, reference), places, moments))
            wrong = tuple(f"{which}, second {m:.3f}: {what}" for m, what in zip(moments, said, strict=True) if what)
            yield Outcome(
                f"kill -9 of {which} of {SEEDS} seeds in 2 processes, then resume of all",
                len(said),
                len(said) - len(wrong),
                sum("lost" in what for what in wrong),
                "the other seeds end; every seed ends once, equal bit for bit; no process stays",
                wrong,
            )


def _killed(which: str, place: Path, moment: float, reference: Sequence[Path]) -> str:
    """Kill a process of a run, go on, and return what is wrong with what there is in the end, or nothing."""
    process = _command(place, "train", *WORDS, "-q", "--out", "runs")
    time.sleep(moment)
    workers = _children(process.pid)
    victim = process.pid if which == "the parent" else next(iter(random.Random(moment).sample(workers, len(workers))), 0)
    if victim:
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
    process.wait(LONGEST)
    deadline = time.monotonic() + 10.0
    while any(_runs(worker) for worker in workers):
        if time.monotonic() > deadline:
            return "a process that trains is left"
        time.sleep(0.02)
    parent = next((path.parent for path in place.rglob("seeds.toml")), None)
    if parent is None:  # killed before anything was begun
        return "lost: seeds.toml" if list(place.rglob("*.safetensors")) else ""
    again = _command(place, "resume", str(parent), "-q")
    code = again.wait(LONGEST)
    said = (place / "said").read_text(errors="replace")
    if code and "give more with -n" not in said:
        return f"lost: resume ended with {code}: {said.strip()[-300:]}"
    if "Traceback" in said:
        return f"a traceback: {said.strip()[-300:]}"
    ended = _seeds(place)
    if len(ended) != len(reference):
        return f"lost: {len(ended)} seeds of {len(reference)}"
    return "; ".join(filter(None, (difference(folder_in(mine), theirs) for mine, theirs in zip(ended, reference, strict=True))))


def _command(place: Path, *words: str) -> subprocess.Popen[bytes]:
    place.mkdir(exist_ok=True)
    with (place / "said").open("ab") as said:
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        return subprocess.Popen([*RLCOURSE, *words], cwd=place, env=environment, stdout=said, stderr=said)


def _seeds(place: Path) -> list[Path]:
    """Return the folders of the seeds, in order; one that was killed in its first write has begun anew, later than the next ones."""
    return sorted((file.parent for file in place.rglob("config.toml")), key=lambda path: path.name.partition("-seed")[2])


def _children(process: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
