"""The error of wrong usage."""

from __future__ import annotations

__all__ = ["UsageError"]


class UsageError(Exception):
    """Wrong usage, said in one sentence that names the argument and the fix; exit code 2."""
