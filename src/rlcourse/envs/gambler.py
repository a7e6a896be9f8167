"""The gambler's problem of Example 4.3: stakes on a coin on the way to a goal.

State = capital, from 0 to the goal of 100 dollars; both ends are terminal. The action is the stake: won with probability p_h, lost
otherwise. A stake larger than the capital, or than what is missing to the goal, is clipped. The reward is +1 on reaching the goal and 0
on every other step, so that, undiscounted, the value of a state is the probability of winning. The start is any capital in between.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.config import Count, Probability
from rlcourse.core.mdp import MDP
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["gamblers_problem", "legal_stakes", "make_env", "make_vec"]

GOAL = 100


@checked
def gamblers_problem(p_h: Probability = 0.4, goal: Count = GOAL) -> MDP:
    """Make the gambler's problem.

    Parameters
    ----------
    p_h : float
        Probability that the coin comes up heads.
    goal : int
        Capital that wins, at least 2; the stakes are 0 to goal // 2.
    """
    if goal < 2:
        raise ValueError(f"goal must be at least 2, not {goal}")
    capital, stake = np.arange(goal + 1)[:, None], np.arange(goal // 2 + 1)
    stakes = np.minimum(stake, np.minimum(capital, goal - capital))
    successor = np.stack([capital + stakes, capital - stakes], axis=2)  # [S, A, 2]: heads, tails
    ends = (successor == 0) | (successor == goal)
    alive = ((capital > 0) & (capital < goal))[:, :, None]
    probability = np.broadcast_to([p_h, 1.0 - p_h], successor.shape)
    start = np.where((capital > 0) & (capital < goal), 1.0 / (goal - 1), 0.0).ravel()
    return MDP.from_arrays(probability, successor, ((successor == goal) & alive).astype(float), ends, start)


def legal_stakes(goal: int = GOAL) -> np.ndarray:
    """Return which stakes risk something and are not clipped: booleans, shape [goal + 1, goal // 2 + 1]."""
    capital, stake = np.arange(goal + 1)[:, None], np.arange(goal // 2 + 1)
    legal: np.ndarray = (stake >= 1) & (stake <= np.minimum(capital, goal - capital))
    return legal


def make_env(render_mode: str | None = None) -> WorldEnv:
    """Make ``rlcourse/Gambler-v0``."""
    from rlcourse.envs.drawing_examples import capital, capital_text

    return WorldEnv(gamblers_problem(), render_mode=render_mode, picture=capital, text=capital_text, fps=4)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(gamblers_problem(), num_envs, **options)
