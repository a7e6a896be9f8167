"""Whether a run will resume exactly: found out before it begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rlcourse.core.rehearsal import rehearse

__all__ = ["how_it_resumes", "new_episodes"]


def how_it_resumes(agent: Any, make: Callable[[], Any]) -> str:
    """Return in one line why `rlcourse resume` will begin new episodes, or nothing where it goes on exactly.

    The agent keeps it in mind, so that its files say it too.
    """
    where = getattr(agent, "env_state", None)
    if where is None:  # a world of ours, whose state is explicit
        return ""
    where.note = where.note or rehearse(make)
    return new_episodes(where.note)


def new_episodes(note: str) -> str:
    """Return a reason in the line that says what it means; nothing where there is none."""
    return f"resume will begin new episodes: {note}" if note else ""
