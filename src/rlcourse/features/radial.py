"""Radial basis functions: coarse coding with features that fade away (Sec. 9.5.5).

    x_i(s) = exp(-||s - c_i||^2 / (2 sigma^2))

Estimates are smooth and differentiable. Normalised features sum to 1, so that nothing fades between distant centres. All features are
present everywhere, a little: each step costs their number, and in many dimensions they rarely pay for it.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from rlcourse.core.linear import coordinate

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
        points = np.array(centres, dtype=float)
        points = points[:, None] if points.ndim == 1 else points
        if points.ndim != 2 or not points.size or not np.all(np.isfinite(points)):
            raise ValueError(f"centres must be finite numbers of shape [d, k] or [d], not of shape {points.shape}")
        widths = np.array(sigma, dtype=float)
        if widths.shape not in ((), points.shape[1:]) or not (np.all(widths > 0) and np.all(np.isfinite(widths))):
            raise ValueError(f"sigma must be positive, one or {points.shape[1]}, not {sigma!r}")
        return cls(points, np.broadcast_to(widths, points.shape[1:]).copy(), bool(normalised))

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
