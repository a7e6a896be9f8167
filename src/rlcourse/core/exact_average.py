"""The average reward of a finite task that never ends, and differential values, exactly (Sec. 10.3).

>>> from rlcourse.core import exact_average
>>> from rlcourse.envs import ring
>>> exact_average.rate(ring([1, 0]), [0, 0])
0.5

Under a policy with one recurrent class, r(pi) = sum_s mu(s) r(s, pi) (10.7) wherever the task begins, and the values solve the differential
Bellman equations v(s) = sum_a pi(a|s) sum over s', r of p (r - r(pi) + v(s')), which leave a constant open. It is chosen so that
sum_s mu(s) v(s) = 0: then v is what discounting leaves in the limit, v(s) = lim (v_gamma(s) - r(pi) / (1 - gamma)), which exists for
periodic chains too (Exercise 10.6).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.core.bellman import Sums
from rlcourse.core.exact import as_policy, model

__all__ = ["distribution", "optimal", "q_pi", "rate", "v_pi"]

TOLERANCE = 1e-12  # relative, at which relative value iteration ends
MAX_SWEEPS = 200_000


def distribution(env: Any, policy: Any) -> np.ndarray:
    """Return how often each state is visited in the long run, mu(s), shape [S]; for periodic chains on average (Eq. 10.8).

    Parameters
    ----------
    env : World, Env or str
        With a finite model in which nothing ends an episode.
    policy : array, shape [S, A] of probabilities, or [S] of actions

    Raises
    ------
    ValueError
        Where a step may end the task, or where it depends on the start which states are visited for ever.
    """
    return _solve(_sums(env), policy)[1]


def rate(env: Any, policy: Any) -> float:
    """Return the average reward r(pi) (Eq. 10.7); see `distribution`."""
    return _solve(_sums(env), policy)[0]


def v_pi(env: Any, policy: Any) -> np.ndarray:
    """Return the differential state values of a policy, shape [S], with mean zero under `distribution` (Eq. 10.9)."""
    return _solve(_sums(env), policy)[2]


def q_pi(env: Any, policy: Any) -> np.ndarray:
    """Return the differential action values of a policy, shape [S, A]: sum over s', r of p (r - r(pi) + v(s'))."""
    sums = _sums(env)
    average, _, V = _solve(sums, policy)
    return sums.look_ahead(V, 1.0) - average


def optimal(env: Any, epsilon: float = 0.0) -> tuple[float, np.ndarray]:
    """Return the largest average reward of epsilon-soft policies, and the differential action values of the best one, shape [S, A].

    By relative value iteration, damped so that periodic chains settle too, and then by a linear solve for the policy found.

    Parameters
    ----------
    env : World, Env or str
        As in `distribution`.
    epsilon : float
        0 for the optimum of all policies; greater for the limit of Sarsa that goes on exploring.

    Raises
    ------
    ValueError
        As in `distribution`; also where it does not settle: then the best average depends on the start.
    """
    sums = _sums(env)
    V = np.zeros(sums.S)
    for _ in range(MAX_SWEEPS):
        Q = sums.look_ahead(V, 1.0)
        change = 0.5 * ((1.0 - epsilon) * Q.max(axis=1) + epsilon * Q.mean(axis=1) - V)
        V = V + change - change[0]
        if np.ptp(change) <= TOLERANCE * max(1.0, float(np.abs(V).max())):
            break
    else:
        raise ValueError("the best average reward depends on the start, or relative value iteration does not settle")
    pi = (1.0 - epsilon) * np.eye(sums.A)[sums.look_ahead(V, 1.0).argmax(axis=1)] + epsilon / sums.A
    average, _, V = _solve(sums, pi)
    return average, sums.look_ahead(V, 1.0) - average


def _sums(env: Any) -> Sums:
    m = model(env)
    if np.any(m.terminal & (m.probability > 0)):
        raise ValueError("an average reward belongs to a task that never ends; here a step may end the episode")
    return Sums(m)


def _solve(sums: Sums, policy: Any) -> tuple[float, np.ndarray, np.ndarray]:
    """Return r(pi), mu [S] and the differential values [S]."""
    S = sums.S
    pi = as_policy(np.asarray(policy), S, sums.A)
    weight = pi.ravel()[sums.pair] * sums.weight
    P = np.bincount(sums.pair // sums.A * S + sums.successor, weights=weight, minlength=S * S).reshape(S, S)
    r = (pi * sums.reward).sum(axis=1)
    # mu P = mu and sum(mu) = 1; P has one recurrent class just where I - P + 1 1^T / S has an inverse
    matrix = np.eye(S) - P + 1.0 / S
    if np.linalg.matrix_rank(matrix) < S:
        raise ValueError("under this policy it depends on the start which states are visited for ever, and so does the average reward")
    mu = np.linalg.solve(matrix.T, np.full(S, 1.0 / S))
    mu = np.maximum(mu, 0.0) / np.maximum(mu, 0.0).sum()
    average = float(mu @ r)
    V = np.linalg.solve(matrix, r - average)
    return average, mu, V - mu @ V
