"""How windows of consecutive steps are drawn from replay memories of many agents: a function of an index, see `rlcourse.core.kernels`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rlcourse.core.box import box, kernel
from rlcourse.core.counter import uniform
from rlcourse.core.kernels import Each

__all__ = ["WINDOWS", "Window"]


class Window(NamedTuple):
    """What `WINDOWS` writes: W steps of warming up, then T steps to learn from, B windows of each of S agents.

    The observations of a window are K = 2 T rows: behind a step whose episode a time limit cut comes the true successor, so that the
    successor of every step that bootstraps is the next row; so it is behind the last step. What no step uses is still an observation.

    Attributes
    ----------
    warm : ndarray of int64, shape [W, S, B]
        Slots, row * M + column.
    slots : ndarray of int64, shape [K, S, B]
    final : ndarray of bool, shape [K, S, B]
        Whether a row is the successor of its slot, and not the observation.
    warm_starts, starts : ndarray of bool, shape [W, S, B] and [K, S, B]
        Where an episode begins; not at the very first row, whose stored memory is empty already.
    steps, at, after : ndarray of int64, shape [T, S, B]
        The slot of each step, its row among the K, and that from whose value it bootstraps.
    rewards, discounts : ndarray of float32, shape [T, S, B]
        Discounted rewards of up to n steps, within episode and window; gamma to the number of steps, 0 after a termination.
    counted : ndarray of bool, shape [T, S, B]
        Steps that are part of the agent's experience.
    """

    warm: np.ndarray
    slots: np.ndarray
    final: np.ndarray
    warm_starts: np.ndarray
    starts: np.ndarray
    steps: np.ndarray
    at: np.ndarray
    after: np.ndarray
    rewards: np.ndarray
    discounts: np.ndarray
    counted: np.ndarray


@kernel
def draw_window(e, keys, drawn, stored, gamma, n, out):
    """Draw window e of a memory (`rlcourse.core.replay_kernels.Stored`) uniformly, with replacement: a row, then a copy of its agent."""
    T, S, B = out.at.shape
    W = len(out.warm)
    s, b = e // B, e % B
    R, M = stored.rewards.shape
    filled, N = stored.filled[0], M // S
    first = stored.newest[0] - filled + 1 + int(uniform(keys[s], drawn[s] + 2 * b) * (filled - W - T + 1))
    own = int(uniform(keys[s], drawn[s] + 2 * b + 1) * N)
    column = s * N + own
    for w in range(W):
        row = (first + w) % R
        out.warm[w, s, b] = row * M + column
        out.warm_starts[w, s, b] = w > 0 and stored.ended[(row - 1) % R, column]
    open_window(s, b, first + W, column, W == 0, stored, out)
    for t in range(T):
        row = (first + W + t) % R
        out.counted[t, s, b] = own < stored.counts[row]
    for t in range(T):
        follow_window(t, s, b, first + W, column, stored, gamma[s], n, out)


@kernel
def open_window(s, b, first, column, very_first, stored, out):
    """Write the rows of a window that begins at a row, true successors put in behind steps that a limit cut."""
    R, M = stored.rewards.shape
    K, T, j = len(out.slots), len(out.at), 0
    for t in range(T):
        row = (first + t) % R
        slot = row * M + column
        out.steps[t, s, b] = slot
        out.at[t, s, b] = j
        begins = stored.ended[(row - 1) % R, column] and not (very_first and t == 0)
        j = put_row(j, s, b, slot, False, begins, out)
        terminated = stored.terminated[row, column]
        if t == T - 1 or (stored.ended[row, column] and not terminated):
            j = put_row(j, s, b, slot, not terminated, False, out)
    while j < K:
        j = put_row(j, s, b, slot, False, True, out)


@kernel
def put_row(j, s, b, slot, final, starts, out):
    """Write row j of a window; return the next."""
    out.slots[j, s, b] = slot
    out.final[j, s, b] = final
    out.starts[j, s, b] = starts
    return j + 1


@kernel
def follow_window(t, s, b, first, column, stored, gamma, n, out):
    """Write return, discount and bootstrapping row of step t (Sutton & Barto, Section 7.1)."""
    R, T = len(stored.rewards), len(out.at)
    total, discount, last = 0.0, 1.0, t
    while True:
        row = (first + last) % R
        total += discount * stored.rewards[row, column]
        discount *= gamma
        if last - t + 1 == n or last == T - 1 or stored.ended[row, column] or not out.counted[last + 1, s, b]:
            break
        last += 1
    out.rewards[t, s, b] = total
    out.discounts[t, s, b] = 0.0 if stored.terminated[row, column] else discount
    out.after[t, s, b] = out.at[last, s, b] + 1


@box
def _draw_all(count, arguments):
    for e in range(count):
        draw_window(e, *arguments)


WINDOWS = Each(draw_window, _draw_all)
