"""Access control to servers: whom to let in while they are few (Example 10.2), a task that never ends.

At each step one customer, at the head of a queue, pays 1, 2, 4 or 8, equally often, if accepted; accepting takes a free server, and with
none free a customer can only be rejected. Then each of the busy servers becomes free with probability 0.06, and the next customer's turn
comes. Which customers are worth a server depends on how many are left. State = 4 * free servers + priority (0 to 3 for 1, 2, 4,
8); actions are to reject (0) and to accept (1). The book leaves open whether a server can become free in the step that took it: here
it can.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.config import Count, Probability
from rlcourse.core.mdp import MDP
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["PRIORITIES", "SERVERS", "access_control", "make_env", "make_vec"]

SERVERS = 10
PRIORITIES = (1.0, 2.0, 4.0, 8.0)  # what a customer pays
P_FREE = 0.06  # probability that a busy server becomes free in a step
REJECT, ACCEPT = 0, 1


@checked
def access_control(servers: Count = SERVERS, p_free: Probability = P_FREE, priorities: Sequence[float] = PRIORITIES) -> MDP:
    """Make Example 10.2; it begins with all servers free.

    Parameters
    ----------
    servers : int
    p_free : float
        Probability that a busy server becomes free in a step.
    priorities : sequence of float
        What customers pay, each equally likely.
    """
    if servers < 1 or not 0 <= p_free <= 1 or not len(priorities):
        raise ValueError(f"servers must be at least 1, p_free a probability, and there must be priorities, not {servers}, {p_free}")
    kinds = len(priorities)

    def next_states(free: int) -> list[tuple[float, int]]:
        """Return probability and state after `free` servers are left and each busy one may become free."""
        busy = servers - free
        back = [math.comb(busy, k) * p_free**k * (1.0 - p_free) ** (busy - k) for k in range(busy + 1)]
        return [(p / kinds, kinds * (free + k) + c) for k, p in enumerate(back) for c in range(kinds)]

    table = {}
    for free in range(servers + 1):
        for c, pays in enumerate(priorities):
            rejected = [(p, s, 0.0, False) for p, s in next_states(free)]
            accepted = [(p, s, float(pays), False) for p, s in next_states(free - 1)] if free else rejected
            table[kinds * free + c] = {REJECT: rejected, ACCEPT: accepted}
    return MDP.of(table, np.where(np.arange(kinds * (servers + 1)) >= kinds * servers, 1.0 / kinds, 0.0))


def make_env(render_mode: str | None = None) -> WorldEnv:
    """Make ``rlcourse/AccessControl-v0``."""
    from rlcourse.envs.drawing_servers import servers, servers_text

    return WorldEnv(access_control(), render_mode=render_mode, picture=servers, text=servers_text, fps=4)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(access_control(), num_envs, **options)
