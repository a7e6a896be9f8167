"""Ground truth: exact values and returns wherever the model is known, one call away.

>>> from rlcourse.core import exact
>>> exact.v_star("FrozenLake-v1", gamma=0.99)

Every function takes a world, an environment or a Gymnasium id. Finite models only (see `rlcourse.core.gymworld.model_of`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.core.arguments import number, numbers
from rlcourse.core.bellman import Sums, evaluate, optimal
from rlcourse.core.gymworld import as_env, model_of
from rlcourse.core.mdp import MDP
from rlcourse.core.world import is_world

__all__ = ["action_values", "exact_return", "greedy_policy", "model", "optimal_actions", "q_pi", "q_star", "soft_policy", "v_pi", "v_star"]


def model(env: Any) -> MDP:
    """Return the exact finite model of a world, an environment or an id.

    Raises
    ------
    ValueError
        Where there is none.
    """
    found = model_of(env if is_world(env) else as_env(env))
    if found is None:
        raise ValueError("env has no exact model: it needs `.world`, `.model()` or a table `.P`, and no wrapper that may hide it")
    return found


def action_values(env: Any, V: np.ndarray, gamma: float, states: np.ndarray | None = None) -> np.ndarray:
    """Return one-step look-ahead values of V, shape [S, A]: sum over s', r of p (r + gamma V(s')) (Eq. 4.6).

    Parameters
    ----------
    env : World, Env or str
    V : ndarray, shape [S]
    gamma : float
    states : ndarray of int, shape [n], optional
        Only these states' values, shape [n, A].
    """
    m = model(env)
    S = len(m.start)
    at: Any = slice(None) if states is None else numbers("states", states, ("n",)).astype(int)
    if states is not None and not np.all((at >= 0) & (at < S)):
        raise ValueError(f"states must be numbers of states, 0..{S - 1}")
    after = np.where(m.terminal[at], 0.0, numbers("V", V, (S,), finite=False)[m.successor[at]])
    total: np.ndarray = np.einsum("sak,sak->sa", m.probability[at], m.reward[at] + number("gamma", gamma, 0.0, 1.0) * after)
    return total


def v_pi(env: Any, policy: np.ndarray, gamma: float) -> np.ndarray:
    """Return the exact state values of a policy, shape [S] (Eq. 4.4).

    Parameters
    ----------
    env : World, Env or str
    policy : ndarray, shape [S, A] of probabilities, or [S] of actions
    gamma : float

    Returns
    -------
    ndarray, shape [S]
        nan where an undiscounted episode may never end.
    """
    m = model(env)
    return evaluate(Sums(m), as_policy(policy, *m.successor.shape[:2]), number("gamma", gamma, 0.0, 1.0))


def q_pi(env: Any, policy: np.ndarray, gamma: float) -> np.ndarray:
    """Return the exact action values of a policy, shape [S, A]; see `v_pi`."""
    m = model(env)
    return action_values(m, v_pi(m, policy, gamma), gamma)


def v_star(env: Any, gamma: float) -> np.ndarray:
    """Return the optimal state values, shape [S] (Eq. 3.19).

    Undiscounted, nan where every policy pays for ever because none surely ends an episode.

    Raises
    ------
    ValueError
        Where they are not finite.
    """
    return optimal(Sums(model(env)), number("gamma", gamma, 0.0, 1.0), 0.0)


def q_star(env: Any, gamma: float) -> np.ndarray:
    """Return the optimal action values, shape [S, A]; see `v_star`."""
    m = model(env)
    return action_values(m, v_star(m, gamma), gamma)


def soft_policy(env: Any, epsilon: float, gamma: float) -> np.ndarray:
    """Return the values Q [S, A] of the best epsilon-soft policy: the limit of Sarsa and Expected Sarsa (Sec. 5.4)."""
    m = model(env)
    return action_values(m, optimal(Sums(m), number("gamma", gamma, 0.0, 1.0), number("epsilon", epsilon, 0.0, 1.0)), gamma)


def optimal_actions(Q: np.ndarray, tolerance: float = 1e-9) -> np.ndarray:
    """Return which actions are greedy, ties included: booleans, shape [S, A]."""
    Q = numbers("Q", Q, ("S", "A"), finite=False)
    best = Q.max(axis=1, keepdims=True)
    close: np.ndarray = best - Q <= number("tolerance", tolerance, 0.0) * (1.0 + np.abs(best))
    return close


def greedy_policy(Q: np.ndarray, epsilon: float = 0.0, tolerance: float = 1e-9) -> np.ndarray:
    """Return pi(a|s) of the (epsilon-)greedy policy, shape [S, A]; ties share their part."""
    Q, epsilon = numbers("Q", Q, ("S", "A"), finite=False), number("epsilon", epsilon, 0.0, 1.0)
    best = optimal_actions(Q, tolerance)
    policy: np.ndarray = (1.0 - epsilon) * best / best.sum(axis=1, keepdims=True) + epsilon / Q.shape[1]
    return policy


def exact_return(env: Any, policy: np.ndarray, gamma: float = 1.0) -> float:
    """Return the exact expected return of a policy from the start, without a time limit; see `v_pi`.

    Raises
    ------
    ValueError
        Where the return is not finite: without discount, a policy that may never end an episode.
    """
    m = model(env)
    start = np.diff(m.start, prepend=0.0)
    result = float(start[start > 0] @ v_pi(m, policy, gamma)[start > 0])
    if np.isnan(result):
        raise ValueError(
            "the return is not finite: without discount this policy may never end an episode; take gamma < 1 or another policy"
        )
    return result


def as_policy(policy: np.ndarray, S: int, A: int) -> np.ndarray:
    """Return a policy as probabilities [S, A], from such a table or from one action per state."""
    try:
        given = np.asarray(policy)
    except ValueError:  # rows of different lengths
        given = np.array(None)
    if given.shape == (S,) and given.dtype.kind in "iu" and np.all((given >= 0) & (given < A)):
        return np.eye(A)[given]
    if given.shape != (S, A) or given.dtype.kind not in "iuf" or not np.allclose(given.sum(axis=1), 1.0) or np.any(given < 0):
        raise ValueError(
            f"policy must be {S} actions in 0..{A - 1}, or probabilities of shape {(S, A)} whose rows sum to 1; "
            f"this one has shape {given.shape}"
        )
    return given.astype(float)
