"""Tile coding: several grids over the state, each shifted a little, one active tile in each (Sec. 9.5.4).

With n tilings a step size of 1 / (10 n) moves the estimate of a state by a tenth of the way to its target. A tiling has one tile more
per dimension than divide the range, because all but the first are shifted; an angle that wraps around needs none. Displacements by the odd
numbers 1, 3, 5, ... generalise more evenly than along the diagonal (Figure 9.11).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.config import Count
from rlcourse.core.linear import coordinate
from rlcourse.features.ranges import range_of, require_few, truths, whole_numbers

__all__ = ["Tiles"]


class Tiles(NamedTuple):
    """Asymmetrically shifted grids, without hashing.

    Attributes
    ----------
    low, high : ndarray of float64, shape [k]
        The range of each coordinate; beyond it the outermost tile counts, or the range begins again.
    tiles : ndarray of int64, shape [k]
        Tiles that divide the range.
    displacement : ndarray of int64, shape [k]
        Shift of each next tiling, in fractions 1 / tilings of a tile.
    wrap : ndarray of bool, shape [k]
        Whether the high end of the range is its low end, as with angles.
    tilings : int
    """

    low: np.ndarray
    high: np.ndarray
    tiles: np.ndarray
    displacement: np.ndarray
    wrap: np.ndarray
    tilings: int

    @classmethod
    @checked
    def of(
        cls, low: Any, high: Any, tiles: int | Sequence[int] = 8, tilings: Count = 8, displacement: Any = None, wrap: Any = False
    ) -> Tiles:
        """Make tile coding of a box.

        Parameters
        ----------
        low, high : sequence of float
            Ends of each coordinate's range.
        tiles : int or sequence of int
            Tiles that divide each range.
        tilings : int
            A power of two of at least four times the number of coordinates is recommended (Sec. 9.5.4).
        displacement : sequence of int, optional
            1, 3, 5, ... where None.
        wrap : bool or sequence of bool
            Which coordinates wrap around.

        Raises
        ------
        ValueError
            For an empty or infinite range, or fewer than one tile or tiling.
        """
        lows, highs = range_of(low, high)
        k = len(lows)
        counts = whole_numbers("tiles", tiles, k)
        shifts = 2 * np.arange(k) + 1 if displacement is None else whole_numbers("displacement", displacement, k, least=0)
        made = cls(lows, highs, counts, shifts, truths("wrap", wrap, k), int(tilings))
        require_few(made.size)
        return made

    @property
    def size(self) -> int:
        """Number of features: tilings times tiles of one tiling."""
        return self.tilings * math.prod((self.tiles + 1 - self.wrap).tolist())

    @property
    def coordinates(self) -> int:
        """Numbers of a state that are read."""
        return len(self.low)

    def x(self, state):
        """Return the active tile of each tiling, int64 [tilings]."""
        active = np.zeros(self.tilings, np.int64)
        for t in range(self.tilings):
            active[t] = t
        for i in range(len(self.low)):
            scaled = (coordinate(state, i) - self.low[i]) / (self.high[i] - self.low[i]) * self.tiles[i] * self.tilings
            if self.wrap[i]:
                q = math.floor(scaled)
                for t in range(self.tilings):
                    tile = ((q + t * self.displacement[i]) // self.tilings) % self.tiles[i]
                    active[t] = active[t] * self.tiles[i] + tile
            else:
                q = 0  # also of a number that is none, where learning has diverged
                if scaled > 0.0:
                    q = int(min(scaled, float(self.tiles[i] * self.tilings)))
                for t in range(self.tilings):
                    shifted = (q + (t * self.displacement[i]) % self.tilings) // self.tilings
                    active[t] = active[t] * (self.tiles[i] + 1) + min(shifted, self.tiles[i])
        return active
