"""What a file holds of a replay memory, before the memory takes it over: compiled code looks up rows and slots without asking."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.core.fits import Misfit, indices, shaped, whole_in

__all__ = ["placed"]


def placed(memory: Any, state: dict[str, Any]) -> tuple[int, int, int, int]:
    """Return row, filled rows and gaps of a stored memory, and how many rows its arrays have.

    Parameters
    ----------
    memory : Replay
    state : dict
        As from `Replay.state_dict`.

    Raises
    ------
    Misfit
        Where the memory is of another size, or something in the state is of another shape or out of bounds.
    """
    row, filled, gaps, rows = shaped(state["position"], (4,), np.int64, "replay.position").tolist()
    if rows != memory.rows:
        raise Misfit(f"the saved memory has {rows:,} rows, this one {memory.rows:,}; set buffer_size and n_envs as they were")
    whole_in(row, 0, rows - 1, "replay.position")
    whole_in(filled, 0, rows - 1, "replay.position")
    whole_in(gaps, 0, filled * memory.copies, "replay.position")
    count = rows if filled == rows - 1 else row + 1
    for name in memory._ARRAYS:
        mine = getattr(memory, name)
        shaped(state[name], (count, *mine.shape[1:]), mine.dtype, f"replay.{name}")
    if memory.discrete:
        indices(state["actions"], 0, memory.n_actions, "replay.actions")
    slots, seen = shaped(state["final_slots"], (None,), np.int64, "replay.final_slots"), memory.observations
    indices(slots, 0, rows * memory.copies, "replay.final_slots")
    shaped(state["final_observations"], (len(slots), *seen.shape[2:]), seen.dtype, "replay.final_observations")
    if "masks" in state:
        shaped(state["masks"], (count, memory.copies, memory.n_actions), np.bool_, "replay.masks")
        shaped(state["final_masks"], (len(slots), memory.n_actions), np.bool_, "replay.final_masks")
    return row, filled, gaps, count
