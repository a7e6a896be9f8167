"""Which file of a run is taken: the newest one that is whole to go on from, the best one to be judged."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rlcourse import agents
from rlcourse.cli.folder import RunFolder
from rlcourse.cli.targets import Target
from rlcourse.cli.usage import UsageError
from rlcourse.core import files

__all__ = ["best_of", "candidates", "load"]


def load(folder: RunFolder, target: Target, file: Path | None = None) -> tuple[Any, list[str]]:
    """Return the agent of a run's newest file that is whole, or of the file that was named, and what there is to say of it.

    Raises
    ------
    UsageError
        Where there is none.
    """
    notes: list[str] = []
    for path in [file] if file else candidates(folder):
        try:
            agent = agents.load(path, env=target.env, whole=True)
        except (ValueError, OSError) as error:
            notes.append(f"rlcourse: {error}")
            continue
        if notes:
            notes.append(f"rlcourse: going on from {path}, step {agent.num_timesteps:,}")
        return agent, notes
    if notes:
        raise UsageError(notes[0].removeprefix("rlcourse: "))
    raise UsageError(
        f"{folder.path} was stopped before it began to learn: start it again with its command, in {folder.path / 'config.toml'}"
    )


def candidates(folder: RunFolder) -> Iterator[Path]:
    """Yield the files that a run can go on from, the best first: newest step first, and one cut within an episode behind the others."""
    last = folder.path / "last.safetensors"
    try:
        state = files.read(last)[1]["state"]
        reached, midway = int(state["num_timesteps"]), bool(state.get("midway"))
    except FileNotFoundError:
        yield from folder.checkpoints()
        return
    except (ValueError, OSError, KeyError, TypeError):
        reached, midway = sys.maxsize, False  # to be told of
    placed = False
    for path in folder.checkpoints():
        if not placed and reached >= int(path.stem) and (not midway or int(path.stem) == 0):
            placed = True
            yield last
        yield path
    if not placed:
        yield last


def best_of(folder: RunFolder, agent: Any, env: Any) -> Any:
    """Return the best agent of a run that has ended, or the one that it ended with where there is no file of the best that can be read."""
    path = folder.path / "best.safetensors"
    if not path.exists():
        return agent
    try:
        return type(agent).load(path, env=env)
    except (ValueError, OSError) as error:
        print(f"rlcourse: {error}; the last one is judged in its place", file=sys.stderr)
        return agent
