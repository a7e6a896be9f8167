"""How transitions are drawn from the replay memories of many agents: a function of an index, see `rlcourse.core.kernels`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rlcourse.core.box import box, kernel
from rlcourse.core.counter import uniform
from rlcourse.core.kernels import Each

__all__ = ["FOLLOW", "SAMPLE", "Sampled", "Stored"]


class Stored(NamedTuple):
    """What `SAMPLE` reads of a replay memory of R rows of M = S * N transitions.

    Attributes
    ----------
    newest, filled : ndarray of int64, shape [1]
        The row that was written last, and how many rows hold something.
    counts : ndarray of int64, shape [R]
        How many transitions of each agent a row holds, its first ones: N, or fewer where a budget ended within it.
    rewards : ndarray of float32, shape [R, M]
    terminated, ended : ndarray of bool, shape [R, M]
    """

    newest: np.ndarray
    filled: np.ndarray
    counts: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray
    ended: np.ndarray


class Sampled(NamedTuple):
    """What `SAMPLE` writes, all of shape [S, B]: transitions of up to n steps.

    Attributes
    ----------
    first, last : ndarray of int64
        Slots, row * M + column, of the first and of the last step.
    rewards, discounts : ndarray of float32
        Discounted sum of the rewards; gamma to the number of steps, 0 after a termination.
    """

    first: np.ndarray
    last: np.ndarray
    rewards: np.ndarray
    discounts: np.ndarray


@kernel
def sample_transition(e, keys, drawn, stored, gamma, n, out):
    """Draw transition e uniformly, with replacement: a row, then one of its transitions of this agent."""
    S, B = out.first.shape
    s, b = e // B, e % B
    R, M = stored.rewards.shape
    newest = stored.newest[0]
    age = int(uniform(keys[s], drawn[s] + 2 * b) * stored.filled[0])
    row = (newest - age) % R
    own = int(uniform(keys[s], drawn[s] + 2 * b + 1) * stored.counts[row])
    out.first[s, b] = row * M + s * (M // S) + own
    follow(s, b, row, own, stored, gamma[s], n, out)


@kernel
def follow_transition(e, stored, gamma, n, out):
    """Write what follows from the first slot of transition e."""
    S, B = out.first.shape
    s, b = e // B, e % B
    M = stored.rewards.shape[1]
    slot = out.first[s, b]
    follow(s, b, slot // M, slot % M - s * (M // S), stored, gamma[s], n, out)


@kernel
def follow(s, b, row, own, stored, gamma, n, out):
    """Write reward, discount and last slot of up to n steps: they end with their episode, at the newest row, and before a gap."""
    R, M = stored.rewards.shape
    column = s * (M // len(out.first)) + own
    total, discount, taken = 0.0, 1.0, 0
    while True:
        total += discount * stored.rewards[row, column]
        discount *= gamma
        taken += 1
        after = (row + 1) % R
        if taken == n or stored.ended[row, column] or row == stored.newest[0] or own >= stored.counts[after]:
            break
        row = after
    out.last[s, b] = row * M + column
    out.rewards[s, b] = total
    out.discounts[s, b] = 0.0 if stored.terminated[row, column] else discount


@box
def _sample_all(count, arguments):
    for e in range(count):
        sample_transition(e, *arguments)


@box
def _follow_all(count, arguments):
    for e in range(count):
        follow_transition(e, *arguments)


SAMPLE, FOLLOW = Each(sample_transition, _sample_all), Each(follow_transition, _follow_all)
