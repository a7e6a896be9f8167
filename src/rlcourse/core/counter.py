"""`Counter`: a counter-based random generator, so that every copy of a world has a stream of its own, on the CPU and on a GPU.

Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): number n of stream k is a keyed scrambling of n.
There is no state but n itself, so a copy's numbers depend on its key alone, not on how many copies there are or which thread draws.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rlcourse.core.box import box, kernel

__all__ = ["Counter", "normal", "open_uniform", "philox", "shuffled", "stream_keys", "uniform"]

# everything is uint64 with 32 bits in use: a product of two such numbers fits, and no operation overflows
LOW, HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
MULTIPLIER_0, MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL_0, WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)  # added to the key after each round
SPARE, TOP = np.uint64(11), np.uint64(9)


@kernel
def philox(key, count):
    """Return the four words, each a uint64 below 2**32, of one block; key and count are integers below 2**63, the upper count is 0."""
    key, count = np.uint64(key), np.uint64(count)
    a, b, c, d = count & LOW, count >> HALF, np.uint64(0), np.uint64(0)
    k, m = key & LOW, key >> HALF
    for _ in range(10):
        first, second = MULTIPLIER_0 * a, MULTIPLIER_1 * c
        a, b, c, d = (second >> HALF) ^ b ^ k, second & LOW, (first >> HALF) ^ d ^ m, first & LOW
        k, m = (k + WEYL_0) & LOW, (m + WEYL_1) & LOW
    return a, b, c, d


@kernel
def uniform(key, count):
    """Return number `count` of stream `key`, uniform in [0, 1), of 53 bits."""
    a, b, _, _ = philox(key, count)
    return float(((a << HALF) | b) >> SPARE) * 2.0**-53


@kernel
def open_uniform(key, count):
    """Return number `count` of stream `key`, uniform in (0, 1), of 23 bits: neither end, also as a float32."""
    return (float(philox(key, count)[0] >> TOP) + 0.5) * 2.0**-23


@kernel
def normal(key, count):
    """Return number `count` of stream `key`, standard normal (Box & Muller 1958)."""
    a, b, c, d = philox(key, count)
    radius = math.sqrt(-2.0 * math.log((float(((a << HALF) | b) >> SPARE) + 0.5) * 2.0**-53))
    return radius * math.cos(2.0 * math.pi * (float(((c << HALF) | d) >> SPARE) * 2.0**-53))


@kernel
def shuffled(i, n, key, count):
    """Return where i goes in permutation `count` of stream `key` of 0..n-1, without making the others.

    A Feistel network is a permutation of a power of four; numbers beyond n go round again, which leaves a permutation of n (Black &
    Rogaway 2002, cycle walking; used for shuffling on GPUs by Mitchell et al. 2022).
    """
    half = 4  # of fewer bits a Feistel network makes too few of the permutations
    while (1 << (2 * half)) < n:
        half += 1
    width, mask = np.uint64(half), np.uint64((1 << half) - 1)
    words = philox(key, count)
    x = np.uint64(i)
    while True:
        left, right = x >> width, x & mask
        for turn in range(8):
            mixed = (right ^ words[turn & 3]) & LOW
            mixed = ((mixed ^ (mixed >> np.uint64(16))) * np.uint64(0x45D9F3B)) & LOW
            mixed = ((mixed ^ (mixed >> np.uint64(15)) ^ np.uint64(turn)) * np.uint64(0x45D9F3B)) & LOW
            left, right = right, (left ^ (mixed >> np.uint64(7))) & mask
        x = (left << width) | right
        if x < np.uint64(n):
            return int(x)


class Counter(NamedTuple):
    """The generator of copy `i`: what a world draws from where every copy has a stream of its own.

    Attributes
    ----------
    keys : ndarray of int64, shape [N]
        The streams, see `stream_keys`.
    counts : ndarray of int64, shape [N]
        How many numbers each has drawn; moved in place.
    i : int
    """

    keys: np.ndarray
    counts: np.ndarray
    i: int

    def random(self):
        """Return a number uniform in [0, 1)."""
        count = self.counts[self.i]
        self.counts[self.i] = count + 1
        return uniform(self.keys[self.i], count)

    def standard_normal(self):
        """Return a standard normal number."""
        count = self.counts[self.i]
        self.counts[self.i] = count + 1
        return normal(self.keys[self.i], count)


@box
def _fill_keys(seed, keys):
    for i in range(len(keys)):
        a, b, _, _ = philox(seed, i)
        keys[i] = np.int64(((a << HALF) | b) >> np.uint64(1))


def stream_keys(seed: int, purpose: int, n: int) -> np.ndarray:
    """Return the keys of n streams, int64 [n]; key i depends on seed, purpose and i alone.

    Parameters
    ----------
    seed : int
        Of an agent.
    purpose : int
        Tells apart what one agent draws for: its copies, its actions, its batches.
    n : int
    """
    root = int(np.random.SeedSequence((seed, purpose)).generate_state(1, np.uint64)[0] >> np.uint64(1))
    keys = np.zeros(n, np.int64)
    _fill_keys(root, keys)
    return keys
