"""State aggregation: neighbouring states are one group, with one weight (Sec. 9.3).

The simplest way to generalise: the estimate of a group is one number, and an update at one of its states changes it for all of them. The
gradient is 1 for the group of the state and 0 elsewhere. Estimates are a staircase (Figure 9.1).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.config import Count
from rlcourse.core.linear import coordinate
from rlcourse.features.ranges import range_of, require_few, whole_numbers

__all__ = ["Aggregation"]


class Aggregation(NamedTuple):
    """Groups of equal width along each coordinate, of numbered states or of a box.

    Attributes
    ----------
    low, high : ndarray of float64, shape [k]
        The range of each coordinate; what lies beyond belongs to the outermost group.
    groups : ndarray of int64, shape [k]
        Groups along each coordinate.
    """

    low: np.ndarray
    high: np.ndarray
    groups: np.ndarray

    @classmethod
    @checked
    def of(cls, n: Count, groups: Count) -> Aggregation:
        """Aggregate the states 0 to n - 1 into groups of n / groups; states beyond (terminal ones) count to the last.

        Raises
        ------
        ValueError
            Where there are more groups than states, or none.
        """
        if groups > n:
            raise ValueError(f"groups must be between 1 and the number of states, {n}, not {groups!r}")
        return cls.box([0.0], [float(n)], groups)

    @classmethod
    def box(cls, low: Any, high: Any, groups: Any) -> Aggregation:
        """Aggregate an interval, or a box of k coordinates, into groups of equal width along each of them."""
        lows, highs = range_of(low, high)
        made = cls(lows, highs, whole_numbers("groups", groups, len(lows)))
        require_few(made.size)
        return made

    @property
    def size(self) -> int:
        """Number of features: of groups."""
        return math.prod(self.groups.tolist())

    @property
    def coordinates(self) -> int:
        """Numbers of a state that are read."""
        return len(self.low)

    def x(self, state):
        """Return the index of the group of a state, int64 [1]."""
        group = 0
        for i in range(len(self.low)):
            place = (coordinate(state, i) - self.low[i]) * self.groups[i] / (self.high[i] - self.low[i])
            within = 0  # also of a number that is none, where learning has diverged
            if place > 0.0:
                within = int(min(place, self.groups[i] - 1.0))
            group = group * self.groups[i] + within
        return np.array([group])
