"""The random tasks of Section 8.6, on which ways to distribute updates are compared.

Each of |S| states has two actions, each of which leads to one of b different states, all equally likely, drawn at random for every
pair. Every transition also ends the episode with probability 0.1. The expected reward of each transition is drawn from a normal
distribution with mean 0 and variance 1 (the ending one has its own); episodes begin in state 0 and there is no discount.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.config import Natural
from rlcourse.core.mdp import MDP
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["branching_task", "make_env", "make_vec"]

ACTIONS, ENDING = 2, 0.1


@checked
def branching_task(states: int = 100, branches: int = 3, seed: Natural = 0) -> MDP:
    """Make one of the tasks of Section 8.6.

    Parameters
    ----------
    states : int
        |S|; the book has 1,000 and 10,000.
    branches : int
        b, the number of possible next states of a pair; the book has 1, 3 and 10.
    seed : int
        Which task.
    """
    if not 1 <= branches <= states:
        raise ValueError(f"branches must lie in 1..{states}, the number of states, not {branches}")
    rng = np.random.default_rng(seed)
    pairs, outcomes = states * ACTIONS, branches + 1  # the last outcome ends the episode
    successor = np.zeros((pairs, outcomes), dtype=np.int64)
    for k, top in enumerate(range(states - branches, states)):  # b different states per pair, all sets equally likely (Floyd's method)
        drawn = rng.integers(0, top + 1, pairs)
        taken = (successor[:, :k] == drawn[:, None]).any(axis=1)
        successor[:, k] = np.where(taken, top, drawn)
    shape = (states, ACTIONS, outcomes)
    probability = np.full(shape, (1.0 - ENDING) / branches)
    probability[..., -1] = ENDING
    cumulative = np.cumsum(probability, axis=-1)
    cumulative[..., -1] = 1.0
    terminal = np.zeros(shape, dtype=np.bool_)
    terminal[..., -1] = True
    return MDP(np.ones(states), probability, cumulative, successor.reshape(shape), rng.standard_normal(shape), terminal)


def make_env(render_mode: str | None = None) -> WorldEnv:
    """Make ``rlcourse/BranchingTask-v0``: 100 states, 3 branches."""
    from rlcourse.envs.drawing_planning import Branches

    world = branching_task()
    branches = Branches(world)
    return WorldEnv(world, render_mode=render_mode, picture=branches.picture, text=branches.text, fps=4)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(branching_task(), num_envs, **options)
