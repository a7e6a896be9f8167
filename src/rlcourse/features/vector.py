"""The observation itself as the vector of features, with a constant one: for codes that somebody else has learned."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rlcourse.core.linear import coordinate

__all__ = ["Vector"]


class Vector(NamedTuple):
    """x(s) = (1, s_1, ..., s_k).

    Attributes
    ----------
    k : int
        Numbers in an observation.
    """

    k: int

    @property
    def size(self) -> int:
        """Number of features."""
        return self.k + 1

    @property
    def coordinates(self) -> int:
        """Numbers of a state that are read."""
        return self.k

    def x(self, state):
        """Return x(s), shape [k + 1]."""
        x = np.empty(self.k + 1)
        x[0] = 1.0
        for i in range(self.k):
            x[i + 1] = coordinate(state, i)
        return x
