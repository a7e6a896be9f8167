"""Ground truth of linear prediction: where learning goes, and how far from the truth that is, by linear algebra.

The values v = X w are linear in features X [S, d]. Errors are weighed by mu, how much one cares about each state (Sec. 9.2); usually it
is the on-policy distribution. Functions take a world, an environment or an id with a finite model, a policy [S, A] or [S], and features
as a matrix or as `rlcourse.features` have them.

>>> weights = exact_linear.td_fixed_point(world, policy, X, gamma=1.0)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.core import exact
from rlcourse.core.linear import add

__all__ = [
    "bellman_error",
    "best_weights",
    "chain",
    "design_matrix",
    "mu",
    "norm",
    "projection",
    "td_equations",
    "td_error",
    "td_fixed_point",
    "value_error",
    "visits",
]


def design_matrix(features: Any, S: int) -> np.ndarray:
    """Return the features of states 0 to S - 1 as rows, shape [S, d]."""
    if isinstance(features, np.ndarray):
        return features.astype(float)
    X = np.zeros((S, features.size))
    for s in range(S):
        x = features.x(s)
        add(X[s], 1.0, x)
    return X


def chain(env: Any, policy: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what a policy makes of a model: a Markov chain with rewards.

    Returns
    -------
    P : ndarray, shape [S, S]
        Probability to go on in s'; a row sums to one minus the probability that the episode ends there.
    r : ndarray, shape [S]
        Expected reward of a step.
    start : ndarray, shape [S]
        Probability of each start state.
    """
    m = exact.model(env)
    S, A, K = m.successor.shape
    pi = exact.as_policy(policy, S, A)
    weight = np.where(m.terminal, 0.0, pi[:, :, None] * m.probability)
    pairs = np.repeat(np.arange(S), A * K) * S + m.successor.ravel()
    P = np.bincount(pairs, weights=weight.ravel(), minlength=S * S).reshape(S, S)
    return P, (pi * m.expected_reward()).sum(axis=1), np.diff(m.start, prepend=0.0)


def visits(env: Any, policy: np.ndarray) -> np.ndarray:
    """Return eta, the expected visits to each state in an episode, shape [S] (Eq. 9.2); their sum is the mean length, steps.

    Raises
    ------
    ValueError
        Where an episode may never end.
    """
    P, _, start = chain(env, policy)
    found = _reached(P, start)
    if not _all_end(P[np.ix_(found, found)]):
        raise ValueError("an episode may never end: there is no mean number of visits, only the distribution mu")
    eta = np.zeros(len(P))
    eta[found] = np.linalg.solve((np.eye(int(found.sum())) - P[np.ix_(found, found)]).T, start[found])
    return eta


def mu(env: Any, policy: np.ndarray) -> np.ndarray:
    """Return the on-policy distribution, shape [S]: the fraction of time spent in each state (Eq. 9.3).

    Where episodes go on for ever it is the stationary distribution, with mu P = mu.

    Raises
    ------
    ValueError
        Where it depends on chance in which states a run ends up.
    """
    P, _, start = chain(env, policy)
    found = _reached(P, start)
    inside = P[np.ix_(found, found)]
    if _all_end(inside):
        eta = visits(env, policy)
        return np.asarray(eta / eta.sum())
    n = len(inside)
    equations = np.vstack([inside.T - np.eye(n), np.ones(n)])
    solution, _, rank, _ = np.linalg.lstsq(equations, np.append(np.zeros(n), 1.0), rcond=None)
    if rank < n or np.abs(equations @ solution - np.append(np.zeros(n), 1.0)).max() > 1e-9:
        raise ValueError("no distribution of states is the only stationary one under this policy")
    result = np.zeros(len(P))
    result[found] = np.maximum(solution, 0.0)
    return result


def td_equations(
    env: Any, policy: np.ndarray, X: Any, gamma: float, weights: np.ndarray | None = None, lam: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return A [d, d] and b [d] of the expected semi-gradient TD(lambda) update b - A w (Eq. 9.11).

    Parameters
    ----------
    env : World, Env or str
    policy : ndarray
        Whose next states and rewards count: the target policy.
    X : ndarray or features
    gamma : float
    weights : ndarray, shape [S], optional
        How often each state is updated: of another policy where learning is off-policy; `mu` of the policy where None.
    lam : float
        Trace decay; with 1 the fixed point is that of Monte Carlo.
    """
    P, r, _ = chain(env, policy)
    X, D = design_matrix(X, len(P)), mu(env, policy) if weights is None else np.asarray(weights)
    left = X.T * D  # X^T D
    if lam > 0.0:
        left = np.linalg.solve((np.eye(len(P)) - gamma * lam * P).T, left.T).T
    return left @ (X - gamma * P @ X), left @ r


def td_fixed_point(env: Any, policy: np.ndarray, X: Any, gamma: float, weights: np.ndarray | None = None, lam: float = 0.0) -> np.ndarray:
    """Return the weights w [d] with A w = b, to which semi-gradient TD converges on-policy (Eq. 9.12); see `td_equations`."""
    return _solved(*td_equations(env, policy, X, gamma, weights, lam))


def best_weights(v: np.ndarray, X: Any, mu: np.ndarray) -> np.ndarray:
    """Return the weights [d] whose values are nearest to v [S] in the norm of mu: the limit of gradient Monte Carlo."""
    X = design_matrix(X, len(v))
    seen = mu > 0
    root = np.sqrt(mu[seen])
    return np.asarray(np.linalg.lstsq(root[:, None] * X[seen], root * np.asarray(v)[seen], rcond=None)[0])


def norm(values: np.ndarray, mu: np.ndarray) -> float:
    """Return the squared norm sum over s of mu(s) v(s)^2 (Eq. 11.11)."""
    seen = mu > 0
    return float(mu[seen] @ np.asarray(values)[seen] ** 2)


def value_error(values: np.ndarray, v: np.ndarray, mu: np.ndarray) -> float:
    """Return the mean square value error VE of values [S] against the true v [S] (Eq. 9.1); the book plots its root."""
    return norm(np.asarray(values) - v, mu)


def projection(X: Any, mu: np.ndarray) -> np.ndarray:
    """Return the matrix [S, S] that takes any values to the nearest ones linear in the features (Eq. 11.14)."""
    X = design_matrix(X, len(mu))
    weighed = X.T * mu
    return np.asarray(X @ np.linalg.pinv(weighed @ X) @ weighed)


def bellman_error(env: Any, policy: np.ndarray, values: np.ndarray, gamma: float) -> np.ndarray:
    """Return the Bellman error of values in each state, shape [S]: r + gamma P v - v (Eq. 11.17).

    Its `norm` is the mean square Bellman error BE; the norm of its `projection` is PBE (Eq. 11.22).
    """
    P, r, _ = chain(env, policy)
    return np.asarray(r + gamma * P @ values - values)


def td_error(env: Any, policy: np.ndarray, values: np.ndarray, gamma: float, weights: np.ndarray | None = None) -> float:
    """Return the mean square TD error TDE of values [S] (Sec. 11.5), states weighed by mu or as given."""
    m = exact.model(env)
    pi = exact.as_policy(policy, *m.successor.shape[:2])
    values = np.asarray(values, dtype=float)
    delta = m.reward + gamma * np.where(m.terminal, 0.0, values[m.successor]) - values[:, None, None]
    mean = (pi[:, :, None] * m.probability * delta**2).sum(axis=(1, 2))
    D = mu(env, policy) if weights is None else np.asarray(weights)
    return float(D[D > 0] @ mean[D > 0])


def _solved(A: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Solve A w = b; the shortest solution where features are redundant."""
    return np.asarray(np.linalg.lstsq(A, b, rcond=None)[0])


def _reached(P: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return which states can be met, booleans [S]."""
    found = start > 0
    while True:
        more = found | (P[found] > 0).any(axis=0)
        if np.array_equal(more, found):
            return np.asarray(found)
        found = more


def _all_end(P: np.ndarray) -> bool:
    """Whether episodes surely end from every state."""
    ends = P.sum(axis=1) < 1.0 - 1e-12
    while True:
        more = ends | (P[:, ends] > 0).any(axis=1)
        if np.array_equal(more, ends):
            return bool(ends.all())
        ends = more
