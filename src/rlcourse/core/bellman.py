"""The Bellman equations of a finite model, solved: what `rlcourse.core.exact` is made of.

Small models by policy iteration and dense linear systems, large ones by sweeps and a Krylov method over the possible outcomes only.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np

from rlcourse.core.mdp import MDP
from rlcourse.core.work import spend

__all__ = ["Sums", "evaluate", "optimal"]

DENSE = 2500  # states up to which the Bellman equations are solved as a dense linear system
TOLERANCE = 1e-13  # relative change at which sweeps end, and by which another action must be better
MAX_SWEEPS = 200_000
PATIENCE = 2_000  # sweeps without any smaller change: the values grow for ever


class Sums:
    """Expected rewards, and the possible ways on: (pair = A s + a) leads to `successor` with `weight`, not ending the episode."""

    def __init__(self, m: MDP) -> None:
        self.S, self.A, K = m.successor.shape
        self.reward = m.expected_reward()  # [S, A]
        on = ((m.probability > 0) & ~m.terminal).ravel()
        self.pair = np.repeat(np.arange(self.S * self.A), K)[on]
        self.successor, self.weight = m.successor.ravel()[on], m.probability.ravel()[on]
        cells = self.S * self.A * self.S
        self._matrix: np.ndarray | None = None  # [S * A, S] where the table is nearly full
        if cells <= 4 * len(self.pair):
            flat = np.bincount(self.pair * self.S + self.successor, weights=self.weight, minlength=cells)
            self._matrix = flat.reshape(self.S * self.A, self.S)

    def look_ahead(self, V: np.ndarray, gamma: float) -> np.ndarray:
        """Return sum over s', r of p (r + gamma V(s')), shape [S, A]."""
        spend(0.5 * self._matrix.size if self._matrix is not None else 15 * len(self.pair))
        if self._matrix is not None:
            beyond = self._matrix @ V
        else:
            beyond = np.bincount(self.pair, weights=self.weight * V[self.successor], minlength=self.S * self.A)
        values: np.ndarray = self.reward + gamma * beyond.reshape(self.S, self.A)
        return values

    def without(self, lost: np.ndarray) -> tuple[Sums, np.ndarray]:
        """Return sums in which no action may lead to lost states, and which states are lost [S]: also those left without an action."""
        while True:
            spend(10 * len(self.pair))
            bad = np.zeros(self.S * self.A, dtype=bool)
            bad[self.pair[lost[self.successor]]] = True
            more = lost | bad.reshape(self.S, self.A).all(axis=1)
            if np.array_equal(more, lost):
                break
            lost = more
        other = copy.copy(self)
        kept = ~bad[self.pair] & ~lost[self.pair // self.A]
        other.pair, other.successor, other.weight, other._matrix = self.pair[kept], self.successor[kept], self.weight[kept], None
        other.reward = np.where(lost[:, None], 0.0, np.where(bad.reshape(self.S, self.A), -np.inf, self.reward))
        return other, lost


def evaluate(sums: Sums, pi: np.ndarray, gamma: float) -> np.ndarray:
    """Return v_pi, shape [S]; nan where, undiscounted, an episode may never end."""
    S = sums.S
    r = (pi * np.where(pi > 0, sums.reward, 0.0)).sum(axis=1)  # [S]
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
        r = np.where(ends, r, 0.0)

        def sweep(V: np.ndarray) -> np.ndarray:
            spend(15 * len(state))
            return np.asarray(r + gamma * np.bincount(state, weights=weight * V[successor], minlength=S))

        return np.where(ends, _swept(sweep, _krylov(lambda V: V - sweep(V) + r, r)), np.nan)
    spend(0.1 * S**3)
    P = np.bincount(state * S + successor, weights=weight, minlength=S * S).reshape(S, S)
    values = np.full(S, np.nan)
    values[ends] = np.linalg.solve(np.eye(int(ends.sum())) - gamma * P[np.ix_(ends, ends)], r[ends])
    return values


def optimal(sums: Sums, gamma: float, epsilon: float) -> np.ndarray:
    """Return the values of the best epsilon-soft policy, shape [S].

    By policy iteration with exact evaluation. Without discount, values may exist though some policies never end, so sweeps from zero
    come first, and policy iteration (from a policy that ends) only where they are slow.
    """

    def backup(V: np.ndarray) -> np.ndarray:
        Q = sums.look_ahead(V, gamma)
        best: np.ndarray = Q.max(axis=1)
        return best if epsilon == 0.0 else (1.0 - epsilon) * best + epsilon * Q.mean(axis=1)

    V, pi = np.zeros(sums.S), sums.reward.argmax(axis=1)
    if gamma == 1.0 and epsilon == 0.0:
        lost = _towards_an_end(sums)[0] < 0
        if lost.any() and sums.reward[lost].max() < 0:
            allowed, lost = sums.without(lost)
            return np.where(lost, np.nan, optimal(allowed, gamma, epsilon))
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
        V = evaluate(sums, mixed, gamma)
        if np.isnan(V).any():
            raise ValueError("the values are not finite: never to end pays more and more; take gamma < 1")
        Q = sums.look_ahead(V, gamma)
        chosen = Q[np.arange(sums.S), pi]
        better = Q.max(axis=1) > chosen + TOLERANCE * 100 * max(1.0, float(np.abs(V).max()))
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


def _krylov(apply: Callable[[np.ndarray], np.ndarray], b: np.ndarray) -> np.ndarray:
    """Solve ``apply(x) = b`` by BiCGSTAB, restarted, as far as it gets: where episodes are long, sweeps take too many."""
    x = np.zeros_like(b)
    for _ in range(50):
        residual = b - apply(x)
        if np.abs(residual).max() <= 0.5 * TOLERANCE * max(1.0, np.abs(x).max()):
            break
        better = x + _bicgstab(apply, residual, 0.1 * TOLERANCE * max(1.0, float(np.abs(x).max())))
        if not np.abs(b - apply(better)).max() < np.abs(residual).max():
            break
        x = better
    return x


def _bicgstab(apply: Callable[[np.ndarray], np.ndarray], b: np.ndarray, tolerance: float) -> np.ndarray:
    """Return an approximate solution of ``apply(x) = b`` (van der Vorst 1992)."""
    x, residual = np.zeros_like(b), b.copy()
    direction, rho = b.copy(), float(b @ b)
    for _ in range(1000):
        image = apply(direction)
        along = float(b @ image)
        if along == 0.0:
            break
        alpha = rho / along
        half = residual - alpha * image
        turned = apply(half)
        omega = float(turned @ half) / max(float(turned @ turned), 1e-300)
        x += alpha * direction + omega * half
        residual = half - omega * turned
        rho, before = float(b @ residual), rho
        if np.abs(residual).max() <= tolerance or omega == 0.0 or rho == 0.0 or not np.isfinite(rho):
            break
        direction = residual + (rho / before) * (alpha / omega) * (direction - omega * image)
    return x


def _towards_an_end(sums: Sums) -> tuple[np.ndarray, np.ndarray]:
    """Return the fewest steps in which an episode can end from each state (-1: it cannot), and an action that makes it possible."""
    on = np.bincount(sums.pair, weights=sums.weight, minlength=sums.S * sums.A).reshape(sums.S, sums.A)
    on = np.where(np.isfinite(sums.reward), on, 1.0)  # a forbidden action is no end
    distance = np.where(on.min(axis=1) < 1.0 - 1e-12, 1, -1)
    action = on.argmin(axis=1)
    for steps in range(2, sums.S + 1):
        spend(10 * len(sums.pair))
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
            spend(10 * len(state))
            new = state[reached[successor] & ~reached[state]]
            if not len(new):
                return reached
            reached[new] = True

    may_end = backwards(ends)
    return ~backwards(~may_end)
