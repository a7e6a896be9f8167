"""Vectors of states, from where random actions lead and without any reward: a basis for the values of whatever is asked for later.

* `state2vec` takes episodes for sentences and states for words: skip-gram with negative sampling (`rlcourse.core.skip_gram`; Madjiheurem
  & Toni 2019). It needs experience only.
* `proto_value_functions` are the smoothest functions on the graph of a world: eigenvectors of its Laplacian L = D - W of the smallest
  eigenvalues, W(s, s') being how likely a random action leads from one to the other (Mahadevan & Maggioni 2007).
* `successor_vectors` are the singular vectors of the largest singular values of the successor representation M = (I - gamma P)^-1, the
  discounted visits to come under random actions (Dayan 1993).

The last two are computed from the exact model. Where every step can be undone by one as likely, P = I - L, M has the eigenvectors of
L, and both span the same values. All are tables [S, d], for the `features` of a linear agent.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.core import exact, exact_linear, spaces
from rlcourse.core.arguments import checked, number
from rlcourse.core.config import Count, whole
from rlcourse.core.gymworld import as_world
from rlcourse.core.observed import observed
from rlcourse.core.skip_gram import train
from rlcourse.core.walks import uniform_walk
from rlcourse.core.word_vectors import WordVectors

__all__ = ["proto_value_functions", "state2vec", "successor_vectors"]


def state2vec(env: Any, *, steps: int = 60_000, limit: int | None = None, seed: int = 0, **settings: Any) -> WordVectors:
    """Learn a vector for each state from episodes of uniformly random actions.

    Parameters
    ----------
    env : World, Env or str
        With finite observations and actions.
    steps : int
        States to meet, the first of each episode included.
    limit : int, optional
        Steps of an episode at most; that of the environment where None.
    seed : int
        Of the walk, and of what is learned from it.
    **settings
        Of `rlcourse.core.skip_gram.SkipGramConfig`; here `vector_size` is 16 and `epochs` 3 by default.

    Returns
    -------
    WordVectors
        Its `vectors` [S, d] are the table; rows of states that were never met are zero.
    """
    world, own = as_world(env)
    world = observed(world)
    if not (spaces.is_finite(world.observation_space) and spaces.is_finite(world.action_space)):
        raise ValueError(f"state2vec needs finitely many observations and actions, not {world.observation_space}, {world.action_space}")
    steps, seed = whole("steps", steps, 2), whole("seed", seed, 0)
    limit = None if limit is None else whole("limit", limit, 1)
    states, begins = np.zeros(steps, np.int64), np.zeros(steps, np.bool_)
    rng = np.random.default_rng(seed)
    uniform_walk(world, spaces.size(world.action_space), limit or own or 0, states, begins, rng)
    episodes = np.split(states, np.flatnonzero(begins)[1:])
    return train(episodes, spaces.size(world.observation_space), **{"vector_size": 16, "epochs": 3, "seed": seed} | settings)


@checked
def proto_value_functions(env: Any, size: Count) -> np.ndarray:
    """Return the smoothest functions on the graph of a finite model, shape [S, size], orthonormal; the first is constant.

    States that nothing joins to the start have rows of zeros.
    """
    m = exact.model(env)
    S, A, K = m.successor.shape
    P = np.zeros((S, S))
    np.add.at(P, (np.repeat(np.arange(S), A * K), m.successor.ravel()), m.probability.ravel() / A)
    W = (P + P.T) / 2
    np.fill_diagonal(W, 0.0)
    inside = _joined(W, np.diff(m.start, prepend=0.0) > 0)
    W = W[np.ix_(inside, inside)]
    return _rows(np.linalg.eigh(np.diag(W.sum(axis=1)) - W)[1], inside, size)


@checked
def successor_vectors(env: Any, size: Count, gamma: float) -> np.ndarray:
    """Return the leading left singular vectors of the successor representation of random actions, shape [S, size], orthonormal.

    States that random actions never meet have rows of zeros.
    """
    m = exact.model(env)
    S, A, _ = m.successor.shape
    P, _, start = exact_linear.chain(m, np.full((S, A), 1.0 / A))
    met = _joined(P, start > 0)
    M = np.linalg.inv(np.eye(int(met.sum())) - number("gamma", gamma, 0.0, 1.0) * P[np.ix_(met, met)])
    return _rows(np.linalg.svd(M)[0], met, size)


def _joined(W: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Return which states can be reached along W from those that were found, booleans [S]."""
    while True:
        more = found | (W[found] > 0).any(axis=0)
        if np.array_equal(more, found):
            return np.asarray(found)
        found = more


def _rows(U: np.ndarray, inside: np.ndarray, size: int) -> np.ndarray:
    if size > len(U):
        raise ValueError(f"size must be within 1..{len(U)}, the number of states that are met, not {size}")
    table = np.zeros((len(inside), size))
    table[inside] = U[:, :size]
    return table
