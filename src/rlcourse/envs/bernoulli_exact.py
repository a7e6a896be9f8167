"""What a Bernoulli bandit is worth: the Bayes-optimal player, and every rule that reads the counts, without simulation.

The means are uniform, so after s successes and f failures an arm's mean is Beta(s + 1, f + 1), and its next pull pays with probability
m = (s + 1) / (s + f + 2). The counts of all arms are all that a player can know: they are the state of a Markov decision process, whose
optimum is the best that any agent with any memory can reach (Bellman 1956; Duff 2002),

    V(counts) = max_a [ m_a (1 + V(counts after a success of a)) + (1 - m_a) V(counts after a failure of a) ],     V = 0 after n pulls.

Arms are exchangeable: states that differ only in the order of the arms are one, kept with its arms sorted, which leaves 3,519 of them for
5 arms and 10 pulls. What a rule earns by the counts alone follows from the same table, forwards: the probability of every state.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

__all__ = ["Level", "bayes_rewards", "bayes_value", "greedy", "levels", "optimal_arms", "posterior_means", "rewards_of", "thompson", "ucb1"]

Rule = Callable[[np.ndarray], np.ndarray]  # counts [S, k, 2] -> probability of each arm [S, k]


class Level(NamedTuple):
    """The states after so many pulls.

    Attributes
    ----------
    counts : ndarray of int64, shape [S, k, 2]
        Successes and failures of each arm, arms sorted.
    keys : ndarray of int64, shape [S]
        Their numbers, increasing.
    after : ndarray of int64, shape [S, k, 2]
        Which state of the next level follows a success, a failure of each arm; empty after the last pull.
    """

    counts: np.ndarray
    keys: np.ndarray
    after: np.ndarray


def posterior_means(counts: np.ndarray) -> np.ndarray:
    """Return the probability that each arm's next pull pays, shape [..., k], from successes and failures [..., k, 2]."""
    means: np.ndarray = (counts[..., 0] + 1.0) / (counts.sum(axis=-1) + 2.0)
    return means


def _numbers(counts: np.ndarray) -> np.ndarray:
    """Return a number for what is known of each arm, shape [..., k]: 0 for an arm never pulled, then by pulls, then by successes."""
    pulls = counts.sum(axis=-1)
    numbers: np.ndarray = pulls * (pulls + 1) // 2 + counts[..., 0]
    return numbers


def _keys(counts: np.ndarray, n: int) -> np.ndarray:
    """Return one number for each state, whatever the order of its arms, shape [...]."""
    base, k = (n + 1) * (n + 2) // 2, counts.shape[-2]
    return np.sort(_numbers(counts), axis=-1) @ base ** np.arange(k)


@functools.cache
def levels(k: int, n: int) -> tuple[Level, ...]:
    """Return the states of k arms after 0, 1, ..., n pulls.

    Raises
    ------
    ValueError
        Where there are too many to number.
    """
    if k < 1 or n < 1:
        raise ValueError(f"k and n must be at least 1, not {k} and {n}")
    if ((n + 1) * (n + 2) // 2) ** k >= 2**63:
        raise ValueError(f"{k} arms and {n} pulls are too many for an exact value: take fewer of them")
    found, counts = [], np.zeros((1, k, 2), np.int64)
    for _ in range(n):
        following = counts[:, None, None] + np.eye(2 * k, dtype=np.int64).reshape(k, 2, k, 2)  # [S, k, 2, k, 2]
        keys, first, after = np.unique(_keys(following, n), return_index=True, return_inverse=True)
        found.append(Level(counts, _keys(counts, n), after.reshape(-1, k, 2)))
        counts = following.reshape(-1, k, 2)[first]
        order = np.argsort(_numbers(counts), axis=-1)
        counts = np.take_along_axis(counts, order[..., None], axis=1)
    return (*found, Level(counts, keys, np.zeros((0, k, 2), np.int64)))


@functools.cache
def _values(k: int, n: int) -> tuple[np.ndarray, ...]:
    """Return the optimal value of every state, one array [S] per level."""
    values = [np.zeros(len(levels(k, n)[n].keys))]
    for level in reversed(levels(k, n)[:n]):
        values.append(_action_values(level, values[-1]).max(axis=1))
    return tuple(reversed(values))


def _action_values(level: Level, following: np.ndarray) -> np.ndarray:
    """Return what each arm is worth, shape [S, k], from the values of the next level."""
    means = posterior_means(level.counts)
    worth: np.ndarray = means * (1.0 + following[level.after[..., 0]]) + (1.0 - means) * following[level.after[..., 1]]
    return worth


def bayes_value(k: int = 5, n: int = 10) -> float:
    """Return the expected reward of n pulls of k arms under optimal play: 6.66 of 10 for 5 arms."""
    return float(_values(k, n)[0][0])


def optimal_arms(counts: np.ndarray, n: int) -> np.ndarray:
    """Return which arms are optimal to pull next, bool [S, k], ties included, where n pulls are made in all.

    Parameters
    ----------
    counts : ndarray of int, shape [S, k, 2]
        Successes and failures, arms in any order; every state after the same number of pulls, fewer than n.
    n : int
    """
    k, pulled = counts.shape[1], int(counts[0].sum())
    following = counts[:, None, None] + np.eye(2 * k, dtype=np.int64).reshape(k, 2, k, 2)
    after = np.searchsorted(levels(k, n)[pulled + 1].keys, _keys(following, n))
    worth = _action_values(Level(counts, _keys(counts, n), after), _values(k, n)[pulled + 1])
    best: np.ndarray = worth >= worth.max(axis=1, keepdims=True) - 1e-12
    return best


def rewards_of(rule: Rule, k: int = 5, n: int = 10) -> np.ndarray:
    """Return the expected reward of each of n pulls, shape [n], where a rule chooses by the counts.

    Parameters
    ----------
    rule : callable
        ``rule(counts [S, k, 2]) -> probability of each arm [S, k]``; it treats arms of the same counts alike.
    k, n : int
    """
    rewards = np.zeros(n)
    share: np.ndarray = np.ones(1)  # probability of every state of the level
    for t, level in enumerate(levels(k, n)[:n]):
        means = posterior_means(level.counts)
        pulled = share[:, None] * rule(level.counts)
        rewards[t] = (pulled * means).sum()
        outcomes = np.stack([pulled * means, pulled * (1.0 - means)], axis=-1)  # [S, k, 2]
        share = np.bincount(level.after.ravel(), outcomes.ravel(), len(levels(k, n)[t + 1].keys))
    return rewards


def bayes_rewards(k: int = 5, n: int = 10) -> np.ndarray:
    """Return the expected reward of each pull under optimal play that breaks ties evenly, shape [n]; the sum is `bayes_value`."""
    return rewards_of(lambda counts: evenly(optimal_arms(counts, n)), k, n)


def evenly(chosen: np.ndarray) -> np.ndarray:
    """Return the probability of each arm, [S, k], where the chosen ones share it."""
    shares: np.ndarray = chosen / chosen.sum(axis=1, keepdims=True)
    return shares


def greedy(counts: np.ndarray) -> np.ndarray:
    """Pull the arm of the greatest posterior mean, ties broken evenly: a rule for `rewards_of`."""
    means = posterior_means(counts)
    return evenly(means >= means.max(axis=1, keepdims=True) - 1e-12)


def ucb1(counts: np.ndarray, c: float = 2.0**0.5) -> np.ndarray:
    """Pull every arm once, then where the share of successes plus c sqrt(ln t / N(a)) is greatest, t pulls made (Auer et al. 2002)."""
    pulls = counts.sum(axis=-1)
    bonus = c * np.sqrt(np.log(np.maximum(pulls.sum(axis=1, keepdims=True), 1)) / np.maximum(pulls, 1))
    index = np.where(pulls == 0, np.inf, counts[..., 0] / np.maximum(pulls, 1) + bonus)
    return evenly(index >= index.max(axis=1, keepdims=True) - 1e-12)


def thompson(counts: np.ndarray) -> np.ndarray:
    """Pull the arm whose draw from its posterior is the greatest (Thompson 1933): the probability of each to be that arm.

    It is the integral of the arm's density times the other arms' distribution functions, a polynomial, which Gauss's quadrature
    with enough points integrates exactly.
    """
    k, pulls = counts.shape[1], int(counts.sum(axis=(1, 2)).max(initial=0))
    nodes, weights = np.polynomial.legendre.leggauss((pulls + k + 1) // 2 + 1)
    x = (nodes + 1.0) / 2.0
    s, f = counts[..., 0], counts[..., 1]
    density, below = _beta(int(s.max(initial=0)), int(f.max(initial=0)), x)
    under = below[s, f]  # [S, k, points]
    chances = np.empty(counts.shape[:2])
    for a in range(k):
        others = np.delete(under, a, axis=1).prod(axis=1)
        chances[:, a] = (density[s[:, a], f[:, a]] * others) @ weights / 2.0
    return chances


def _beta(successes: int, failures: int, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return density and distribution function of Beta(s + 1, f + 1) at points x, [successes + 1, failures + 1, points] each."""
    s, f = np.mgrid[: successes + 1, : failures + 1]
    log_factorial = np.array([math.lgamma(i + 1.0) for i in range(successes + failures + 2)])  # 171! is no longer a float64
    scale = (log_factorial[s + f + 1] - log_factorial[s] - log_factorial[f])[..., None]
    density = np.exp(scale + s[..., None] * np.log(x) + f[..., None] * np.log1p(-x))
    below = np.zeros_like(density)
    below[0] = 1.0 - (1.0 - x) ** (f[0] + 1)[:, None]
    for i in range(1, successes + 1):
        below[i] = below[i - 1] - density[i - 1] * x * (1.0 - x) / i  # one success more: integration by parts
    return density, below
