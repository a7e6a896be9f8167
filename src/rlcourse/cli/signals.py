"""Ctrl-C and SIGTERM, for every verb: one line, and exit code 130 or 143."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

__all__ = ["interruptible", "number_of"]

_PATIENCE = 2.0  # seconds until a process ends whose compiled code does not return
_NUMBERS = (signal.SIGINT, signal.SIGTERM)


def number_of(error: KeyboardInterrupt) -> int:
    """Return the number of the signal: SIGINT where an environment raised the error, with arguments of its own or none."""
    return error.args[0] if error.args and error.args[0] in _NUMBERS else signal.SIGINT


@contextlib.contextmanager
def interruptible(at_once: bool) -> Iterator[list[int]]:
    """Let the first SIGINT or SIGTERM raise KeyboardInterrupt, whose argument is its number; yields the numbers that came.

    Parameters
    ----------
    at_once : bool
        There is nothing to save: a second signal ends the process, and so does the first where compiled code does not return soon.
        Otherwise further signals change nothing, lest an impatient second Ctrl-C breaks off the saving.
    """
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return

    def stop(number: int, frame: FrameType | None) -> None:
        came.append(number)
        if len(came) == 1:
            raise KeyboardInterrupt(number)
        if at_once:
            os._exit(128 + number)

    # A shell lets background jobs ignore Ctrl-C
    before = {number: signal.signal(number, stop) for number in _NUMBERS if signal.getsignal(number) is not signal.SIG_IGN}
    try:
        with _watch() if at_once and os.name == "posix" else contextlib.nullcontext():
            yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _watch() -> Iterator[None]:
    """End the process some time after a signal: Python sees one only between two instructions, and a compiled call is one instruction."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    left = threading.Event()

    def watch() -> None:
        for number in iter(lambda: os.read(reader, 1), b"\0"):
            if number[0] in _NUMBERS and not left.wait(_PATIENCE):
                os.write(2, b"rlcourse: interrupted\n")
                os._exit(128 + number[0])
        os.close(reader)

    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        left.set()
        os.write(writer, b"\0")
        os.close(writer)
