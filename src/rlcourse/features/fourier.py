"""The Fourier cosine basis (Sec. 9.5.2).

    x_i(s) = cos(pi c_i . s),    c_i in {0, ..., n}^k        (9.18)

with coordinates scaled to [0, 1] makes (n + 1)^k features of order n. Where c_ij = 0 a feature is constant along coordinate j; otherwise
c_ij is how many half waves it makes there. Half of a period is used, so that functions without any period can be had. Konidaris,
Osentoski and Thomas (2011) suggest a step size for each feature, alpha_i = alpha / ||c_i|| (alpha where c_i = 0). Scaling feature i by
1 / sqrt(||c_i||) is exactly that, for each method that is linear in its features: the step and the value both carry the factor.
"""

from __future__ import annotations

import itertools
import math
from typing import Any, NamedTuple

import numpy as np

from rlcourse.core.arguments import checked, numbers
from rlcourse.core.config import Natural
from rlcourse.features.ranges import fraction, range_of, require_few

__all__ = ["Fourier"]


class Fourier(NamedTuple):
    """Order-n Fourier cosine basis of k coordinates.

    Attributes
    ----------
    low, high : ndarray of float64, shape [k]
        The range that is scaled to [0, 1]; beyond it the end counts.
    c : ndarray of float64, shape [d, k]
        Half waves of each feature along each coordinate.
    scales : ndarray of float64, shape [d]
        Factors of the features: ones, or 1 / sqrt(||c_i||).
    """

    low: np.ndarray
    high: np.ndarray
    c: np.ndarray
    scales: np.ndarray

    @classmethod
    @checked
    def of(cls, low: Any, high: Any, order: Natural = 3, c: Any = None, scaled: bool = False) -> Fourier:
        """Make a Fourier cosine basis.

        Parameters
        ----------
        low, high : sequence of float
            Ends of each coordinate's range.
        order : int
            All c in {0, ..., order}^k.
        c : array, shape [d, k], optional
            The frequencies of each feature, instead of all of them.
        scaled : bool
            Scale features so that their step sizes are alpha / ||c_i||.

        Raises
        ------
        ValueError
            For an empty or infinite range, or frequencies of another shape.
        """
        lows, highs = range_of(low, high)
        if c is None:
            require_few((order + 1) ** len(lows))
            c = list(itertools.product(range(order + 1), repeat=len(lows)))
        frequencies = numbers("c", c, ("d", len(lows)))
        norms = np.sqrt((frequencies * frequencies).sum(axis=1))
        norms[norms == 0] = 1.0
        return cls(lows, highs, frequencies, 1 / np.sqrt(norms) if scaled else np.ones(len(norms)))

    @property
    def size(self) -> int:
        """Number of features."""
        return len(self.c)

    @property
    def coordinates(self) -> int:
        """Numbers of a state that are read."""
        return len(self.low)

    def x(self, state):
        """Return x(s), float64 [d]."""
        x = np.zeros(len(self.c))
        for j in range(len(self.low)):
            s = fraction(state, j, self.low, self.high)
            for i in range(len(x)):
                x[i] += self.c[i, j] * s
        for i in range(len(x)):
            x[i] = self.scales[i] * math.cos(math.pi * x[i])
        return x
