"""Claims: what a caption or the text says of a figure, as inequalities that a mistaken algorithm fails.

An ordering holds only where it is shown: by more than three standard errors of the difference. An equality holds where the
difference is within a stated tolerance (a reading error, or a known bias) plus three standard errors.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Claim", "Estimate", "equal", "less", "mean", "true"]

ERRORS = 3.0  # standard errors


class Estimate(NamedTuple):
    """A mean over independent runs, and its standard error."""

    mean: float
    error: float = 0.0

    def __str__(self) -> str:
        return f"{self.mean:.4g} ± {self.error:.2g}" if self.error else f"{self.mean:.6g}"


class Claim(NamedTuple):
    """A sentence, whether it holds, and the numbers it was judged by."""

    text: str
    holds: bool
    detail: str


def mean(samples: Any) -> Estimate:
    """Return the mean of independent samples, shape [runs], and its standard error."""
    values = np.asarray(samples, dtype=float)
    if values.ndim != 1:
        raise ValueError(f"samples must be one number per run, not of shape {values.shape}: average the other axes first")
    return Estimate(float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else math.inf)


def equal(text: str, value: Estimate | float, target: Estimate | float, tolerance: float = 0.0) -> Claim:
    """Claim that a value is a target, within a tolerance plus three standard errors."""
    a, b = _estimate(value), _estimate(target)
    allowed = tolerance + ERRORS * math.hypot(a.error, b.error)
    return Claim(text, bool(abs(a.mean - b.mean) <= allowed), f"{a} against {b}, within {allowed:.2g}")


def less(text: str, smaller: Estimate | float, larger: Estimate | float) -> Claim:
    """Claim that one value is smaller than another; differences over paired runs are one Estimate, compared with 0."""
    a, b = _estimate(smaller), _estimate(larger)
    return Claim(text, bool(b.mean - a.mean > ERRORS * math.hypot(a.error, b.error)), f"{a} < {b}")


def true(text: str, condition: Any, detail: str = "") -> Claim:
    """Claim that something exact is so."""
    return Claim(text, bool(condition), detail)


def _estimate(value: Estimate | float) -> Estimate:
    return value if isinstance(value, Estimate) else Estimate(float(value))
