"""The parent's side of `rlcourse.cli.worker`: processes that are fed with seeds, and replaced where they die."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from rlcourse.cli.rehearsing import new_episodes
from rlcourse.cli.usage import UsageError
from rlcourse.cli.worker import MARK

__all__ = ["UNSAVED", "Asked", "Ended", "Workers"]

UNSAVED = "what it learned could not be saved"
_PATIENCE = 60.0  # seconds in which a process saves: a large replay memory takes a while


class Asked(NamedTuple):
    """A seed, and the words that train it, with the verb."""

    seed: int
    words: list[str]


class Ended(NamedTuple):
    """How a seed ended: exit code, and in one line why it failed."""

    seed: int
    code: int
    why: str


class Workers:
    """Processes that end with the block; a context manager.

    Parameters
    ----------
    words : list of str
        Of `rlcourse train`, which every process checks first.
    number : int
        Processes.
    """

    def __init__(self, words: list[str], number: int) -> None:
        self._workers = [_Worker(words) for _ in range(number)]
        self._answers: queue.Queue[Ended | None] = queue.Queue()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *error: Any) -> None:
        for worker in self._workers:
            worker.stop()
        for worker in self._workers:
            worker.wait()
        for thread in self._threads:
            thread.join(1.0)

    def wait_until_ready(self) -> None:
        """Wait until the command was checked: what is wrong is said once, before anything is written; raises UsageError."""
        for worker in self._workers:
            if error := worker.wait_until_ready():
                raise UsageError(error)

    def how_they_resume(self) -> str:
        """Return what `how_it_resumes` says where a seed is trained: an environment that ends its process there ends nothing else."""
        return self._workers[0].rehearse()

    def train(self, seeds: Sequence[Asked]) -> Iterator[Ended]:
        """Yield how each seed ended; one that takes its process with it leaves the others alone."""
        waiting: queue.Queue[Asked] = queue.Queue()
        for asked in seeds:
            waiting.put(asked)
        for worker in self._workers:
            self._threads.append(threading.Thread(target=worker.work, args=(waiting, self._answers), daemon=True))
            self._threads[-1].start()
        running = len(self._workers)
        while running:
            try:
                answer = self._answers.get(timeout=0.1)  # in turns: Ctrl-C is noticed on every system
            except queue.Empty:
                continue
            if answer is None:
                running -= 1
            else:
                yield answer

    def unsaved(self) -> dict[int, str]:
        """Return, after the block, which seeds could not be saved when they were interrupted, and why."""
        lost: dict[int, str] = {}
        while not self._answers.empty():
            answer = self._answers.get()
            if answer is not None and answer.code not in (0, 128 + signal.SIGINT, 128 + signal.SIGTERM):
                lost[answer.seed] = answer.why or UNSAVED
        return lost


class _Worker:
    """A process of `rlcourse.cli.worker`, and the thread's work that feeds it."""

    def __init__(self, words: list[str]) -> None:
        self._command = [sys.executable, "-m", "rlcourse.cli.worker", *words]
        self._lock = threading.Lock()
        self._stopped = False
        self._process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        pipe, environment = subprocess.PIPE, os.environ | {"OMP_NUM_THREADS": "1"}
        return subprocess.Popen(self._command, env=environment, stdin=pipe, stdout=pipe, text=True)

    def wait_until_ready(self) -> str:
        """Wait until the command was checked; return what is wrong with it, or nothing."""
        answer = self._answer()
        return "a process that trains the seeds ended at once; see above" if answer is None else answer.get("error", "")

    def rehearse(self) -> str:
        """Let it say how a seed resumes; where that ends it, that is the answer, and another process takes its place."""
        with contextlib.suppress(OSError):
            self._send({"rehearse": True})
            if (answer := self._answer()) is not None:
                note: str = answer["note"]
                return note
        code = self._process.wait()
        self._replace()
        return new_episodes(f"in a rehearsal {_death(code)}")

    def work(self, waiting: queue.Queue[Asked], answers: queue.Queue[Ended | None]) -> None:
        """Train one waiting seed after another."""
        with contextlib.suppress(queue.Empty):
            while not self._stopped:
                answers.put(self._train(waiting.get_nowait()))
                if self._process.poll() is not None and not waiting.empty():
                    self._replace()
        answers.put(None)

    def _train(self, asked: Asked) -> Ended:
        try:
            self._send(asked._asdict())
            answer = self._answer()
        except OSError:
            answer = None
        if answer is not None:
            return Ended(asked.seed, answer["code"], answer["why"])
        code = self._process.wait()
        return Ended(asked.seed, 128 - code if code < 0 else code or 1, _death(code))

    def _replace(self) -> None:
        """Start another process for the seeds that wait; where that fails, so do they."""
        with self._lock:
            if not self._stopped:
                self._process = self._start()
        self.wait_until_ready()

    def stop(self) -> None:
        """Let it save what it trains, and end."""
        with self._lock, contextlib.suppress(OSError):
            self._stopped = True
            self._process.stdin.close()  # type: ignore[union-attr]

    def wait(self) -> None:
        """Wait until it has ended."""
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _send(self, values: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(values) + "\n")
        self._process.stdin.flush()

    def _answer(self) -> dict[str, Any] | None:
        """Return the next answer; None where the process has ended."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(MARK):
                answer: dict[str, Any] = json.loads(line.removeprefix(MARK))
                return answer
        return None


def _death(code: int) -> str:
    if code >= 0:
        return f"its process ended with code {code}"
    with contextlib.suppress(ValueError):
        name = signal.Signals(-code).name
        return f"its process was ended by {name}" + (", perhaps for want of memory: take fewer --jobs" if name == "SIGKILL" else "")
    return f"its process was ended by signal {-code}"
