"""`take_weights`: an agent begins with what another one has learned, and with nothing else of it.

To go on exactly is another thing: `Agent.load` and ``rlcourse resume`` take over optimisers, memories, generators and counters too.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from rlcourse.core import files

__all__ = ["take_weights"]

_SEEN = "normalizer.observations"  # how observations are scaled belongs to the weights that see them


def take_weights(agent: Any, path: str | os.PathLike[str]) -> None:
    """Give an agent that has learned nothing yet the weights in a file: tables, parameters, networks and their target networks.

    Counters, schedules, optimisers, replay memory, history and generators stay those of a new agent.

    Parameters
    ----------
    agent : Agent
    path : path
        Of an agent whose weights have the same names and shapes; that it is of another class, or was made for another environment,
        does not matter.

    Raises
    ------
    ValueError
        Where the weights do not fit, in one sentence, or the file is damaged.
    """
    arrays, metadata = files.read(path)
    theirs, mine = str(metadata.get("class")), agent.state_dict()
    names = _names(agent)
    if not names or theirs.startswith("SB3"):
        raise ValueError(f"{path}: weights of models of stable-baselines3 cannot be taken over; go on with them by rlcourse resume")
    if _SEEN in names and _SEEN in arrays and not arrays[_SEEN][2].any():  # counts of 0
        raise ValueError(f"{path} was trained without normalize_observations: set it to false")
    for name in names:
        if name not in arrays:
            raise ValueError(f"{path} holds a {theirs} without {name}: take the same agent with the same settings")
        if arrays[name].shape != mine[name].shape:
            advice = "take the same network and the same spaces"
            raise ValueError(f"{path} has {name} of shape {arrays[name].shape}, where {mine[name].shape} is needed: {advice}")
        if not np.isfinite(arrays[name]).all() and np.isfinite(mine[name]).all():
            raise ValueError(f"{path} has {name} with numbers that are not finite: take another file")
    agent.load_state_dict(mine | {name: arrays[name] for name in names})


def _names(agent: Any) -> list[str]:
    """Return the names of an agent's weights in its state."""
    if hasattr(agent, "tables"):
        return list(agent.tables)
    if not hasattr(agent, "parts"):
        return []
    modules = {name: part for name, part in agent.parts().items() if hasattr(part, "named_parameters")}
    found = [f"{name}.{key}" for name, part in modules.items() for key in part.state_dict()]
    return found + ([_SEEN] if agent.normalizer.scale_observations else [])
