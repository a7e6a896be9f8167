"""Checks of ranges, and places in them, that features share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rlcourse.core.arguments import numbers
from rlcourse.core.box import kernel
from rlcourse.core.linear import coordinate

__all__ = ["each", "fraction", "grid", "points", "positive", "range_of", "require_features", "require_few", "truths", "whole_numbers"]

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
    try:
        lows, highs = np.array(low, dtype=float).ravel(), np.array(high, dtype=float).ravel()
    except (ValueError, TypeError, OverflowError):
        raise ValueError("low and high must be numbers, one for each coordinate") from None
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
    whole = np.asarray(given)
    if whole.dtype.kind not in "iu" or whole.shape not in ((), (1,), (k,)):
        raise ValueError(f"{name} must be a whole number, or one for each of {k} coordinates, not {given!r:.60}")
    if whole.min() < least:
        raise ValueError(f"{name} must be at least {least}, not {given!r:.60}")
    return np.broadcast_to(whole, (k,)).astype(np.int64)


def truths(name: str, given: Any, k: int) -> np.ndarray:
    """Return one truth value for each of k coordinates, bool [k]; a single one counts for all of them."""
    around = np.asarray(given)
    if around.dtype != np.bool_ or around.shape not in ((), (1,), (k,)):
        raise ValueError(f"{name} must be true or false, or one of them for each of {k} coordinates, not {given!r:.60}")
    return np.broadcast_to(around, (k,)).copy()


def points(name: str, given: Any) -> np.ndarray:
    """Return points, float64 [d, k]; those of one coordinate may be given as [d]."""
    flat = numbers(name, given, ("d",)) if _axes(given) == 1 else None
    found = numbers(name, given, ("d", "k")) if flat is None else flat[:, None]
    if not found.size:
        raise ValueError(f"{name} must be at least one point, of shape [d, k] or [d], and there is none")
    return found


def _axes(given: Any) -> int:
    """Return how many axes an array of what was given has; 2 where rows differ in length, which `numbers` refuses."""
    try:
        return np.ndim(given)
    except ValueError:
        return 2


def each(name: str, given: Any, k: int) -> np.ndarray:
    """Return one number for each of k coordinates, float64 [k]; a single one counts for all of them."""
    return np.broadcast_to(numbers(name, given, () if _axes(given) == 0 else (k,)), (k,)).copy()


def positive(name: str, given: Any, k: int) -> np.ndarray:
    """Return one positive number for each of k coordinates, float64 [k]; a single one counts for all of them."""
    found = each(name, given, k)
    if not np.all(found > 0):
        raise ValueError(f"{name} must be positive, one number or {k}, not {given!r:.60}")
    return found


def require_features(name: str, given: Any) -> None:
    """Raise ValueError where an argument is no features."""
    if not isinstance(given, tuple) or not all(hasattr(given, part) for part in ("size", "coordinates", "x")):
        raise ValueError(f"{name} must be features, such as Tiles.of(low, high), not {type(given).__name__}")


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

    Raises
    ------
    ValueError
        For an empty or infinite range, or counts that are not whole.
    """
    lows, highs = range_of(low, high)
    along = whole_numbers("counts", counts, len(lows))
    require_few(math.prod(along.tolist()))
    axes = [np.linspace(a, b, n) if n > 1 else np.array([(a + b) / 2]) for a, b, n in zip(lows, highs, along, strict=True)]
    return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)
