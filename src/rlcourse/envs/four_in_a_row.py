"""The four states in a row of Example 9.4, where one learns more by caring less.

From state 0 an episode passes states 1, 2 and 3 to the end, with reward 1 for each step, so that the true values are 4, 3, 2, 1. There is
one action. Two weights must do: states 0 and 1 share the first one, 2 and 3 the second, as in `PAIRED`. Only state 0 is of
interest (`INTEREST`).
"""

from __future__ import annotations

import numpy as np

from rlcourse.core.mdp import MDP

__all__ = ["INTEREST", "PAIRED", "four_states"]

PAIRED = np.array([[0], [0], [1], [1], [-1]])  # the active feature of each state; none in the terminal one
INTEREST = np.array([1.0, 0.0, 0.0, 0.0, 0.0])


def four_states() -> MDP:
    """Make the chain; state 4 is the terminal one."""
    table = {s: {0: [(1.0, s + 1, 1.0, s == 3)]} for s in range(4)}
    table[4] = {0: [(1.0, 4, 0.0, True)]}
    return MDP.of(table, 0)
