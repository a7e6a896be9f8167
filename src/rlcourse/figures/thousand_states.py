"""The 1000-state random walk as the figures of chapter 9 use it: features as tables, exact values, and errors of weights."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from rlcourse.core import exact, exact_linear
from rlcourse.core.runs import Runs
from rlcourse.envs import ThousandStates
from rlcourse.features import Aggregation, Fourier, Polynomial, TableFeatures

__all__ = [
    "POLICY",
    "STATES",
    "WALK",
    "errors",
    "expected_weights",
    "fourier",
    "groups",
    "learned",
    "matrix",
    "polynomial",
    "tilings",
    "truth",
]

WALK, POLICY, STATES = ThousandStates(), np.full(2, 0.5), 1000


@functools.cache
def truth() -> tuple[np.ndarray, np.ndarray]:
    """Return the true values and the expected visits per episode of the states, each of shape [1000]."""
    policy = np.full((STATES + 2, 2), 0.5)
    return exact.v_pi(WALK, policy, 1.0)[:STATES], exact_linear.visits(WALK, policy)[:STATES]


def groups(n: int) -> TableFeatures:
    """Return state aggregation into n groups."""
    return _table([Aggregation.of(STATES, n).x(s) for s in range(STATES)], -1)


def polynomial(order: int) -> TableFeatures:
    """Return polynomials up to an order, of the state's number divided by 1000."""
    basis = Polynomial.of([-1.0], [STATES - 1.0], order)
    return _table([basis.x(float(s)) for s in range(STATES)], 0.0)


def fourier(order: int) -> TableFeatures:
    """Return the Fourier cosine basis of an order, of the state's number divided by 1000."""
    basis = Fourier.of([-1.0], [STATES - 1.0], order)
    return _table([basis.x(float(s)) for s in range(STATES)], 0.0)


def tilings(n: int, width: int = 200, offset: int = 4) -> TableFeatures:
    """Return n tilings with tiles of `width` states, each shifted by `offset` states to the last one."""
    tiles = 1 + (STATES - 1 + offset * (n - 1)) // width
    return _table([[j * tiles + (s + offset * j) // width for j in range(n)] for s in range(STATES)], -1)


def matrix(features: TableFeatures) -> np.ndarray:
    """Return the features of the states as rows, shape [1000, d]."""
    return exact_linear.design_matrix(features, STATES + 2)[:STATES]


def learned(
    box: Any, features: TableFeatures, settings: Sequence[Any], runs: int, episodes: int, every: int, rng: np.random.Generator
) -> np.ndarray:
    """Return the weights that a box of state values learns from zero, before the first and after each `every`-th episode.

    Parameters
    ----------
    box : Box
        ``box(world, policy, features, w, *settings, rng)``.
    features : TableFeatures
    settings : sequence
        Such as step size and discount rate.
    runs, episodes, every : int
    rng : Generator

    Returns
    -------
    ndarray, shape [runs, episodes // every + 1, d]
    """
    trial = Runs.of(WALK, runs, episodes, [np.zeros(features.size)], every=every)
    box(trial, POLICY, features, *trial.tables((features.size,)), *settings, rng)
    return trial.copies()


def errors(weights: np.ndarray, X: np.ndarray, share: np.ndarray | None = None) -> np.ndarray:
    """Return the root of the value error of weights [..., d] with features X [1000, d]; shape [...].

    States count as often as they are visited, or by `share` [1000].
    """
    v, eta = truth()
    root = np.sqrt(eta / eta.sum() if share is None else share)
    Q, R = np.linalg.qr(root[:, None] * X)
    aim = Q.T @ (root * v)
    beyond = float(np.sum((root * v - Q @ aim) ** 2))  # what no weights can reach
    return np.asarray(np.sqrt(np.sum((weights @ R.T - aim) ** 2, axis=-1) + beyond))


def expected_weights(A: np.ndarray, b: np.ndarray, alpha: float, episodes: Sequence[int]) -> np.ndarray:
    """Return the weights after numbers of episodes by the mean dynamics, shape [numbers, d]: learning without noise, for small step sizes.

    They are w <- w + alpha L (b - A w) once per episode of L steps on average, from zero.

    Parameters
    ----------
    A, b : ndarray
        Of `rlcourse.core.exact_linear.td_equations`, or of Monte Carlo (`equations`).
    alpha : float
    episodes : sequence of int
        Increasing.
    """
    length = float(truth()[1].sum())
    w, found, done = np.zeros(len(b)), [], 0
    for number in episodes:
        for _ in range(number - done):
            w = w + alpha * length * (b - A @ w)
        done = number
        found.append(w)
    return np.array(found)


def equations(features: TableFeatures, bootstrap: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return A [d, d] and b [d] of the expected update b - A w, of gradient Monte Carlo or of semi-gradient TD(0)."""
    return exact_linear.td_equations(WALK, np.full((STATES + 2, 2), 0.5), features, 1.0, lam=0.0 if bootstrap else 1.0)


def _table(rows: Any, beyond: float) -> TableFeatures:
    """Return features of the states, and nothing in the two terminal ones."""
    given = np.array(rows)
    return TableFeatures.of(np.vstack([given, np.full((2, given.shape[1]), beyond, given.dtype)]))
