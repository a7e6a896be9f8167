"""The bandit of RL^2: a Bernoulli bandit whose observation also tells the last arm and what it paid (`PreviousActionReward`).

That is all a memory needs: from it, the counts of successes and failures of every arm follow, and with them the Bayes-optimal policy.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym

from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv
from rlcourse.wrappers.previous import Reminded, reminded

__all__ = ["make_env", "make_vec", "rl2_bandit"]


def rl2_bandit(k: int = 5, n: int = 10, action: bool = True, reward: bool = True) -> Reminded:
    """Make the world.

    Parameters
    ----------
    k, n : int
        Arms; pulls of an episode.
    action, reward : bool
        Whether the last one is told.
    """
    return reminded(_inside(k=k, n=n).world, action, reward)


def make_env(render_mode: str | None = None, k: int = 5, n: int = 10, action: bool = True, reward: bool = True) -> WorldEnv:
    """Make ``rlcourse/RL2Bandit-v0``; further arguments are those of `rl2_bandit`."""
    inside = _inside(render_mode=render_mode, k=k, n=n)
    return inside.behind(reminded(inside.world, action, reward), lambda state: state[: k + 1])


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    bandit = {name: options.pop(name) for name in ("k", "n", "action", "reward") if name in options}
    return WorldVectorEnv(rl2_bandit(**bandit), num_envs, **options)


def _inside(**bandit: Any) -> WorldEnv:
    inside = gym.make("rlcourse/BernoulliBandit-v0", **bandit).unwrapped
    assert isinstance(inside, WorldEnv)
    return inside
