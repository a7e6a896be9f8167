"""Short runs of `rlcourse` in forked processes: all that a run imports, reads and compiles is there before, and it takes half a second.

What a run does after it has saved what it learned (a hundred episodes, a picture) is made short; everything before that is as it is.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from rlcourse.core import files

__all__ = [
    "CASES",
    "Case",
    "Ended",
    "Forked",
    "Reference",
    "counted",
    "crowd",
    "difference",
    "folder_in",
    "prepare",
    "referenced",
    "side_by_side",
]

T = TypeVar("T")
_LONGEST = 120.0  # seconds of a run; one that takes longer hangs
_DEEP = ("--eval-episodes", "1", "--hidden", "8,8")


class Case(NamedTuple):
    """A run of a second or two that writes some thirty checkpoints."""

    name: str
    words: tuple[str, ...]


CASES = (
    Case("tabular", ("cliffwalk", "--algo", "q-learning", "-n", "30k", "--eval-every", "1k", "--eval-episodes", "1")),
    Case("planning", ("cliffwalk", "--algo", "dyna-q", "-n", "3k", "--eval-every", "100", "--eval-episodes", "2")),
    Case(
        "linear",
        ("mountaincar", "--algo", "semi-gradient-sarsa", "-n", "20k", "--eval-every", "700", "--eval-episodes", "1"),
    ),
    Case("on Gymnasium's Taxi", ("Taxi-v4", "--algo", "sarsa", "-n", "6k", "--eval-every", "200", "--eval-episodes", "1")),
    Case(
        "PPO",
        ("cartpole", "--algo", "ppo", "-n", "2k", "--eval-every", "64", "--n-envs", "4", "--n-steps", "16", "--batch-size", "32", *_DEEP),
    ),
    Case(
        "DQN with replay",
        (
            *("CartPole-v1", "--algo", "dqn", "-n", "1200", "--eval-every", "50", "--learning-starts", "50"),
            *("--buffer-size", "500", "--batch-size", "16", "--n-envs", "1", "--train-freq", "4", *_DEEP),
        ),
    ),
    Case(
        "recurrent PPO",
        (
            *("cartpole", "--algo", "recurrent-ppo", "-n", "1k", "--eval-every", "64", "--n-envs", "2", "--n-steps", "16"),
            *("--n-epochs", "2", *_DEEP),
        ),
    ),
)


def prepare() -> None:
    """Import what runs need, in one thread, and make what comes after learning short."""
    import torch

    from rlcourse import agents, plotting
    from rlcourse.cli import folder, main, resume, run, train  # noqa: F401

    torch.set_num_threads(1)
    for name in ("QLearning", "DynaQ", "Sarsa", "SemiGradientSarsa", "PPO", "DQN", "RecurrentPPO"):
        getattr(agents, name)
    run.FINAL_EPISODES = 1
    plotting.learning_curve = lambda path, *_: Path(path).touch()


class Ended(NamedTuple):
    """How a run ended: exit code (negative: the signal), and what it said."""

    code: int
    said: str
    seconds: float


class Forked:
    """A command of rlcourse in a forked process.

    Parameters
    ----------
    words : iterable of str
    folder : Path
        Where it works; what it says goes into a file there.
    fault : callable, optional
        Called in the process, before the command.
    """

    def __init__(self, words: Iterable[str], folder: Path, fault: Callable[[], None] | None = None) -> None:
        self.words, self.folder = list(words), folder
        self.log = folder / f"log-{time.monotonic_ns()}.txt"
        self.log.touch()  # it may be killed before it says anything
        sys.stdout.flush()
        ready, begins = os.pipe()
        self.process = os.fork()
        if self.process == 0:
            self._run(fault, begins)
        os.close(begins)
        os.read(ready, 1)  # ends when the process closes its end: moments count from the command's beginning, on a busy machine too
        os.close(ready)
        self.began = time.monotonic()

    def _run(self, fault: Callable[[], None] | None, begins: int) -> None:
        code = 70
        try:
            handle = os.open(self.log, os.O_WRONLY | os.O_CREAT, 0o666)
            os.dup2(handle, 1)
            os.dup2(handle, 2)
            os.chdir(self.folder)
            from rlcourse.cli.main import main

            if fault is not None:
                fault()
            os.close(begins)
            code = main(self.words)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def wait(self, number: int = 0, moments: Iterable[float] = ()) -> Generator[None, None, Ended]:
        """Send a signal at some moments, in seconds from the beginning, and wait until the process ends, a look at a time."""
        ahead = sorted(moments)
        while True:
            seconds = time.monotonic() - self.began
            while ahead and seconds >= ahead[0]:
                ahead.pop(0)
                os.kill(self.process, number)
            ended, status = os.waitpid(self.process, os.WNOHANG)
            if ended:
                return Ended(os.waitstatus_to_exitcode(status), self.log.read_text(errors="replace"), time.monotonic() - self.began)
            if seconds > _LONGEST:
                os.kill(self.process, signal.SIGKILL)
            yield


def side_by_side(tasks: Iterable[Generator[None, None, T]], at_once: int) -> Iterator[T]:
    """Let generators that wait for their processes take turns, some at once; yield what they return."""
    waiting = iter(tasks)
    running: list[Generator[None, None, T]] = []
    while True:
        while len(running) < at_once and (task := next(waiting, None)) is not None:
            running.append(task)
        if not running:
            return
        for task in list(running):
            try:
                next(task)
            except StopIteration as stop:
                running.remove(task)
                yield stop.value
        time.sleep(0.0005)


class Reference(NamedTuple):
    """A run that nothing disturbed: where it is, how long it took, and how many calls that write it made."""

    case: Case
    folder: Path
    seconds: float
    calls: int


def referenced(base: Path, cases: Iterable[Case] = CASES) -> list[Reference]:
    """Let each case run undisturbed: here, so that forks find loaded what it loads, and then in a fork."""

    def undisturbed(case: Case) -> Generator[None, None, Reference]:
        folder = base / case.name.replace(" ", "-")
        ended = yield from Forked(["train", *case.words, "-q", "--out", "run"], folder, lambda: _count(folder / "calls")).wait()
        if ended.code:
            raise RuntimeError(f"{case.name}: {ended.said}")
        return Reference(case, folder_in(folder / "run"), ended.seconds, int((folder / "calls").read_text()))

    for case in cases:
        _load(case, base / case.name.replace(" ", "-"))
    return list(side_by_side(map(undisturbed, cases), os.cpu_count() or 1))


def _load(case: Case, folder: Path) -> None:
    from rlcourse.cli.main import main

    said = io.StringIO()
    folder.mkdir()
    with contextlib.chdir(folder), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        if main(["train", *case.words, "-q", "--out", "loaded"]):
            raise RuntimeError(f"{case.name}: {said.getvalue()}")


def folder_in(folder: Path) -> Path:
    """Return the folder of the only run below a folder; the folder itself where there is none."""
    return next((file.parent for file in folder.rglob("config.toml")), folder)


def difference(run: Path, reference: Path) -> str:
    """Return in what a run differs from the undisturbed one, or nothing."""
    for name in ("episodes.csv", "evaluations.csv", "metrics.csv"):
        mine, theirs = ((path / name).read_bytes() if (path / name).exists() else b"" for path in (run, reference))
        if mine != theirs:
            return name
    for name in ("last.safetensors", "last.replay.safetensors", "best.safetensors"):
        if (run / name).exists() != (reference / name).exists():
            return f"{name} is {'there' if (run / name).exists() else 'missing'}"
        if (run / name).exists() and (found := _apart(files.read(run / name), files.read(reference / name))):
            return f"{name}: {found}"
    return ""


def _apart(mine: tuple[dict[str, np.ndarray], dict[str, Any]], theirs: tuple[dict[str, np.ndarray], dict[str, Any]]) -> str:
    if mine[0].keys() != theirs[0].keys():
        return f"arrays {sorted(mine[0].keys() ^ theirs[0].keys())}"
    arrays = [name for name in mine[0] if mine[0][name].tobytes() != theirs[0][name].tobytes()]
    state = [name for name in {**mine[1], **theirs[1]} if name != "sha256" and mine[1].get(name) != theirs[1].get(name)]
    return ", ".join([*arrays, *state])


def crowd() -> float:
    """Return how many times longer everything takes now, where more processes want to run than there are cores."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


# Faults, in a run -----------------------------------------------------------------------------------------------------

_CALLS = ("write", "fsync", "replace", "unlink", "truncate", "ftruncate", "mkdir", "open")


def counted(each: Callable[[int, str, Callable[..., Any], tuple[Any, ...]], None]) -> None:
    """Call a function, which may raise, before every call that writes: its number, its name, the call and its arguments."""
    numbers = itertools.count()

    def watched(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if name != "open" or arguments[1] & (os.O_WRONLY | os.O_RDWR):
                each(next(numbers), name, function, arguments)
            return function(*arguments, **named)

        return call

    for name in _CALLS:
        setattr(os, name, watched(name, getattr(os, name)))
    files.open = lambda *arguments: _Watched(open(*arguments), watched)  # type: ignore[attr-defined]  # noqa: SIM115


class _Watched:
    """A file whose writes are watched."""

    def __init__(self, file: Any, watched: Callable[[str, Callable[..., Any]], Callable[..., Any]]) -> None:
        self.file, self.write = file, watched("write", file.write)

    def __enter__(self) -> _Watched:
        return self

    def __exit__(self, *error: Any) -> None:
        self.file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


def _count(found: Path) -> None:
    """Let the run write, at its end, how many calls that write it made."""
    seen = bytearray()
    counted(lambda *_: seen.append(0))
    leave = os._exit
    os._exit = lambda code: (found.write_text(str(len(seen))), leave(code))[-1]  # type: ignore[assignment,misc]
