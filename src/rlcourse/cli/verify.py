"""``rlcourse resume RUN --verify``: the next steps without a stop and with one, through a file, compared bit for bit."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from rlcourse.cli.folder import RunFolder
from rlcourse.cli.resuming import load
from rlcourse.cli.targets import Target

__all__ = ["verify"]


def verify(folder: RunFolder, find: Callable[[], Target], file: Path | None, steps: int, total: int) -> int:
    """Learn on from a run's newest file both ways, and write nothing there; return 0 where both are equal, else 3.

    Parameters
    ----------
    folder, file
        See `load`.
    find : callable
        Return the environment; each agent has its own.
    steps : int
        How far; the stop is halfway. Both wait for the next update, or for the end of the episode.
    total : int
        Budget of the run, for models whose schedules depend on it.
    """
    whole, _ = load(folder, find(), file)
    halved, _ = load(folder, find(), file)
    first = whole.num_timesteps
    budget = max(total, first + 10 * steps)
    _advance(whole, first + steps, budget)
    _advance(halved, first + steps // 2, budget)
    with tempfile.TemporaryDirectory() as temporary:
        path = halved.save(Path(temporary) / "halved.safetensors")
        stop = halved.num_timesteps
        resumed = type(halved).load(path, env=find().env, whole=True)
    _advance(resumed, first + steps, budget)
    states = [agent.state_dict() for agent in (whole, resumed)]
    differing = [name for name in states[0].keys() | states[1].keys() if not _same(*(state.get(name) for state in states))]
    print(f"without a stop   step {first:,} to {whole.num_timesteps:,}   sha256 {_hash(states[0])}")
    print(f"with a stop      step {first:,}, {stop:,}, {resumed.num_timesteps:,}   sha256 {_hash(states[1])}")
    if differing:
        print(f"they differ in {', '.join(sorted(differing)[:8])}" + (" and more" if len(differing) > 8 else ""))
        print(getattr(resumed, "resume_note", "") or "this environment, or this agent, does not resume exactly")
        return 3
    print(f"equal, bit for bit: {len(states[0])} arrays, counters and generators")
    return 0


def _advance(agent: Any, goal: int, budget: int) -> None:
    """Learn until the first update, or the first end of an episode, at or after a step."""
    if agent.num_timesteps < goal:
        agent.learn(budget - agent.num_timesteps, callback=lambda agent: agent.num_timesteps < goal, callback_every=1)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    return type(one) is type(other) and bool(one == other)


def _hash(state: dict[str, Any]) -> str:
    digest = hashlib.sha256()
    for name in sorted(state):
        value = state[name]
        digest.update(name.encode() + (value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode()))
    return digest.hexdigest()[:16]
