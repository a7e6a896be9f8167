"""`ProcessEnded`: the error where a process of ours has ended that others wait for."""

from __future__ import annotations

__all__ = ["ProcessEnded"]


class ProcessEnded(ConnectionError, ChildProcessError):
    """Another process of a training or of an experiment has ended; a class of its own, because an environment may raise those two."""
