"""Checking a gradient by differences: what is written out by hand is wrong until it was compared."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.config import Positive

__all__ = ["numeric_gradient", "relative_error"]


@checked
def numeric_gradient(loss: Callable[[], float], array: np.ndarray, step: Positive = 1e-5) -> np.ndarray:
    """Return the gradient of a loss by an array, element by element: (loss at x + step - loss at x - step) / (2 step).

    Parameters
    ----------
    loss : callable
        Looks at the array itself, which is changed in place and put back.
    array : ndarray of float64
    step : float
        The error of a central difference falls with its square, that of rounding grows as it falls.
    """
    gradient = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + step
        above = loss()
        array[index] = kept - step
        below = loss()
        array[index] = kept
        gradient[index] = (above - below) / (2.0 * step)
    return gradient


@checked
def relative_error(a: np.ndarray, b: np.ndarray) -> float:
    """Return the greatest difference of two arrays, divided by their greatest magnitude."""
    if a.shape != b.shape or not a.size:
        raise ValueError(f"a and b must have one shape, and not be empty, not {list(a.shape)} and {list(b.shape)}")
    return float(np.abs(a - b).max() / max(np.abs(a).max(), np.abs(b).max(), 1e-12))
