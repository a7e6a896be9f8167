"""A folder in which commands are tried, and the watch that says what they write, and where, and whether they open sockets."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

__all__ = ["LONGEST", "Answer", "Watch", "broken_promises", "files_below", "run_command", "watch"]

LONGEST = 400  # characters of a refusal
SECONDS = 10.0  # after which a command that is right is interrupted as by Ctrl-C

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGING = {"os.mkdir": 1, "os.remove": 1, "os.rmdir": 1, "os.truncate": 1, "os.chmod": 1, "os.rename": 2, "os.link": 2, "os.symlink": 2}


class Watch:
    """What happened since it began: the paths that were written and the sockets that were used."""

    def __init__(self) -> None:
        self.written: set[str] = set()
        self.sockets: list[str] = []

    def note(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Keep what an audit event says."""
        if event == "open":
            path, mode, flags = arguments
            writes = any(letter in mode for letter in "wax+") if isinstance(mode, str) else bool((flags or 0) & _WRITING)
            paths = [path] if writes else []
        elif event in ("socket.bind", "socket.connect", "socket.sendto"):
            self.sockets.append(f"{event}{arguments[1:]}")
            return
        else:
            paths = list(arguments[: _CHANGING.get(event, 0)])
        self.written |= {os.path.realpath(os.fsdecode(path)) for path in paths if not isinstance(path, int)}


_watching: list[Watch] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and (event == "open" or event in _CHANGING or event.startswith("socket.")):
        with contextlib.suppress(ValueError, TypeError):  # a path with a zero byte is no path
            _watching[-1].note(event, arguments)


_hooked: list[bool] = []  # an audit hook stays for as long as the process lives


@contextlib.contextmanager
def watch() -> Iterator[Watch]:
    """Watch what is written and which sockets are used within."""
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked.append(True)
    _watching.append(Watch())
    try:
        yield _watching[-1]
    finally:
        _watching.pop()


class Answer(NamedTuple):
    """What a command did."""

    code: int | None  # None: it raised
    out: str
    err: str
    raised: str
    written: set[str]
    sockets: list[str]
    seconds: float


def run_command(words: Sequence[str]) -> Answer:
    """Run a command in this process, as the shell would; one that takes long is interrupted."""
    from rlcourse.cli.main import main

    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors=errors) for errors in ("strict", "backslashreplace"))
    code, raised, began = None, "", time.perf_counter()
    ending: list[bool] = []

    def interrupt(number: int, frame: Any) -> None:
        if not ending:
            signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, SECONDS, 2.0)
    with mock.patch("os._exit", sys.exit), watch() as watched, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(list(words))
        except SystemExit as exit:
            code = exit.code if isinstance(exit.code, int) else 0 if exit.code is None else 1
        except BaseException as error:
            raised = _short(error)
        finally:
            ending.append(True)
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            for thread in threading.enumerate():  # a worker that `os._exit` would have ended
                if thread.daemon and thread is not threading.current_thread() and thread.name.startswith("Thread-"):
                    thread.join(60)  # it may be compiling, on a machine that does other things too
            out.flush()
            err.flush()
    said, told = (stream.buffer.getvalue().decode("utf-8", "replace") for stream in (out, err))  # type: ignore[attr-defined]
    return Answer(code, said, told, raised, watched.written, watched.sockets, time.perf_counter() - began)


def _short(error: BaseException) -> str:
    place, trace = "", error.__traceback__
    while trace is not None:
        if "rlcourse" in trace.tb_frame.f_code.co_filename:
            place = f"{trace.tb_frame.f_code.co_filename.rpartition('rlcourse/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {place}: {str(error)[:200]}"


def _within(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}{os.sep}")


def files_below(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of each file below a folder, locks left out, and its folders."""
    found = {}
    for where, folders, files in os.walk(folder):
        for name in (*folders, *(file for file in files if file != ".lock")):
            path = os.path.join(where, name)
            known = os.lstat(path)
            found[path[len(str(folder)) + 1 :]] = (0, 0) if name in folders else (known.st_size, known.st_mtime_ns)
    return found


def broken_promises(
    answer: Answer, before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]], allowed: Sequence[Path]
) -> list[str]:
    """Return what a command did that no command may do; `allowed` are the places where it may write."""
    broken = []
    if answer.raised:
        broken.append(answer.raised)
    elif answer.code not in (0, 2, 3, 130):
        broken.append(f"exit code {answer.code}: {answer.err[-200:]!r}")
    if answer.code == 2:
        lines = answer.err.strip("\n").split("\n")
        if len(lines) != 1 or not lines[0].startswith("rlcourse: ") or len(lines[0]) > LONGEST:
            broken.append(f"exit code 2 with {len(lines)} lines, {len(answer.err)} characters: {answer.err[:300]!r}")
    if "Traceback (most recent call last)" in answer.err and answer.code != 130:  # Python prints where Ctrl-C met a destructor
        broken.append(f"a traceback: {answer.err[-300:]!r}")
    if answer.code == 2 and before != after and not answer.err.startswith("rlcourse: learning"):
        broken.append(f"refused, and left {sorted(set(before.items()) ^ set(after.items()))[:3]}")
    roots = [os.path.realpath(path) for path in allowed]
    homes = {os.path.dirname(root) for root in roots}  # a file is written beside its place, and moved there when it is whole
    beside = {path for path in answer.written if os.path.basename(path).startswith(".rlcourse-") and os.path.dirname(path) in homes}
    outside = [path for path in answer.written - beside if not any(_within(path, root) or _within(root, path) for root in roots)]
    if outside:
        broken.append(f"wrote {sorted(outside)[:3]}")
    if answer.sockets:
        broken.append(f"used sockets: {answer.sockets[:3]}")
    return broken
