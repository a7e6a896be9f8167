"""Initial weights: ten ways to begin, of which the bad ones are the more instructive.

The deviation decides: a layer of n inputs multiplies the deviation of what runs through it by about sqrt(n) times that of its weights,
so that 1 / sqrt(n) keeps it (LeCun et al. 1998), and what all weights have in common tells the units of a layer nothing apart.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["INITIAL_WEIGHTS", "Init"]

Init = Callable[[tuple[int, int], np.random.Generator], np.ndarray]  # (inputs, outputs), generator -> weights [inputs, outputs]


def _uniform(low: float, high: float) -> Init:
    return lambda shape, rng: rng.uniform(low, high, shape)


def _truncated_normal(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Draw from N(0, 0.1), again where a number is more than two deviations away."""
    weights = rng.normal(0.0, 0.1, shape)
    while (far := np.abs(weights) > 0.2).any():
        weights[far] = rng.normal(0.0, 0.1, int(far.sum()))
    return weights


def _orthogonal(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Draw orthonormal columns, or rows where those are fewer (Saxe et al. 2014), times sqrt(2), which ReLU takes away."""
    tall = rng.standard_normal((max(shape), min(shape)))
    Q, R = np.linalg.qr(tall)
    Q = Q * np.sign(np.diag(R))  # else the signs would not be uniform
    return np.sqrt(2.0) * (Q if shape[0] >= shape[1] else Q.T)


INITIAL_WEIGHTS: dict[str, Init] = {
    "zeros": lambda shape, rng: np.zeros(shape),
    "ones": lambda shape, rng: np.ones(shape),
    "U[0, 1)": _uniform(0.0, 1.0),
    "U[-1, 1)": _uniform(-1.0, 1.0),
    "U±0.1": _uniform(-0.1, 0.1),
    "U±0.01": _uniform(-0.01, 0.01),
    "1/sqrt(n)": lambda shape, rng: rng.uniform(-1.0, 1.0, shape) / np.sqrt(shape[0]),
    "N(0.1)": lambda shape, rng: rng.normal(0.0, 0.1, shape),
    "truncated N(0.1)": _truncated_normal,
    "orthogonal": _orthogonal,
}
