"""Features made of features: a constant one, both of two kinds, and the vector that indices stand for."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rlcourse.core.box import typed_kernel
from rlcourse.features.ranges import require_features

__all__ = ["Bias", "Dense", "Stacked", "stack"]


class Bias(NamedTuple):
    """One feature that is always 1, whatever the state is: to be stacked with others.

    Attributes
    ----------
    n : int
        Number of features, 1.
    """

    n: int = 1

    @property
    def size(self) -> int:
        """Number of features."""
        return self.n

    @property
    def coordinates(self) -> int:
        """Numbers of a state that are read."""
        return 0

    def x(self, state):
        """Return index 0, int64 [1]."""
        return np.zeros(1, np.int64)


class Dense(NamedTuple):
    """The vector x(s) that indices of active features stand for: the same values, much more slowly.

    Attributes
    ----------
    features : named tuple
        Features inside.
    n : int
        How many they are.
    """

    features: Any
    n: int

    @classmethod
    def of(cls, features: Any) -> Dense:
        """Make vectors of binary features; those that are vectors already stay the same.

        Raises
        ------
        ValueError
            Where there are no features.
        """
        require_features("features", features)
        return cls(features, features.size)

    @property
    def size(self) -> int:
        """Number of features."""
        return self.n

    @property
    def coordinates(self) -> int:
        """Numbers of a state that are read."""
        return self.features.coordinates

    def x(self, state):
        """Return x(s), float64 [d], or [A, d] of pairs."""
        return vector(self.features.x(state), self.n)


class Stacked(NamedTuple):
    """All features of two kinds, the second behind the first.

    Attributes
    ----------
    first, second : named tuple
        Both of states, or both of pairs of states and actions. Where one of them is a vector, so is the whole.
    split : int
        How many the first are.
    n : int
        How many all of them are.
    """

    first: Any
    second: Any
    split: int
    n: int

    @property
    def size(self) -> int:
        """Number of features."""
        return self.n

    @property
    def coordinates(self) -> int:
        """Numbers of a state that are read."""
        return max(self.first.coordinates, self.second.coordinates)

    def x(self, state):
        """Return x(s) of both."""
        return together(self.first.x(state), self.second.x(state), self.split, self.n)


def stack(*features: Any) -> Any:
    """Return all features of several kinds, in this order.

    Raises
    ------
    ValueError
        Where there are none, or they read different numbers of a state.
    """
    if not features:
        raise ValueError("features must be one or more, and there are none")
    for each in features:
        require_features("features", each)
    counts = sorted({each.coordinates for each in features} - {0})
    if len(counts) > 1:
        raise ValueError(f"features that are stacked must read the same state, and these read {' and '.join(map(str, counts))} numbers")
    whole = features[0]
    for each in features[1:]:
        whole = Stacked(whole, each, whole.size, whole.size + each.size)
    return whole


def vector(x, n):
    """Return the vector of n features that x stands for."""
    if x.dtype.kind != "i":
        return x
    dense = np.zeros((*x.shape[:-1], n))
    for row in np.ndindex(x.shape[:-1]):
        for i in x[row]:
            if i >= 0:
                dense[row][i] += 1.0
    return dense


@typed_kernel(vector)
def _vector(x, n):
    from numba.types import Integer

    if not isinstance(x.dtype, Integer):
        return lambda x, n: x
    if x.ndim == 1:

        def one(x, n):
            dense = np.zeros(n)
            for i in x:
                if i >= 0:
                    dense[i] += 1.0
            return dense

        return one

    def many(x, n):
        dense = np.zeros((len(x), n))
        for a in range(len(x)):
            for i in x[a]:
                if i >= 0:
                    dense[a, i] += 1.0
        return dense

    return many


def together(x, y, split, n):
    """Return features x with features y behind them; x are `split` of n."""
    if x.dtype.kind == "i" and y.dtype.kind == "i":
        return np.concatenate((x, np.where(y >= 0, y + split, -1)), axis=-1)
    return np.concatenate((vector(x, split), vector(y, n - split)), axis=-1)


@typed_kernel(together)
def _together(x, y, split, n):
    from numba.types import Integer

    if isinstance(x.dtype, Integer) and isinstance(y.dtype, Integer):
        return lambda x, y, split, n: np.concatenate((x, np.where(y >= 0, y + split, -1)), axis=-1)
    return lambda x, y, split, n: np.concatenate((vector(x, split), vector(y, n - split)), axis=-1)
