"""Coordinates without bounds, squashed into (-1, 1), for features that need a range."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from rlcourse.core.arguments import numbers
from rlcourse.core.linear import coordinate
from rlcourse.features.ranges import require_features

__all__ = ["Squashed"]


class Squashed(NamedTuple):
    """Features of (2 / pi) arctan(s_i / scale_i): the interval from -scale to scale is the middle half of the range.

    Attributes
    ----------
    features : named tuple
        Features of what has been squashed.
    scale : ndarray of float64, shape [k]
        Scale of each coordinate; 0 leaves it as it is.
    """

    features: Any
    scale: np.ndarray

    @classmethod
    def of(cls, features: Any, scale: Any) -> Squashed:
        """Squash coordinates before features see them.

        Raises
        ------
        ValueError
            Where there is not one scale, from 0, for each coordinate.
        """
        require_features("features", features)
        scales = numbers("scale", scale, (features.coordinates,))
        if not np.all(scales >= 0):
            raise ValueError(f"scale must be a number from 0 for each of {features.coordinates} coordinates, not {scale!r:.60}")
        return cls(features, scales)

    @property
    def size(self) -> int:
        """Number of features."""
        return self.features.size

    @property
    def coordinates(self) -> int:
        """Numbers of a state that are read."""
        return len(self.scale)

    def x(self, state):
        """Return features of the squashed state."""
        squashed = np.empty(len(self.scale))
        for i in range(len(self.scale)):
            squashed[i] = coordinate(state, i)
            if self.scale[i] > 0:
                squashed[i] = math.atan(squashed[i] / self.scale[i]) * 2 / math.pi
        return self.features.x(squashed)
