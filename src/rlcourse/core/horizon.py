"""Exact returns within a time limit: what an evaluation of an environment with a limit should give on average.

>>> from rlcourse.core import horizon
>>> horizon.best_return("FrozenLake-v1", steps=100)  # 0.7442; 0.8235 without a limit

As many Bellman backups from zero as there are steps. The best policy within a limit may look at the time that is left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rlcourse.core import bellman, exact
from rlcourse.core.arguments import checked
from rlcourse.core.config import Discount, Natural
from rlcourse.core.mdp import MDP

__all__ = ["best_return", "policy_return"]


@checked
def policy_return(env: Any, policy: np.ndarray, gamma: Discount = 1.0, steps: Natural | None = None) -> float:
    """Return the exact expected return of a policy from the start, within a number of steps.

    Parameters
    ----------
    env : World, Env or str
    policy : ndarray, shape [S, A] of probabilities, or [S] of actions
    gamma : float
    steps : int, optional
        The time limit; without one this is `rlcourse.core.exact.exact_return`, and raises where that does.
    """
    if steps is None:
        return exact.exact_return(env, policy, gamma)
    m = exact.model(env)
    pi, sums = exact.as_policy(policy, *m.successor.shape[:2]), bellman.Sums(m)
    return _from_the_start(m, _within(lambda V: _mixed(pi, sums.look_ahead(V, gamma)), len(pi), steps))


@checked
def best_return(env: Any, gamma: Discount = 1.0, steps: Natural | None = None) -> float:
    """Return the largest expected return from the start, within a number of steps.

    Raises
    ------
    ValueError
        Where there is no limit and it is not finite.
    """
    m = exact.model(env)
    if steps is None:
        best = _from_the_start(m, exact.v_star(m, gamma))
        if np.isnan(best):
            raise ValueError("the return is not finite: without discount no policy surely ends an episode; take gamma < 1 or a limit")
        return best
    sums = bellman.Sums(m)
    return _from_the_start(m, _within(lambda V: sums.look_ahead(V, gamma).max(axis=1), len(m.successor), steps))


def _mixed(pi: np.ndarray, Q: np.ndarray) -> np.ndarray:
    taken: np.ndarray = np.where(pi > 0.0, pi * Q, 0.0).sum(axis=1)  # an action that does not exist has the value -inf
    return taken


def _from_the_start(m: MDP, V: np.ndarray) -> float:
    start = np.diff(m.start, prepend=0.0)
    return float(start[start > 0] @ V[start > 0])


def _within(backup: Callable[[np.ndarray], np.ndarray], states: int, steps: int) -> np.ndarray:
    """Return the values with so many steps to go: as many backups from zero, fewer where nothing changes any more."""
    V = np.zeros(states)
    for _ in range(steps):
        before, V = V, backup(V)
        if np.array_equal(before, V):
            break
    return V
