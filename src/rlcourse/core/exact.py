"""Ground truth: exact values and returns wherever the model is known, one call away.

>>> from rlcourse.core import exact
>>> exact.v_star("FrozenLake-v1", gamma=0.99)

Every function takes a world, an environment or a Gymnasium id. Finite models only (see `rlcourse.core.gymworld.model_of`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.core.gymworld import as_env, model_of
from rlcourse.core.mdp import MDP
from rlcourse.core.world import is_world

__all__ = ["action_values", "exact_return", "greedy_policy", "model", "optimal_actions", "q_pi", "q_star", "soft_policy", "v_pi", "v_star"]

DENSE = 2500  # states up to which the Bellman equations are solved as a dense linear system
TOLERANCE = 1e-13  # relative change at which sweeps end
MAX_SWEEPS = 200_000


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


def action_values(env: Any, V: np.ndarray, gamma: float) -> np.ndarray:
    """Return one-step look-ahead values of V, shape [S, A]: sum over s', r of p (r + gamma V(s')) (Eq. 4.6)."""
    m = model(env)
    return m.expected_reward() + gamma * _beyond(m, np.asarray(V, dtype=float))


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
    pi = as_policy(policy, *m.successor.shape[:2])
    S = len(pi)
    r = (pi * m.expected_reward()).sum(axis=1)  # [S]
    if S > DENSE:
        return _swept(lambda V: r + gamma * (pi * _beyond(m, V)).sum(axis=1), S)
    P = np.zeros((S, S))  # probability of going on to s'
    np.add.at(P, (np.arange(S)[:, None, None], m.successor), pi[:, :, None] * m.probability * ~m.terminal)
    ends = np.ones(S, dtype=bool) if gamma < 1.0 else _surely_ends(P)
    values = np.full(S, np.nan)
    inside = np.ix_(ends, ends)
    values[ends] = np.linalg.solve(np.eye(int(ends.sum())) - gamma * P[inside], r[ends])
    return values


def q_pi(env: Any, policy: np.ndarray, gamma: float) -> np.ndarray:
    """Return the exact action values of a policy, shape [S, A]; see `v_pi`."""
    m = model(env)
    return action_values(m, v_pi(m, policy, gamma), gamma)


def v_star(env: Any, gamma: float) -> np.ndarray:
    """Return the optimal state values, shape [S], by value iteration to the last digits (Eq. 4.10)."""
    m = model(env)
    reward = m.expected_reward()
    return _swept(lambda V: (reward + gamma * _beyond(m, V)).max(axis=1), len(m.successor))


def q_star(env: Any, gamma: float) -> np.ndarray:
    """Return the optimal action values, shape [S, A]; see `v_star`."""
    m = model(env)
    return action_values(m, v_star(m, gamma), gamma)


def soft_policy(env: Any, epsilon: float, gamma: float) -> np.ndarray:
    """Return the values Q [S, A] of the best epsilon-soft policy: the limit of Sarsa and Expected Sarsa (Sec. 5.4)."""
    m = model(env)
    reward = m.expected_reward()

    def sweep(V: np.ndarray) -> np.ndarray:
        Q = reward + gamma * _beyond(m, V)
        mixed: np.ndarray = (1.0 - epsilon) * Q.max(axis=1) + epsilon * Q.mean(axis=1)
        return mixed

    return action_values(m, _swept(sweep, len(m.successor)), gamma)


def optimal_actions(Q: np.ndarray, tolerance: float = 1e-9) -> np.ndarray:
    """Return which actions are greedy, ties included: booleans, shape [S, A]."""
    best = Q.max(axis=1, keepdims=True)
    close: np.ndarray = best - Q <= tolerance * (1.0 + np.abs(best))
    return close


def greedy_policy(Q: np.ndarray, epsilon: float = 0.0, tolerance: float = 1e-9) -> np.ndarray:
    """Return pi(a|s) of the (epsilon-)greedy policy, shape [S, A]; ties share their part."""
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
    given = np.asarray(policy)
    if given.shape == (S,) and given.dtype.kind in "iu" and np.all((given >= 0) & (given < A)):
        return np.eye(A)[given]
    if given.shape != (S, A) or given.dtype.kind not in "iuf" or not np.allclose(given.sum(axis=1), 1.0) or np.any(given < 0):
        raise ValueError(
            f"policy must be {S} actions in 0..{A - 1}, or probabilities of shape {(S, A)} whose rows sum to 1; "
            f"this one has shape {given.shape}"
        )
    return given.astype(float)


def _beyond(m: MDP, V: np.ndarray) -> np.ndarray:
    total: np.ndarray = np.einsum("sak,sak->sa", m.probability, np.where(m.terminal, 0.0, V[m.successor]))
    return total


def _swept(sweep: Any, states: int) -> np.ndarray:
    V = np.zeros(states)
    for _ in range(MAX_SWEEPS):
        after = sweep(V)
        if np.abs(after - V).max() <= TOLERANCE * max(1.0, np.abs(after).max()):
            return np.asarray(after)
        V = after
    raise ValueError("the values are not finite, or do not settle: take gamma < 1")


def _surely_ends(P: np.ndarray) -> np.ndarray:
    """Return from which states an episode ends for sure; P [S, S] is the probability to go on."""
    ends = P.sum(axis=1) < 1.0 - 1e-12
    while not np.array_equal(ends, grown := ends | (P[:, ends] > 0).any(axis=1)):
        ends = grown  # backwards from where an episode may end
    lost = ~ends
    while not np.array_equal(lost, grown := lost | (P[:, lost] > 0).any(axis=1)):
        lost = grown  # backwards from where it never ends
    return ~lost
