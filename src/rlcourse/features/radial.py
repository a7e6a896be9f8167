"""Radial basis functions: coarse coding with features that fade away (Sec. 9.5.5).

    x_i(s) = exp(-||s - c_i||^2 / (2 sigma^2))

Estimates are smooth and differentiable. Normalised features sum to 1, so that nothing fades between distant centres. All features are
present everywhere, a little: each step costs their number, and in many dimensions they rarely pay for it.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.linear import coordinate
from rlcourse.features.ranges import points, positive

__all__ = ["RadialBasis"]


class RadialBasis(NamedTuple):
    """Gaussian bumps.

    Attributes
    ----------
    centres : ndarray of float64, shape [d, k]
    sigma : ndarray of float64, shape [k]
        Width along each coordinate, in its unit.
    normalised : bool
        Divide by the sum of all features.
    """

    centres: np.ndarray
    sigma: np.ndarray
    normalised: bool

    @classmethod
    @checked
    def of(cls, centres: Any, sigma: Any, normalised: bool = False) -> RadialBasis:
        """Make radial basis functions.

        Parameters
        ----------
        centres : array, shape [d, k], or [d] of one coordinate
            For a regular grid see `rlcourse.features.grid`.
        sigma : float, or sequence of k
            Width of the bumps; the distance between neighbouring centres is a good one.
        normalised : bool
            Whether features sum to 1.

        Raises
        ------
        ValueError
            Where centres are not finite numbers, or a width is not positive.
        """
        middles = points("centres", centres)
        return cls(middles, positive("sigma", sigma, middles.shape[1]), bool(normalised))

    @property
    def size(self) -> int:
        """Number of features."""
        return len(self.centres)

    @property
    def coordinates(self) -> int:
        """Numbers of a state that are read."""
        return len(self.sigma)

    def x(self, state):
        """Return x(s), float64 [d]."""
        x = np.zeros(len(self.centres))
        least = math.inf
        for i in range(len(x)):
            for j in range(len(self.sigma)):
                distance = (coordinate(state, j) - self.centres[i, j]) / self.sigma[j]
                x[i] += 0.5 * distance * distance
            least = min(least, x[i])
        if not self.normalised:
            least = 0.0
        total = 0.0
        for i in range(len(x)):
            x[i] = math.exp(least - x[i])  # a common factor, which division by the sum cancels: far away nothing becomes 0 / 0
            total += x[i]
        if self.normalised:
            for i in range(len(x)):
                x[i] /= total
        return x
