"""Polynomials: products of powers of the coordinates (Sec. 9.5.1).

    x_i(s) = prod_j s_j^{c_ij}        (9.17)

with every exponent c_ij in {0, ..., n} makes (n + 1)^k features of order n. Products let coordinates interact, which a weighted sum of them
cannot. Coordinates are scaled to [0, 1] first. They generalise worse than a Fourier basis (Figure 9.5): take them to understand that.
"""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np

from rlcourse.core.arguments import checked, numbers
from rlcourse.core.config import Natural
from rlcourse.features.ranges import MOST, fraction, range_of, require_few

__all__ = ["Polynomial"]


class Polynomial(NamedTuple):
    """Order-n polynomial basis of k coordinates.

    Attributes
    ----------
    low, high : ndarray of float64, shape [k]
        The range that is scaled to [0, 1]; beyond it the end counts.
    exponents : ndarray of int64, shape [d, k]
    """

    low: np.ndarray
    high: np.ndarray
    exponents: np.ndarray

    @classmethod
    @checked
    def of(cls, low: Any, high: Any, order: Natural = 3, exponents: Any = None) -> Polynomial:
        """Make a polynomial basis.

        Parameters
        ----------
        low, high : sequence of float
            Ends of each coordinate's range.
        order : int
            All exponents from 0 to it, for each coordinate.
        exponents : array of int, shape [d, k], optional
            The exponents of each feature, instead of all of them.

        Raises
        ------
        ValueError
            For an empty or infinite range, or exponents that are not whole numbers from 0.
        """
        lows, highs = range_of(low, high)
        if exponents is None:
            require_few((order + 1) ** len(lows))
            exponents = list(itertools.product(range(order + 1), repeat=len(lows)))
        powers = numbers("exponents", exponents, ("d", len(lows)))
        if not len(powers) or np.any((powers < 0) | (powers > MOST) | (powers % 1 != 0)):
            raise ValueError(f"exponents must be whole numbers from 0, of shape [d, {len(lows)}]")
        return cls(lows, highs, powers.astype(np.int64))

    @property
    def size(self) -> int:
        """Number of features."""
        return len(self.exponents)

    @property
    def coordinates(self) -> int:
        """Numbers of a state that are read."""
        return len(self.low)

    def x(self, state):
        """Return x(s), float64 [d]."""
        x = np.ones(len(self.exponents))
        for j in range(len(self.low)):
            s = fraction(state, j, self.low, self.high)
            for i in range(len(x)):
                for _ in range(self.exponents[i, j]):
                    x[i] *= s
        return x
