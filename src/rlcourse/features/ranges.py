"""Checks of ranges, and places in them, that features share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rlcourse.core.box import kernel
from rlcourse.core.linear import coordinate

__all__ = ["fraction", "grid", "range_of", "require_few", "whole_numbers"]

MOST = 10_000_000  # features


@kernel
def fraction(state, i, low, high):
    """Return where coordinate i of a state lies in its range: 0 at its low end, 1 at its high end; beyond it the end counts."""
    place = (coordinate(state, i) - low[i]) / (high[i] - low[i])
    return min(max(place, 0.0), 1.0)


def range_of(low: Any, high: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return both ends of the range of each coordinate, float64 [k].

    Raises
    ------
    ValueError
        Where a range is empty or infinite, or there are not as many low ends as high ones.
    """
    lows, highs = np.array(low, dtype=float).ravel(), np.array(high, dtype=float).ravel()
    if len(lows) != len(highs) or not len(lows) or not (np.all(np.isfinite(lows)) and np.all(np.isfinite(highs)) and np.all(highs > lows)):
        raise ValueError(f"low and high must be finite, of one length, and low < high, not {lows.tolist()} and {highs.tolist()}")
    return lows, highs


def whole_numbers(name: str, given: Any, k: int, least: int = 1) -> np.ndarray:
    """Return one whole number for each of k coordinates, int64 [k]; a single one counts for all of them.

    Raises
    ------
    ValueError
        Where they are not whole, not as many, or below `least`.
    """
    numbers = np.asarray(given)
    if numbers.dtype.kind not in "iu" or numbers.shape not in ((), (1,), (k,)):
        raise ValueError(f"{name} must be a whole number, or one for each of {k} coordinates, not {given!r}")
    if numbers.min() < least:
        raise ValueError(f"{name} must be at least {least}, not {given!r}")
    return np.broadcast_to(numbers, (k,)).astype(np.int64)


def require_few(features: int) -> None:
    """Raise ValueError where there would be more features than anybody has memory for."""
    if features > MOST:
        raise ValueError(f"that makes {features:,} features, more than {MOST:,}: take fewer along each coordinate, or hashed tiles")


def grid(low: Any, high: Any, counts: Any) -> np.ndarray:
    """Return points in a regular grid over a box, its corners included, float64 [n, k]: centres for coarse coding and bumps.

    Parameters
    ----------
    low, high : sequence of float, length k
        Ends of each coordinate's range.
    counts : int or sequence of int
        Points along each coordinate; a single one is in the middle.
    """
    lows, highs = range_of(low, high)
    each = whole_numbers("counts", counts, len(lows))
    require_few(math.prod(each.tolist()))
    axes = [np.linspace(a, b, n) if n > 1 else np.array([(a + b) / 2]) for a, b, n in zip(lows, highs, each, strict=True)]
    return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)
