"""Rings of states with one action: the smallest tasks that never end (Exercises 10.6, 10.7 and 10.8).

State s leads to s + 1 and the last one to the first, always; what is earned on the way is all that there is. The rewards
+1, 0, +1, 0, ... of Exercise 10.6 are ``ring([1, 0])``, whose average is 1/2 and whose differential values are 1/4 and -1/4; the three
states A, B, C of Exercise 10.7, where a reward of +1 comes with each arrival in A, are ``ring([0, 0, 1])``: 1/3, and -1/3, 0, 1/3. Both
chains are periodic: their limits exist only on average.
"""

from __future__ import annotations

from collections.abc import Sequence

from rlcourse.core.arguments import checked
from rlcourse.core.mdp import MDP

__all__ = ["ring"]


@checked
def ring(rewards: Sequence[float]) -> MDP:
    """Make a ring.

    Parameters
    ----------
    rewards : sequence of float
        For leaving each state; at least one.
    """
    n = len(rewards)
    if n < 1:
        raise ValueError("rewards: a ring has at least one state")
    return MDP.of({s: {0: [(1.0, (s + 1) % n, float(reward), False)]} for s, reward in enumerate(rewards)}, 0)
