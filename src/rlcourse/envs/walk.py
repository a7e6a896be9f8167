"""The random walks of Example 6.2 (5 states) and of chapter 7 (19 states).

Which end will be reached? States 0 to n - 1 lie in a row and an episode begins in the middle one. It ends off either end: in state
n, beyond the left end, or in n + 1, beyond the right one. All rewards are zero except those for leaving. Actions are left and
right; the walk of the book is the equiprobable policy, whose values are a straight line from one reward to the other: with 5 states
1/6, 2/6, ... 5/6.
"""

from __future__ import annotations

from typing import Any

from rlcourse.core.arguments import checked
from rlcourse.core.config import Count
from rlcourse.core.mdp import MDP
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["make_env", "make_vec", "random_walk"]


@checked
def random_walk(n: Count = 5, left: float = 0.0, right: float = 1.0) -> MDP:
    """Make a random walk.

    Parameters
    ----------
    n : int
        States that are not terminal; odd.
    left, right : float
        Rewards for leaving on either side: 0 and 1 in Example 6.2, -1 and 1 in chapter 7.
    """
    if n % 2 == 0:
        raise ValueError(f"n must be odd, so that there is a middle to begin in, not {n}")
    table = {s: {0: [(1.0, s - 1, 0.0, False)], 1: [(1.0, s + 1, 0.0, False)]} for s in range(n)}
    table[0][0], table[n - 1][1] = [(1.0, n, left, True)], [(1.0, n + 1, right, True)]
    table |= {s: {a: [(1.0, s, 0.0, True)] for a in (0, 1)} for s in (n, n + 1)}
    return MDP.of(table, n // 2)


def make_env(render_mode: str | None = None, n: int = 5, left: float = 0.0, right: float = 1.0) -> WorldEnv:
    """Make ``rlcourse/RandomWalk-v0``."""
    from rlcourse.envs.drawing_chain import Chain

    letters = [chr(ord("A") + i) if n <= 26 else str(i) for i in range(n)]
    rewards = [f"{left:g}", *[""] * (n - 1), f"{right:g}"]
    chain = Chain([n, *range(n), n + 1], ["", *letters, ""], (n, n + 1), rewards, goal=n + 1)
    return WorldEnv(random_walk(n, left, right), render_mode=render_mode, picture=chain.picture, text=chain.text, fps=8)


def make_vec(num_envs: int = 1, n: int = 5, left: float = 0.0, right: float = 1.0, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(random_walk(n, left, right), num_envs, **options)
