"""How much memory is free, and refusing to take too much of it."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["free_memory", "require_memory"]

_WORTH_SAYING = 100_000_000  # bytes: smaller memories are nobody's concern


def free_memory() -> int | None:
    """Return the bytes that a program can still take without swapping, or None where the system does not tell."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def require_memory(what: str, needed: int, setting: str) -> None:
    """Say how much memory something will take, where that is much; refuse more than half of what is free.

    Raises
    ------
    ValueError
        Naming the setting to lower.
    """
    free = free_memory()
    if free is not None and needed > free / 2:
        raise ValueError(
            f"{setting}: {what} would take {needed / 1e9:.2f} GB, more than half of the {free / 1e9:.2f} GB that are free; lower it"
        )
    if needed > _WORTH_SAYING:
        print(f"{what}: {needed / 1e9:.2f} GB")
