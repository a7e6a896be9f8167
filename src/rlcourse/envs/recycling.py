"""The recycling robot of Example 3.3: search for cans, wait for them, or go home to recharge.

Two states, the battery's charge: high (0) and low (1). Searching earns `r_search` cans and keeps a high battery high with
probability alpha, a low one low with probability beta; otherwise the low one is empty, the robot is carried home, which costs 3,
and recharged. Waiting earns `r_wait` and uses nothing. Recharging earns nothing. Actions are search, wait, recharge; the book has
no recharging of a full battery, here it does nothing and earns nothing, which is never better than to wait. The task continues for
ever.
"""

from __future__ import annotations

from typing import Any

from rlcourse.core.arguments import checked
from rlcourse.core.mdp import MDP
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["ACTIONS", "STATES", "make_env", "make_vec", "recycling_robot"]

STATES, ACTIONS = ("high", "low"), ("search", "wait", "recharge")
HIGH, LOW = 0, 1
RESCUE = -3.0  # reward of running empty


@checked
def recycling_robot(alpha: float = 0.9, beta: float = 0.4, r_search: float = 2.0, r_wait: float = 1.0) -> MDP:
    """Make the robot of Example 3.3; the book leaves the four parameters open.

    Parameters
    ----------
    alpha, beta : float
        Probability that searching leaves a high battery high, a low one low.
    r_search, r_wait : float
        Expected number of cans per step, at least 0.
    """
    if not (0 <= alpha <= 1 and 0 <= beta <= 1):
        raise ValueError(f"alpha and beta must be probabilities, not {alpha} and {beta}")
    if r_search < 0 or r_wait < 0:
        raise ValueError(f"r_search and r_wait count cans and must be at least 0, not {r_search} and {r_wait}")
    high = {
        0: [(alpha, HIGH, r_search, False), (1.0 - alpha, LOW, r_search, False)],
        1: [(1.0, HIGH, r_wait, False)],
        2: [(1.0, HIGH, 0.0, False)],  # not in the book
    }
    low = {
        0: [(1.0 - beta, HIGH, RESCUE, False), (beta, LOW, r_search, False)],
        1: [(1.0, LOW, r_wait, False)],
        2: [(1.0, HIGH, 0.0, False)],
    }
    return MDP.of({HIGH: high, LOW: low}, HIGH)


def make_env(render_mode: str | None = None) -> WorldEnv:
    """Make ``rlcourse/RecyclingRobot-v0``."""
    from rlcourse.envs.drawing_examples import robot, robot_text

    return WorldEnv(recycling_robot(), render_mode=render_mode, picture=robot, text=robot_text, fps=4)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(recycling_robot(), num_envs, **options)
