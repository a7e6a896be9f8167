"""Tilings that are no grids: stripes along any direction, of any widths (Figure 9.12).

Where one thinks that a function changes along some direction, or more quickly at one end, stripes promote generalisation along the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from rlcourse.core.arguments import checked, numbers
from rlcourse.core.linear import coordinate

__all__ = ["Stripes"]


class Stripes(NamedTuple):
    """Tilings by parallel cuts: the tile of a state is how many cuts lie below d . s.

    Attributes
    ----------
    directions : ndarray of float64, shape [T, k]
        The direction d across the stripes of each tiling.
    cuts : ndarray of float64, shape [T, most]
        Where each tiling is cut, in order; infinity behind them.
    starts : ndarray of int64, shape [T]
        The first feature of each tiling.
    n : int
        Number of features.
    """

    directions: np.ndarray
    cuts: np.ndarray
    starts: np.ndarray
    n: int

    @classmethod
    @checked
    def of(cls, directions: Any, cuts: Sequence[Any]) -> Stripes:
        """Make tilings of stripes.

        Parameters
        ----------
        directions : array, shape [T, k]
        cuts : sequence of T sequences
            Where each tiling is cut: n cuts make n + 1 stripes.

        Raises
        ------
        ValueError
            Where there are not as many directions as tilings, or cuts are not in order.
        """
        across = numbers("directions", directions, ("T", "k"))
        if len(across) != len(cuts) or not across.size:
            raise ValueError(f"directions must have a row for each of the {len(cuts)} cuts, not the shape {across.shape}")
        each = [numbers(f"cuts[{t}]", some, ("n",)) for t, some in enumerate(cuts)]
        if not all(np.all(np.diff(some) > 0) for some in each):
            raise ValueError("cuts must be in order, each of them above the one before")
        padded = np.full((len(each), max(1, *map(len, each))), np.inf)
        for row, some in zip(padded, each, strict=True):
            row[: len(some)] = some
        sizes = np.array([len(some) + 1 for some in each])
        return cls(across, padded, np.cumsum(sizes) - sizes, int(sizes.sum()))

    @property
    def size(self) -> int:
        """Number of features: stripes of all tilings."""
        return self.n

    @property
    def coordinates(self) -> int:
        """Numbers of a state that are read."""
        return self.directions.shape[1]

    def x(self, state):
        """Return the active stripe of each tiling, int64 [T]."""
        active = self.starts.copy()
        for t in range(len(active)):
            along = 0.0
            for i in range(self.directions.shape[1]):
                along += self.directions[t, i] * coordinate(state, i)
            for j in range(self.cuts.shape[1]):
                if self.cuts[t, j] <= along:
                    active[t] += 1
        return active
