"""One feature per state, and features given as a table: linear methods over them are the tabular ones, or whatever the table says."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["OneHot", "TableFeatures"]


class OneHot(NamedTuple):
    """One binary feature for each of n states: linear values are then a table.

    Attributes
    ----------
    n : int
        Number of states.
    """

    n: int

    @property
    def size(self) -> int:
        """Number of features."""
        return self.n

    @property
    def coordinates(self) -> int:
        """Numbers of a state that are read: its own, a whole one."""
        return 1

    def x(self, state):
        """Return the index of the active feature, int64 [1]."""
        return np.array([state])


class TableFeatures(NamedTuple):
    """Features written down for each state.

    Attributes
    ----------
    rows : ndarray
        Float [S, d] or [S, A, d]: the vectors x(s) or x(s, a). Int64 [S, k] or [S, A, k]: their active features, -1 is none.
    n : int
        Number of features.
    """

    rows: np.ndarray
    n: int

    @classmethod
    def of(cls, rows: object) -> TableFeatures:
        """Check a table.

        Raises
        ------
        ValueError
            Where it is not of numbers, has not two or three axes, or an index below -1.
        """
        try:
            given = np.asarray(rows)
        except ValueError:
            raise ValueError("rows must all have one length, and be features [S, d] or [S, A, d]") from None
        if given.ndim not in (2, 3) or given.dtype.kind not in "iuf" or not given.size:
            raise ValueError(f"rows must be features, numbers of shape [S, d] or [S, A, d], not {given.dtype} of shape {given.shape}")
        if given.dtype.kind == "f":
            if not np.all(np.isfinite(given)):
                raise ValueError("rows must be finite, and hold nan or infinity")
            return cls(np.ascontiguousarray(given, dtype=np.float64), int(given.shape[-1]))
        if given.min() < -1 or given.max() < 0:
            raise ValueError(f"rows: active features are numbered from 0, and -1 is none, not {given.min()} to {given.max()}")
        return cls(np.ascontiguousarray(given, dtype=np.int64), int(given.max()) + 1)

    @property
    def size(self) -> int:
        """Number of features."""
        return self.n

    @property
    def coordinates(self) -> int:
        """Numbers of a state that are read: its own, a whole one."""
        return 1

    def x(self, state):
        """Return the row of a state."""
        return self.rows[state]
