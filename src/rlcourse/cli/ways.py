"""The way on that a command names where a run was not finished: a line that a shell takes as it is printed."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from rlcourse.cli.usage import UsageError
from rlcourse.core.faults import EnvironmentFault

__all__ = ["command", "way_on", "with_way_on"]


def command(verb: str, path: Path, *more: str) -> str:
    """Return what is typed for a verb and a run."""
    return " ".join(["rlcourse", verb, _quoted(str(path)), *more])


def way_on(path: Path) -> str:
    """Return what the user does next where a run was not finished."""
    return f"go on with: {command('resume', path)}"


def with_way_on(error: BaseException, way: str) -> BaseException:
    """Return what to raise for an error: one sentence where that says all, and a bug of the user as it is, for its traceback."""
    if isinstance(error, EnvironmentFault | FloatingPointError):
        return UsageError(f"{error}; {way}")
    error.add_note(f"rlcourse: {way}")
    return error


def _quoted(text: str) -> str:
    """Return a word as a shell reads it; what a terminal would not show as it is, is written as its bytes."""
    if text.isprintable() and "  " not in text:  # an error in one line would lose one of two spaces
        return shlex.quote(text)
    escaped = text.replace("\\", r"\\").replace("'", r"\'")
    bare = (
        letter if letter.isprintable() and letter != " " else "".join(f"\\x{byte:02x}" for byte in os.fsencode(letter))
        for letter in escaped
    )
    return f"$'{''.join(bare)}'"
