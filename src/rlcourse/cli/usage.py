"""The error of wrong usage, and the warning that no user needs."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from pathlib import Path

__all__ = ["UsageError", "cannot_write", "check_words", "hush", "one_line", "printable"]

_LONGEST, _LONGEST_WORD = 360, 160  # characters of a message, and of a word that it repeats


class UsageError(Exception):
    """Wrong usage, said in one sentence that names the argument and the fix; exit code 2."""


def cannot_write(path: Path, error: OSError) -> UsageError:
    """Return what to raise where a run cannot be written."""
    return UsageError(f"cannot write to {str(path)!r} ({error.strerror}): mend that, or copy the run to another folder")


def check_words(words: Sequence[str]) -> None:
    """Raise UsageError for a word that no file name, no TOML file and no terminal can hold."""
    for word in words:
        if "\0" in word:
            raise UsageError(f"the argument {word!r} holds a zero byte: leave it out")
        try:
            word.encode()
        except UnicodeEncodeError:
            raise UsageError(f"the argument {word!r} is no text in UTF-8: rename the file or the folder") from None


def printable(text: str) -> str:
    """Return a text as a terminal shows it, with escapes for what would steer the terminal."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape", "backslashreplace").decode() for letter in text)


def one_line(message: str) -> str:
    """Return a message as one line that a terminal shows as it is: long words and long middles are cut."""
    text = printable(" ".join(part for part in re.split(r"\s+", message) if part))
    text = re.sub(rf"\S{{{_LONGEST_WORD},}}", lambda match: f"{match[0][: _LONGEST_WORD // 2]}...{match[0][-20:]}", text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 160]} ... {text[-150:]}"


def hush() -> None:
    """Say nothing of the age of CartPole-v0: the notes' preset wants its limit of 200 steps."""
    warnings.filterwarnings("ignore", message=".*CartPole-v0 is out of date")
