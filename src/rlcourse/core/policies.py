"""Policies over a vector of action values. Ties break uniformly at random: ``argmax`` would bias early exploration.

An action that does not exist in a state has the value -inf: it is never taken, and no part of any mean.
"""

from __future__ import annotations

import math

import numpy as np

from rlcourse.core.box import kernel

__all__ = ["epsilon_greedy", "epsilon_greedy_probabilities", "expected_value", "greedy", "sample", "softmax", "uniform"]


@kernel
def greedy(values, rng):
    """Return the index of the largest value; ties break uniformly (reservoir sampling: one pass, no list)."""
    best = values[0]
    action = 0
    ties = 1
    for a in range(1, len(values)):
        if values[a] > best:
            best = values[a]
            action = a
            ties = 1
        elif values[a] == best:
            ties += 1
            if rng.random() * ties < 1.0:
                action = a
    return action


@kernel
def uniform(n, rng):
    """Return one of ``n`` actions uniformly."""
    return int(rng.random() * n)


@kernel
def epsilon_greedy(values, epsilon, rng):
    """Return a uniform action with probability epsilon, else a greedy one (Sec. 2.2)."""
    if rng.random() < epsilon:
        return _any(values, rng)
    return greedy(values, rng)


@kernel
def _any(values, rng):
    """Return one of the actions that exist, uniformly."""
    n = 0
    for a in range(len(values)):
        if values[a] != -math.inf:
            n += 1
    k = uniform(n, rng)
    for a in range(len(values)):
        if values[a] != -math.inf:
            if k == 0:
                return a
            k -= 1
    return 0


@kernel
def epsilon_greedy_probabilities(values, epsilon):
    """Return pi(a|s) of the epsilon-greedy policy, shape ``[A]``; greedy ties share their part equally (Sec. 5.4)."""
    n = 0
    best = values[0]
    ties = 0
    for a in range(len(values)):
        if values[a] != -math.inf:
            n += 1
        if values[a] > best:
            best = values[a]
            ties = 1
        elif values[a] == best:
            ties += 1
    probabilities = np.empty(len(values))
    for a in range(len(values)):
        probabilities[a] = epsilon / n if values[a] != -math.inf else 0.0
        if values[a] == best:
            probabilities[a] += (1.0 - epsilon) / ties
    return probabilities


@kernel
def expected_value(values, epsilon):
    """Return sum_a pi(a|s) Q(s, a) of the epsilon-greedy policy: greedy ties share their part, so it is the maximum with 1 - epsilon.

    Summed in order: `numpy.mean` sums eight and more values in another order, and compiled code would differ in the last bit.
    """
    best = values[0]
    total = 0.0
    n = 0
    for a in range(len(values)):
        best = max(best, values[a])
        if values[a] != -math.inf:
            total += values[a]
            n += 1
    return (1.0 - epsilon) * best + epsilon * total / n


@kernel
def softmax(preferences, temperature):
    """Return the Gibbs distribution over preferences, shape ``[A]`` (Eq. 2.11 at temperature 1).

    In order and by ``math.exp``, as in `expected_value`: numpy's `sum` and `exp` differ from compiled code in the last bit.
    """
    largest = np.max(preferences)
    probabilities = np.empty(len(preferences))
    total = 0.0
    for a in range(len(preferences)):
        probabilities[a] = math.exp((preferences[a] - largest) / temperature)
        total += probabilities[a]
    for a in range(len(preferences)):
        probabilities[a] /= total
    return probabilities


@kernel
def sample(probabilities, rng):
    """Return an index drawn from probabilities, shape ``[A]``; rounding never draws one of probability zero."""
    u = rng.random()
    total = 0.0
    last = 0
    for a in range(len(probabilities)):
        if probabilities[a] > 0.0:
            last = a
            total += probabilities[a]
            if u < total:
                return a
    return last
