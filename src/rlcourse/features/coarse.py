"""Coarse coding: binary features that are each present in a region of states, a receptive field (Sec. 9.5.3).

An update at one state changes the weights of all fields that hold it, and so the value of every state in their union, most of all where
many of the same fields are present. Size and shape of the fields decide how far a method generalises at first, their number how finely
it distinguishes in the end (Example 9.3).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rlcourse.core.linear import coordinate
from rlcourse.features.ranges import points, positive

__all__ = ["CoarseCoding"]


MOST_CENTRES = 20_000  # each state is compared with all of them


class CoarseCoding(NamedTuple):
    """Intervals, discs, ellipses: states within a radius of each centre.

    Attributes
    ----------
    centres : ndarray of float64, shape [d, k]
    radius : ndarray of float64, shape [k]
        Half of the width of a field along each coordinate.
    most : int
        No state has more active features.
    """

    centres: np.ndarray
    radius: np.ndarray
    most: int

    @classmethod
    def of(cls, centres: Any, radius: Any) -> CoarseCoding:
        """Make coarse coding.

        Parameters
        ----------
        centres : array, shape [d, k], or [d] of one coordinate
            For a regular grid see `rlcourse.features.grid`.
        radius : float, or sequence of k
            One for discs, several for ellipses.

        Raises
        ------
        ValueError
            Where centres are not finite numbers, or a radius is not positive.
        """
        middles = points("centres", centres)
        reach = positive("radius", radius, middles.shape[1])
        if len(middles) > MOST_CENTRES:
            raise ValueError(f"centres: {len(middles):,} are more than {MOST_CENTRES:,}; take fewer along each coordinate, or tiles")
        return cls(middles, reach, _most(middles / reach))

    @property
    def size(self) -> int:
        """Number of features."""
        return len(self.centres)

    @property
    def coordinates(self) -> int:
        """Numbers of a state that are read."""
        return len(self.radius)

    def x(self, state):
        """Return the fields that hold a state, int64 [most], -1 behind them."""
        active = np.full(self.most, -1)
        count = 0
        for i in range(len(self.centres)):
            square = 0.0
            for j in range(len(self.radius)):
                distance = (coordinate(state, j) - self.centres[i, j]) / self.radius[j]
                square += distance * distance
            if square <= 1.0:
                active[count] = i
                count += 1
        return active


def _most(centres: np.ndarray) -> int:
    """Return a bound on how many discs of radius 1 share a point: all of them are within 2 of each other."""
    if centres.shape[1] == 1:  # intervals that share a point share the high end of one of them
        line = np.sort(centres[:, 0])
        return int(max(np.searchsorted(line, line + 2.0 + 1e-9, side="right") - np.arange(len(line))))
    near = max(int(np.count_nonzero(((centres - centre) ** 2).sum(axis=1) <= 4.0 + 1e-9)) for centre in centres)
    return min(near, len(centres))
