"""Tile coding with an index hash table: memory only for tiles that have been met (Sec. 9.5.4, hashing).

A grid over k coordinates has exponentially many tiles, and a task visits few. The convention is that of the tile coding software that the
book uses: coordinates f are in units of a tile, q = floor(f tilings), and tiling t holds the tile

    (t, (q_1 + t) // tilings, (q_2 + 3 t) // tilings, (q_3 + 5 t) // tilings, ..., whole numbers such as the action)

Tiles are numbered in the order in which they are first met. When the table is full, further ones share numbers by a hash of their
coordinates, and are counted. Predictions only read: a tile not met before has no feature.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from rlcourse.core.arguments import numbers
from rlcourse.core.box import kernel
from rlcourse.core.config import whole as whole_number
from rlcourse.core.linear import coordinate
from rlcourse.features.ranges import MOST, each, range_of, require_few, truths, whole_numbers

__all__ = ["HashedPairTiles", "HashedTiles"]

PRIME = 2**31 - 1  # products with FACTOR stay below 2^53: the same in Python and compiled
FACTOR = 1_000_003


class HashedTiles(NamedTuple):
    """Tile coding of states, with a table of a fixed size.

    Attributes
    ----------
    low : ndarray of float64, shape [k]
        Where each coordinate's first tile of the first tiling begins.
    scale : ndarray of float64, shape [k]
        Tiles per unit of each coordinate.
    wrap : ndarray of int64, shape [k]
        After how many tiles a coordinate begins again; 0 is never.
    tilings, whole : int
        Number of tilings; how many further numbers of a state are whole ones, not tiled.
    keys : ndarray of int64, shape [size, 3 + k + whole]
        The tiles met so far: their hash, tiling, coordinates, whole numbers, action.
    slots : ndarray of int64, shape [capacity]
        Open addressing: rows of `keys`, -1 where free.
    counts : ndarray of int64, shape [2]
        Tiles met; look-ups that found the table full.
    read_only : bool
        Whether unknown tiles have no feature, instead of being entered.
    """

    low: np.ndarray
    scale: np.ndarray
    wrap: np.ndarray
    tilings: int
    whole: int
    keys: np.ndarray
    slots: np.ndarray
    counts: np.ndarray
    read_only: bool

    @classmethod
    def of(
        cls,
        low: Any,
        high: Any,
        tiles: int | Sequence[int] = 8,
        tilings: int = 8,
        size: int = 4096,
        wrap: Any = False,
        whole: int = 0,
        actions: int = 0,
    ) -> Any:
        """Make tile coding of a box; coordinates may leave it.

        Parameters
        ----------
        low, high, tiles, tilings
            As in `Tiles.of`.
        size : int
            Tiles that fit into the table, and number of features.
        wrap : bool or sequence of bool
            Which coordinates begin again at the high end of their range.
        whole : int
            How many further numbers of a state, behind those in the box, are whole ones.
        actions : int
            Where it is not 0, features are those of pairs of states and actions.

        Returns
        -------
        HashedTiles or HashedPairTiles

        Raises
        ------
        ValueError
            For an empty or infinite range, fewer than one tile or tiling, or a table without room.
        """
        lows, highs = range_of(low, high)
        counts = whole_numbers("tiles", tiles, len(lows))
        around = np.where(truths("wrap", wrap, len(lows)), counts, 0)
        return cls.scaled(counts / (highs - lows), tilings, size, around, whole, actions, lows)

    @classmethod
    def scaled(cls, scale: Any, tilings: int = 8, size: int = 4096, wrap: Any = 0, whole: int = 0, actions: int = 0, low: Any = 0.0) -> Any:
        """Make tile coding with so many tiles per unit of each coordinate; `wrap` is a number of tiles, the rest as in `of`."""
        factors = numbers("scale", scale, ("k",))
        k = len(factors)
        if not k or not np.all(factors > 0):
            raise ValueError(f"scale must be positive tiles per unit of each coordinate, not {scale!r:.60}")
        for name, number, least in (("tilings", tilings, 1), ("size", size, 1), ("whole", whole, 0), ("actions", actions, 0)):
            whole_number(name, number, least, MOST)
        require_few(size * (3 + k + whole) // 8)  # numbers that the table holds
        require_few(tilings * max(actions, 1))
        lows = each("low", low, k)
        around = whole_numbers("wrap", wrap, k, least=0)
        capacity = 2 ** math.ceil(math.log2(2 * size))
        keys, slots = np.zeros((size, 3 + k + whole), np.int64), np.full(capacity, -1)
        tiles = cls(lows, factors, around, int(tilings), int(whole), keys, slots, np.zeros(2, np.int64), False)
        return HashedPairTiles(tiles, int(actions)) if actions else tiles

    @property
    def size(self) -> int:
        """Number of features: of tiles that fit into the table."""
        return len(self.keys)

    @property
    def coordinates(self) -> int:
        """Numbers of a state that are read."""
        return len(self.scale) + self.whole

    @property
    def used(self) -> int:
        """Tiles met so far."""
        return int(self.counts[0])

    @property
    def collisions(self) -> int:
        """Look-ups that found the table full, and a tile not in it."""
        return int(self.counts[1])

    def x(self, state):
        """Return the active tile of each tiling, int64 [tilings]."""
        return self.indices(state, -1)

    def indices(self, state, action):
        """Return the active tile of each tiling for a state and an action, int64 [tilings]; action -1 is none."""
        k = len(self.scale)
        active = np.empty(self.tilings, np.int64)
        key = np.zeros(self.keys.shape[1], np.int64)
        key[-1] = action
        for i in range(self.whole):
            key[2 + k + i] = int(coordinate(state, k + i))
        for t in range(self.tilings):
            key[1] = t
            for i in range(k):
                q = math.floor((coordinate(state, i) - self.low[i]) * self.scale[i] * self.tilings)
                tile = (q + t * (2 * i + 1)) // self.tilings
                key[2 + i] = tile % self.wrap[i] if self.wrap[i] > 0 else tile
            active[t] = look_up(key, self.keys, self.slots, self.counts, self.read_only)
        return active


class HashedPairTiles(NamedTuple):
    """Hashed tile coding of states with the action as a further coordinate: all actions share one table and one vector of weights.

    Attributes
    ----------
    tiles : HashedTiles
    actions : int
        Number of actions.
    """

    tiles: HashedTiles
    actions: int

    @property
    def size(self) -> int:
        """Number of features: of tiles that fit into the table."""
        return self.tiles.size

    @property
    def coordinates(self) -> int:
        """Numbers of a state that are read."""
        return self.tiles.coordinates

    def x(self, state):
        """Return the active tiles of each action, int64 [A, tilings]."""
        rows = np.empty((self.actions, self.tiles.tilings), np.int64)
        for a in range(self.actions):
            rows[a] = self.tiles.indices(state, a)
        return rows


@kernel
def look_up(key, keys, slots, counts, read_only):
    """Return the number of a tile, entering it where it is new and there is room; -1 where it is new and must not be entered.

    Parameters
    ----------
    key : ndarray of int64
        Place 0 is free for the hash.
    keys, slots, counts
        See `HashedTiles`; changed where a tile is entered.
    """
    mixed = 0
    for i in range(1, len(key)):
        mixed = (mixed * FACTOR + key[i] % PRIME) % PRIME
    key[0] = mixed
    slot = (mixed ^ (mixed >> 16)) % len(slots)
    while slots[slot] >= 0:
        found = slots[slot]
        same = True
        for i in range(len(key)):
            if keys[found, i] != key[i]:
                same = False
                break
        if same:
            return found
        slot = (slot + 1) % len(slots)
    if counts[0] >= len(keys):
        if not read_only:
            counts[1] += 1
        return mixed % len(keys)
    if read_only:
        return -1
    number = counts[0]
    for i in range(len(key)):
        keys[number, i] = key[i]
    slots[slot] = number
    counts[0] += 1
    return number
