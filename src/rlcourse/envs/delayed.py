"""One choice, and its reward some steps later: what credit has to bridge (Sections 14.4 and 15.8).

In state 0 the action right (1) leads into one corridor, left (0) into another; each has `delay` states, through which every action
leads on. At the end of the right one waits a reward of +1, at the end of the left one nothing. Right: states 1 to delay, left: delay + 1 to
2 delay; the last state is the end.
"""

from __future__ import annotations

from rlcourse.core.arguments import checked
from rlcourse.core.config import Count
from rlcourse.core.mdp import MDP

__all__ = ["delayed_reward"]


@checked
def delayed_reward(delay: Count = 4) -> MDP:
    """Make the choice whose reward comes `delay` steps after the step that makes it."""
    if delay < 1:
        raise ValueError(f"delay must be at least 1, not {delay}")
    end = 2 * delay + 1
    table = {0: {0: [(1.0, delay + 1, 0.0, False)], 1: [(1.0, 1, 0.0, False)]}}
    for s in range(1, end):
        last, reward = s % delay == 0, 1.0 if s == delay else 0.0
        table[s] = {a: [(1.0, end if last else s + 1, reward, last)] for a in (0, 1)}
    return MDP.of(table | {end: {a: [(1.0, end, 0.0, True)] for a in (0, 1)}}, 0)
