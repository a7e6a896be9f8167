"""The error of wrong usage, and the warning that no user needs."""

from __future__ import annotations

import warnings

__all__ = ["UsageError", "hush"]


class UsageError(Exception):
    """Wrong usage, said in one sentence that names the argument and the fix; exit code 2."""


def hush() -> None:
    """Say nothing of the age of CartPole-v0: the notes' preset wants its limit of 200 steps."""
    warnings.filterwarnings("ignore", message=".*CartPole-v0 is out of date")
