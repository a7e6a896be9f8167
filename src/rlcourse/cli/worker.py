"""A process that trains several seeds one after another: torch and numba are imported, and boxes loaded, once for all of them.

`rlcourse train --seeds K` starts one per core. Commands come as JSON lines on the standard input, answers go as JSON lines to the
standard output, each behind `MARK`, because environments may print too. The end of the input says that nobody wants more: a seed that
learns then saves and ends as after SIGTERM. So no process goes on behind a parent that was killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import sys
import threading
import traceback
from typing import Any

from rlcourse.cli.signals import interruptible, number_of
from rlcourse.cli.streams import lasting_streams
from rlcourse.cli.usage import UsageError, hush

__all__ = ["MARK", "main"]

MARK = "rlcourse-seed "


def main(words: list[str]) -> int:
    """Check a command of `rlcourse train`, then run what is asked for; return an exit code."""
    asked = _Asked()
    with lasting_streams(), interruptible(at_once=False):
        try:
            return _serve(words, asked)
        except KeyboardInterrupt as error:
            return 128 + number_of(error)


def _serve(words: list[str], asked: _Asked) -> int:
    from rlcourse.cli.train import check

    hush()
    try:
        check(words)
    except UsageError as error:
        _answer(error=str(error))
        return 2
    _answer(ready=True)
    for command in asked:
        if command.get("rehearse"):
            _answer(note=_rehearsed(words))
            continue
        code, why = _run(command["words"])
        _answer(seed=command["seed"], code=code, why=why)
        if code >= 128:  # interrupted, with everything saved
            return code
    return 0


def _rehearsed(words: list[str]) -> str:
    from rlcourse.cli.rehearsing import how_it_resumes
    from rlcourse.cli.train import check

    agent, target = check(words)
    return how_it_resumes(agent, target.make)


class _Asked:
    """The commands, read in a thread, which so sees the end of the input while a seed learns."""

    def __init__(self) -> None:
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._busy, self._alone = threading.Event(), threading.Event()
        self._busy.set()  # with imports and checks
        threading.Thread(target=self._listen, daemon=True).start()

    def __iter__(self) -> _Asked:
        return self

    def __next__(self) -> dict[str, Any]:
        self._busy.clear()
        line = self._lines.get()
        self._busy.set()
        if not line or self._alone.is_set():
            raise StopIteration
        command: dict[str, Any] = json.loads(line)
        return command

    def _listen(self) -> None:
        with open(0, "rb", buffering=0, closefd=False) as lines:  # unbuffered: Python's end does not wait for a lock of this thread
            for line in lines:
                self._lines.put(line)
        self._alone.set()
        if self._busy.is_set():
            _terminate()
        self._lines.put(b"")


def _terminate() -> None:
    """Send SIGTERM to this process, for its main thread."""
    if os.name == "posix":
        os.kill(os.getpid(), signal.SIGTERM)
    else:
        signal.raise_signal(signal.SIGTERM)


def _run(words: list[str]) -> tuple[int, str]:
    """Return the exit code of a command, and in one line why it failed."""
    verb, *rest = words
    try:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            if verb == "resume":
                from rlcourse.cli.resume import resume

                return resume(rest), ""
            from rlcourse.cli.train import train

            return train(rest, within=True), ""
    except (UsageError, FloatingPointError) as error:  # what was asked for is wrong, or learning has diverged
        return 2, " ".join(str(error).split())
    except Exception as error:  # a bug in the user's environment: the other seeds go on
        traceback.print_exc()
        return 1, f"{type(error).__name__}: {' '.join(str(error).split())}"


def _answer(**values: Any) -> None:
    print(MARK + json.dumps(values), flush=True)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    os._exit(code) if code >= 128 else sys.exit(code)
