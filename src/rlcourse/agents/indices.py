"""Tables of a file that compiled code looks up without asking: states, actions and pairs must be some of those that there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rlcourse.core.fits import indices

__all__ = ["require_indices"]


def require_indices(tables: Mapping[str, Any], S: int, A: int) -> None:
    """Raise Misfit where a table names a state, an action, a pair (A * state + action) or a count that does not exist.

    Parameters
    ----------
    tables : mapping of str to ndarray
        As `LearnedModel`, `Predecessors` and `PriorityQueue` have them, and policies `pi`; others are left alone.
    S, A : int
        States and actions.
    """
    if "outcome" in tables:
        following = tables["outcome"][..., 1]
        indices(np.where(np.isfinite(following), following, -1.0), 0, S, "outcome")
        indices(tables["states"][:1], 0, S + 1, "states")
        indices(tables["states"][1:], 0, S, "states")
        indices(tables["actions"][:, :1], 0, A + 1, "actions")
        indices(tables["actions"][:, 1:], 0, A, "actions")
    if "heap" in tables:
        indices(tables["heap"], 0, S * A, "heap")
        indices(tables["slot"], -1, S * A, "slot")
        indices(tables["tally"][:1], 0, S * A + 1, "tally")
        indices(tables["first"], -1, S * A, "first")
        indices(tables["pairs"][:, 0], -1, S, "pairs")
        indices(tables["pairs"][:, 1:], -1, S * A, "pairs")
    if "pi" in tables and tables["pi"].dtype.kind in "iu":
        indices(tables["pi"], 0, A, "pi")
