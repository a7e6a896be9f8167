"""``rlcourse train --seeds K``: a process per core (or ``--jobs``), each with one seed after another; one curve with a confidence band."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

from rlcourse.cli.folder import RunFolder
from rlcourse.cli.report import result_of
from rlcourse.cli.settings import algo_key
from rlcourse.cli.targets import Target
from rlcourse.cli.usage import UsageError
from rlcourse.cli.worker import MARK
from rlcourse.core.files import write_bytes

__all__ = ["train_many"]


def train_many(argv: list[str], target: Target, name: str, parsed: Any) -> int:
    """Run the same command with several seeds, in as many processes as there are cores or `--jobs`, then draw all of them."""
    words = _without(argv, {"--seeds", "--seed", "--jobs", "--out", "-o"}, {"-q", "--quiet", "--no-progress"})
    waiting: queue.Queue[int] = queue.Queue()
    for seed in range(parsed.seed, parsed.seed + parsed.seeds):
        waiting.put(seed)
    before = signal.signal(signal.SIGTERM, _interrupt)
    workers = [_Worker(words, waiting) for _ in range(min(parsed.seeds, parsed.jobs or _cores()))]
    parent: Path | None = None
    try:
        for worker in workers:
            worker.wait_until_ready()  # what is wrong is said once, before anything is written
        parent = RunFolder.create(parsed.out, target.label, f"{algo_key(name).replace(':', '-')}-{parsed.seeds}-seeds", parsed.seed).path
        (parent / "checkpoints").rmdir()
        results, failed = _gather(workers, parent, parsed.quiet)
    except KeyboardInterrupt as error:
        for worker in workers:
            worker.interrupt()
        where = f"; every seed was saved below {parent}" if parent else ""
        print(f"rlcourse: interrupted{where}", file=sys.stderr)
        return 128 + (error.args[0] if error.args else signal.SIGINT)
    finally:
        for worker in workers:
            worker.close()
        signal.signal(signal.SIGTERM, before)
    if results:
        _summary(parent, target, name, results, parsed.quiet)
    return failed


def _gather(workers: list[_Worker], parent: Path, quiet: bool) -> tuple[dict[int, tuple[float, Path]], int]:
    """Let the workers work; return the results by seed, and the first exit code that is not 0."""
    results: dict[int, tuple[float, Path]] = {}
    failed = 0
    answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
    threads = [threading.Thread(target=worker.work, args=(parent, answers), daemon=True) for worker in workers]
    for thread in threads:
        thread.start()
    running = len(threads)
    while running:
        try:
            answer = answers.get(timeout=0.1)  # in turns: Ctrl-C is noticed on every system
        except queue.Empty:
            continue
        if answer is None:
            running -= 1
        elif answer["code"]:
            failed = failed or answer["code"]
        else:
            mean, _, path = answer["output"].partition(" ")
            results[answer["seed"]] = float(mean), Path(path)
            if not quiet:
                ended = result_of(Path(path)) or {"last": float(mean)}
                print(f"seed {answer['seed']}: {float(mean):.2f}   last {ended['last']:.2f}   {path}", flush=True)
    return results, failed


class _Worker:
    """A process of `rlcourse.cli.worker`, and the thread's work that feeds it."""

    def __init__(self, words: list[str], waiting: queue.Queue[int]) -> None:
        command = [sys.executable, "-m", "rlcourse.cli.worker", *words]
        pipe = subprocess.PIPE
        self.waiting = waiting
        self.process = subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, stdin=pipe, stdout=pipe, text=True)

    def wait_until_ready(self) -> None:
        """Wait until the command was checked; raises UsageError where it is wrong."""
        answer = self._answer()
        if answer is None or "error" in answer:
            raise UsageError(answer["error"] if answer else "a process that trains the seeds ended at once; see above")

    def work(self, parent: Path, answers: queue.Queue[dict[str, Any] | None]) -> None:
        """Train one waiting seed after another."""
        try:
            while True:
                seed = self.waiting.get_nowait()
                self._send({"seed": seed, "out": str(parent)})
                answer = self._answer()
                if answer is None:
                    code = self.process.wait()
                    print(f"rlcourse: the process that trained seed {seed} ended with code {code}", file=sys.stderr)
                    answer = {"seed": seed, "code": abs(code) + 128 if code < 0 else code or 1}  # killed by a signal: as a shell says it
                answers.put(answer)
                if self.process.poll() is not None:
                    return  # it went down with its seed; the other workers take the rest
        except (queue.Empty, OSError):
            pass
        finally:
            answers.put(None)

    def interrupt(self) -> None:
        """Let it save and end."""
        with contextlib.suppress(ValueError, OSError):  # Windows: Ctrl-C reached it by itself
            self.process.send_signal(signal.SIGINT)
        self.process.wait()

    def close(self) -> None:
        """Let it end when it has nothing left to do."""
        with contextlib.suppress(OSError):
            self.process.stdin.close()  # type: ignore[union-attr]
        self.process.wait()

    def _send(self, values: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(values) + "\n")
        self.process.stdin.flush()

    def _answer(self) -> dict[str, Any] | None:
        """Return the next answer; None where the process has ended."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(MARK):
                answer: dict[str, Any] = json.loads(line.removeprefix(MARK))
                return answer
        return None


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt(number)


def _cores() -> int:
    """Return how many cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _summary(parent: Path, target: Target, name: str, results: dict[int, tuple[float, Path]], quiet: bool) -> None:
    from rlcourse.plotting import seeds_curve

    tables = [RunFolder(path).rows("episodes.csv") for _, path in results.values()]
    column = next(iter(tables[0][0])) if tables[0] else "return"
    runs = [(np.array([row["timesteps"] for row in rows]), np.array([row[column] for row in rows])) for rows in tables if rows]
    goal = target.preset.target if target.preset else None
    if runs:
        seeds_curve(parent / "curve.png", f"{name} on {target.text}", runs, goal if column == "return" else None, column)
    means = np.array([mean for _, (mean, _) in sorted(results.items())])
    ended = {str(seed): result_of(path) or {} for seed, (_, path) in sorted(results.items())}
    last = np.array([each.get("last", mean) for each, mean in zip(ended.values(), means, strict=True)])
    answer = {"agent": name, "env": target.text, "target": goal, "best": float(means.mean()), "last": float(last.mean()), "seeds": ended}
    write_bytes(parent / "result.json", json.dumps(answer, indent=1).encode())
    passed = "" if goal is None else f", {int((means >= goal).sum())} of {len(means)} seeds reach {goal:g}"
    line = (
        f"greedy return over seeds: mean {means.mean():.2f}, median {np.median(means):.2f}, worst {means.min():.2f}{passed}; "
        f"last checkpoints: mean {last.mean():.2f}, worst {last.min():.2f}"
    )
    seeds = "".join(f"* seed {seed}: best {each.get('best', 0):.2f}, last {each.get('last', 0):.2f}\n" for seed, each in ended.items())
    (parent / "card.md").write_text(f"# {name} on {target.text}, {len(means)} seeds\n\n{line}\n\n{seeds}\n![learning curve](curve.png)\n")
    print(f"{means.mean():.2f} {parent}" if quiet else f"{line}\n{parent / 'curve.png'}")


def _without(argv: list[str], with_value: set[str], alone: set[str]) -> list[str]:
    """Return the words without some options."""
    kept: list[str] = []
    skip = False
    for word in argv:
        if skip:
            skip = False
        elif word in with_value:
            skip = True
        elif word not in alone and word.split("=")[0] not in with_value:
            kept.append(word)
    return kept
