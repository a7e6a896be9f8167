"""Boxes of unequal width: each coordinate is cut at given edges, and the state is in one box, with one weight.

Before tile coding, control problems were cut into boxes by hand, finer where it matters: Michie & Chambers (1968) so balanced a pole, and
Barto, Sutton & Anderson (1983) in 162 boxes: 3 x 3 x 6 x 3 for the cart's position and velocity, the pole's angle and angular velocity.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rlcourse.core.arguments import checked, numbers
from rlcourse.core.linear import coordinate

__all__ = ["Boxes"]

DEGREE = math.pi / 180.0


class Boxes(NamedTuple):
    """One binary feature for each box.

    Attributes
    ----------
    edges : ndarray of float64, shape [k, m]
        Increasing inner edges of each coordinate, filled up with infinity; a state on an edge is above it.
    counts : ndarray of int64, shape [k]
        Intervals of each coordinate.
    """

    edges: np.ndarray
    counts: np.ndarray

    @classmethod
    @checked
    def of(cls, edges: Sequence[Sequence[float]]) -> Boxes:
        """Make boxes from the inner edges of each coordinate; none leaves a coordinate out.

        Raises
        ------
        ValueError
            Where edges are not finite and increasing, or there is no coordinate.
        """
        rows = [numbers(f"edges[{i}]", row, ("m",)) for i, row in enumerate(edges)]
        if not rows or any(np.any(np.diff(row) <= 0) for row in rows):
            raise ValueError(f"edges must be finite and increasing, for at least one coordinate, not {edges!r:.60}")
        filled = np.full((len(rows), max(1, *(len(row) for row in rows))), math.inf)
        for i, row in enumerate(rows):
            filled[i, : len(row)] = row
        return cls(filled, np.array([len(row) + 1 for row in rows]))

    @classmethod
    def of_the_pole(cls) -> Boxes:
        """Make the 162 boxes of Barto, Sutton & Anderson (1983): edges in metres, radians and per second."""
        angles = [degrees * DEGREE for degrees in (-6.0, -1.0, 0.0, 1.0, 6.0)]
        return cls.of([[-0.8, 0.8], [-0.5, 0.5], angles, [-50.0 * DEGREE, 50.0 * DEGREE]])

    @property
    def size(self) -> int:
        """Number of boxes."""
        return math.prod(self.counts.tolist())

    @property
    def coordinates(self) -> int:
        """Numbers of a state that are read."""
        return len(self.counts)

    def x(self, state):
        """Return the index of the box, int64 [1]; the last coordinate counts fastest."""
        index = np.zeros(1, np.int64)
        for i in range(len(self.counts)):
            interval = 0
            for j in range(self.counts[i] - 1):
                if coordinate(state, i) >= self.edges[i, j]:
                    interval += 1
            index[0] = index[0] * self.counts[i] + interval
        return index
