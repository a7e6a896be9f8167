"""`RunningMoments`: mean and variance of all that was seen, merged batch by batch; they are part of the agent and its file."""

from __future__ import annotations

import numpy as np

__all__ = ["RunningMoments"]


class RunningMoments:
    """Mean and variance over batches (Chan et al. 1979, parallel form).

    Parameters
    ----------
    shape : tuple of int
        Of one item.

    Attributes
    ----------
    data : ndarray of float64, shape [3, *shape]
        Mean, variance, and the count in its every element; one array, so that it is saved as one.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.data = np.zeros((3, *shape))
        self.data[1] = 1.0

    def update(self, batch: np.ndarray) -> None:
        """Merge a batch, shape [B, *shape]."""
        mean, variance, count = self.data
        size = float(len(batch))
        delta = batch.mean(axis=0) - mean
        total = count + size
        merged = np.where(count > 0, variance, 0.0) * count + batch.var(axis=0) * size + delta**2 * count * size / total
        self.data[0], self.data[1], self.data[2] = mean + delta * size / total, merged / total, total

    @property
    def mean(self) -> np.ndarray:
        """Mean, shape [*shape]."""
        view: np.ndarray = self.data[0]
        return view

    @property
    def std(self) -> np.ndarray:
        """Standard deviation, shape [*shape]; never zero."""
        root: np.ndarray = np.sqrt(self.data[1] + 1e-8)
        return root
