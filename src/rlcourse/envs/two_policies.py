"""The two policies of Exercise 3.22: a reward now or twice as much one step later.

From the top state (0), left leads to state 1 with reward +1 and right to state 2 with reward 0; from there every action leads back to
the top, with reward 0 from state 1 and +2 from state 2. Which policy is better depends on the discount rate: v(left) = 1 / (1 - gamma^2)
and v(right) = 2 gamma / (1 - gamma^2), equal at gamma = 0.5.
"""

from __future__ import annotations

from rlcourse.core.mdp import MDP

__all__ = ["left_or_right"]


def left_or_right() -> MDP:
    """Make the MDP of Exercise 3.22; actions are left (0) and right (1)."""
    back = {state: {a: [(1.0, 0, reward, False)] for a in range(2)} for state, reward in ((1, 0.0), (2, 2.0))}
    return MDP.of({0: {0: [(1.0, 1, 1.0, False)], 1: [(1.0, 2, 0.0, False)]}, **back}, 0)
