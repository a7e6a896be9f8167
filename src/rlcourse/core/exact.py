"""Ground truth: exact values and returns wherever the model is known, one call away.

>>> from rlcourse.core import exact
>>> exact.v_star("FrozenLake-v1", gamma=0.99)

Every function takes a world, an environment or a Gymnasium id. Finite models only (see `rlcourse.core.gymworld.model_of`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rlcourse.core.gymworld import as_env, model_of
from rlcourse.core.mdp import MDP
from rlcourse.core.world import is_world

__all__ = ["action_values", "exact_return", "greedy_policy", "model", "optimal_actions", "q_pi", "q_star", "soft_policy", "v_pi", "v_star"]

DENSE = 2500  # states up to which the Bellman equations are solved as a dense linear system
TOLERANCE = 1e-13  # relative change at which sweeps end, and by which another action must be better
MAX_SWEEPS = 200_000
PATIENCE = 10_000  # sweeps without any smaller change: the values grow for ever


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
    at: Any = slice(None) if states is None else np.asarray(states)
    after = np.where(m.terminal[at], 0.0, np.asarray(V, dtype=float)[m.successor[at]])
    total: np.ndarray = np.einsum("sak,sak->sa", m.probability[at], m.reward[at] + gamma * after)
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
    return _evaluate(_Sums(m), as_policy(policy, *m.successor.shape[:2]), gamma)


def q_pi(env: Any, policy: np.ndarray, gamma: float) -> np.ndarray:
    """Return the exact action values of a policy, shape [S, A]; see `v_pi`."""
    m = model(env)
    return action_values(m, v_pi(m, policy, gamma), gamma)


def v_star(env: Any, gamma: float) -> np.ndarray:
    """Return the optimal state values, shape [S] (Eq. 3.19).

    Raises
    ------
    ValueError
        Where they are not finite.
    """
    return _optimal(_Sums(model(env)), gamma, 0.0)


def q_star(env: Any, gamma: float) -> np.ndarray:
    """Return the optimal action values, shape [S, A]; see `v_star`."""
    m = model(env)
    return action_values(m, v_star(m, gamma), gamma)


def soft_policy(env: Any, epsilon: float, gamma: float) -> np.ndarray:
    """Return the values Q [S, A] of the best epsilon-soft policy: the limit of Sarsa and Expected Sarsa (Sec. 5.4)."""
    m = model(env)
    return action_values(m, _optimal(_Sums(m), gamma, epsilon), gamma)


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


class _Sums:
    """Expected rewards, and the possible ways on: (pair = A s + a) leads to `successor` with `weight`, not ending the episode."""

    def __init__(self, m: MDP) -> None:
        self.S, self.A, K = m.successor.shape
        self.reward = m.expected_reward()  # [S, A]
        on = ((m.probability > 0) & ~m.terminal).ravel()
        self.pair = np.repeat(np.arange(self.S * self.A), K)[on]
        self.successor, self.weight = m.successor.ravel()[on], m.probability.ravel()[on]
        cells = self.S * self.A * self.S
        self._matrix = None  # [S * A, S] where the table is nearly full
        if cells <= 4 * len(self.pair):
            flat = np.bincount(self.pair * self.S + self.successor, weights=self.weight, minlength=cells)
            self._matrix = flat.reshape(self.S * self.A, self.S)

    def look_ahead(self, V: np.ndarray, gamma: float) -> np.ndarray:
        """Return sum over s', r of p (r + gamma V(s')), shape [S, A]."""
        if self._matrix is not None:
            beyond = self._matrix @ V
        else:
            beyond = np.bincount(self.pair, weights=self.weight * V[self.successor], minlength=self.S * self.A)
        values: np.ndarray = self.reward + gamma * beyond.reshape(self.S, self.A)
        return values


def _evaluate(sums: _Sums, pi: np.ndarray, gamma: float) -> np.ndarray:
    """Return v_pi, shape [S]; nan where, undiscounted, an episode may never end."""
    S = sums.S
    r = (pi * sums.reward).sum(axis=1)  # [S]
    weight = pi.ravel()[sums.pair] * sums.weight
    taken = weight > 0
    state, successor, weight = sums.pair[taken] // sums.A, sums.successor[taken], weight[taken]
    ends = np.ones(S, dtype=bool)
    if gamma == 1.0:
        going_on = np.bincount(state, weights=weight, minlength=S)
        ends = _surely_ends(state, successor, going_on)
        inside = ends[state]  # from where it surely ends, no way leads to where it may not
        state, successor, weight = state[inside], successor[inside], weight[inside]
    if S > DENSE:
        V = _swept(lambda V: r + gamma * np.bincount(state, weights=weight * V[successor], minlength=S), np.zeros(S))
        return np.where(ends, V, np.nan)
    P = np.bincount(state * S + successor, weights=weight, minlength=S * S).reshape(S, S)
    values = np.full(S, np.nan)
    values[ends] = np.linalg.solve(np.eye(int(ends.sum())) - gamma * P[np.ix_(ends, ends)], r[ends])
    return values


def _optimal(sums: _Sums, gamma: float, epsilon: float) -> np.ndarray:
    """Return the values of the best epsilon-soft policy, shape [S].

    By policy iteration with exact evaluation. Without discount, values may exist though some policies never end, so sweeps from zero
    come first, and policy iteration (from a policy that ends) only where they are slow.
    """

    def backup(V: np.ndarray) -> np.ndarray:
        Q = sums.look_ahead(V, gamma)
        best: np.ndarray = Q.max(axis=1)
        return best if epsilon == 0.0 else (1.0 - epsilon) * best + epsilon * Q.mean(axis=1)

    V, pi = np.zeros(sums.S), sums.reward.argmax(axis=1)
    if sums.S > DENSE:
        return _swept(backup, V)
    if gamma == 1.0:
        for _ in range(2 * sums.S + 200):
            before, V = V, backup(V)
            if _settled(before, V):
                return V
        distance, pi = _towards_an_end(sums)
        if np.any(distance < 0):
            return _swept(backup, V)
    while True:
        mixed = (1.0 - epsilon) * np.eye(sums.A)[pi] + epsilon / sums.A
        V = _evaluate(sums, mixed, gamma)
        if np.isnan(V).any():
            raise ValueError("the values are not finite: never to end pays more and more; take gamma < 1")
        Q = sums.look_ahead(V, gamma)
        chosen = Q[np.arange(sums.S), pi]
        better = Q.max(axis=1) > chosen + TOLERANCE * 100 * np.maximum(1.0, np.abs(Q).max())
        if not better.any():
            return V
        pi = np.where(better, Q.argmax(axis=1), pi)


def _settled(before: np.ndarray, after: np.ndarray) -> bool:
    return bool(np.abs(after - before).max() <= TOLERANCE * max(1.0, np.abs(after).max()))


def _swept(sweep: Callable[[np.ndarray], np.ndarray], V: np.ndarray) -> np.ndarray:
    """Sweep until nothing changes in the last digits; raise where the values grow for ever."""
    change = np.inf
    for i in range(MAX_SWEEPS):
        before, V = V, sweep(V)
        if _settled(before, V):
            return V
        if i % PATIENCE == PATIENCE - 1:
            last, change = change, float(np.abs(V - before).max())
            if change >= last:
                break
    raise ValueError("the values are not finite, or do not settle: take gamma < 1")


def _towards_an_end(sums: _Sums) -> tuple[np.ndarray, np.ndarray]:
    """Return the fewest steps in which an episode can end from each state (-1: it cannot), and an action that makes it possible."""
    on = np.bincount(sums.pair, weights=sums.weight, minlength=sums.S * sums.A).reshape(sums.S, sums.A)
    distance = np.where(on.min(axis=1) < 1.0 - 1e-12, 1, -1)
    action = on.argmin(axis=1)
    for steps in range(2, sums.S + 1):
        near = (distance[sums.successor] == steps - 1) & (distance[sums.pair // sums.A] < 0)
        if not near.any():
            break
        pairs = sums.pair[near]
        distance[pairs // sums.A], action[pairs // sums.A] = steps, pairs % sums.A
    return distance, action


def _surely_ends(state: np.ndarray, successor: np.ndarray, going_on: np.ndarray) -> np.ndarray:
    """Return from which states an episode ends for sure; state[i] may lead to successor[i], `going_on` [S] is the probability to go on."""
    ends = going_on < 1.0 - 1e-12

    def backwards(reached: np.ndarray) -> np.ndarray:
        while True:
            new = state[reached[successor] & ~reached[state]]
            if not len(new):
                return reached
            reached[new] = True

    may_end = backwards(ends)
    return ~backwards(~may_end)
