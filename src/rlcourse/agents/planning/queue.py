"""A queue of pairs by priority, as prioritized sweeping needs it: a binary heap in arrays, the same at both speeds.

A pair is numbered A * state + action and is in the queue at most once, with the highest priority that it was inserted with. Inserting
and taking the first one cost of the order of log(size).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rlcourse.core.box import kernel

__all__ = ["PriorityQueue"]

SIZE, TAKEN = range(2)  # slots of `tally`


class PriorityQueue(NamedTuple):
    """The queue; boxes call its methods at both speeds.

    Attributes
    ----------
    heap : ndarray of int64, shape [pairs]
        Pairs; the one in slot i has at least the priority of those in 2 i + 1 and 2 i + 2.
    slot : ndarray of int64, shape [pairs]
        Where a pair is in the heap; -1 for nowhere.
    priority : ndarray of float64, shape [pairs]
        Of the pairs in the heap.
    tally : ndarray of int64, shape [2]
        Pairs in the heap, and pairs taken from it since it was made.
    """

    heap: np.ndarray
    slot: np.ndarray
    priority: np.ndarray
    tally: np.ndarray

    @classmethod
    def of(cls, pairs: int) -> PriorityQueue:
        """Make an empty queue for so many different pairs."""
        return cls(np.zeros(pairs, np.int64), np.full(pairs, -1), np.zeros(pairs), np.zeros(2, np.int64))

    def insert(self, pair, priority):
        """Insert a pair, or raise its priority; one that is in the queue with a higher priority stays as it is."""
        if self.slot[pair] < 0:
            self.slot[pair] = self.tally[SIZE]
            self.heap[self.tally[SIZE]] = pair
            self.tally[SIZE] += 1
        elif priority <= self.priority[pair]:
            return
        self.priority[pair] = priority
        rise(self.heap, self.slot, self.priority, self.slot[pair])

    def is_empty(self):
        """Whether no pair is in the queue."""
        return self.tally[SIZE] == 0

    def take_first(self):
        """Take out the pair of highest priority; the queue must not be empty."""
        pair = self.heap[0]
        self.tally[SIZE] -= 1
        self.tally[TAKEN] += 1
        moved = self.heap[self.tally[SIZE]]
        self.heap[0] = moved
        self.slot[moved] = 0
        self.slot[pair] = -1
        sink(self.heap, self.slot, self.priority, self.tally[SIZE])
        return int(pair)


@kernel
def rise(heap, slot, priority, i):
    """Move the pair in slot i up to its place."""
    pair = heap[i]
    while i > 0 and priority[pair] > priority[heap[(i - 1) // 2]]:
        heap[i] = heap[(i - 1) // 2]
        slot[heap[i]] = i
        i = (i - 1) // 2
    heap[i] = pair
    slot[pair] = i


@kernel
def sink(heap, slot, priority, size):
    """Move the pair in slot 0 down to its place in a heap of this size."""
    if size == 0:
        return
    pair = heap[0]
    i = 0
    while 2 * i + 1 < size:
        larger = 2 * i + 1
        if larger + 1 < size and priority[heap[larger + 1]] > priority[heap[larger]]:
            larger += 1
        if priority[heap[larger]] <= priority[pair]:
            break
        heap[i] = heap[larger]
        slot[heap[i]] = i
        i = larger
    heap[i] = pair
    slot[pair] = i
