"""Batch normalisation (Ioffe & Szegedy 2015), forward and backward.

Each feature of a batch x [B, F] is centred and scaled by the batch's own mean and deviation, then given a deviation and a mean that are
learned:

    xh = (x - mean) / sqrt(variance + eps),    y = gamma xh + beta                                 (Algorithm 1)

The gradient runs through mean and variance too, because each of them depends on every row. Taken node by node through the graph it is
`backward_by_graph`; written out and simplified, only sums over the batch are left, which is `backward`:

    d beta = sum dy,    d gamma = sum dy xh,    dx = gamma / (B sqrt(variance + eps)) (B dy - d beta - xh d gamma)

One row has no statistics. What is used once the network acts are running means of those that it saw in training.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.config import Count, Positive, Probability

__all__ = ["BatchNorm", "Tape", "backward", "backward_by_graph", "forward"]


class Tape(NamedTuple):
    """What the way back needs of the way there."""

    xh: np.ndarray  # [B, F] normalised
    gamma: np.ndarray  # [F]
    deviation: np.ndarray  # [F] sqrt(variance + eps)


def forward(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float = 1e-5) -> tuple[np.ndarray, Tape]:
    """Return x [B, F] normalised by its own statistics, scaled and shifted, and the tape."""
    deviation = np.sqrt(x.var(axis=0) + eps)
    xh = (x - x.mean(axis=0)) / deviation
    return gamma * xh + beta, Tape(xh, gamma, deviation)


def backward(dy: np.ndarray, tape: Tape) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return dx [B, F], d gamma [F] and d beta [F], given dy [B, F]: the three sums."""
    xh, gamma, deviation = tape
    B = len(dy)
    d_beta = dy.sum(axis=0)
    d_gamma = (dy * xh).sum(axis=0)
    dx = gamma / (B * deviation) * (B * dy - d_beta - xh * d_gamma)
    return dx, d_gamma, d_beta


def backward_by_graph(dy: np.ndarray, tape: Tape) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the same, one node of the graph after another, from the last to the first; each line undoes one of the way there."""
    xh, gamma, deviation = tape
    B = len(dy)
    centred = xh * deviation
    d_beta = dy.sum(axis=0)  # y = scaled + beta
    d_gamma = (dy * xh).sum(axis=0)  # scaled = gamma xh
    d_xh = dy * gamma
    d_inverse = (d_xh * centred).sum(axis=0)  # xh = centred * inverse
    d_centred = d_xh / deviation
    d_deviation = -d_inverse / deviation**2  # inverse = 1 / deviation
    d_variance = 0.5 * d_deviation / deviation  # deviation = sqrt(variance + eps)
    d_square = np.broadcast_to(d_variance / B, dy.shape)  # variance = mean of squares
    d_centred = d_centred + 2.0 * centred * d_square  # square = centred^2
    d_mean = -d_centred.sum(axis=0)  # centred = x - mean
    return d_centred + d_mean / B, d_gamma, d_beta  # x goes into both, and mean = sum of x / B


class BatchNorm:
    """Batch normalisation as a layer, with running statistics.

    Parameters
    ----------
    features : int
    momentum : float
        How far the running statistics move towards each batch.
    eps : float

    Attributes
    ----------
    parameters, gradients : list of ndarray
        gamma and beta, shape [F] each, and what the last `backward` found for them.
    mean, variance : ndarray, shape [F]
        Running statistics; the variance is the unbiased one, as torch keeps it.
    """

    @checked
    def __init__(self, features: Count, momentum: Probability = 0.1, eps: Positive = 1e-5) -> None:
        self.momentum, self.eps = momentum, eps
        self.parameters = [np.ones(features), np.zeros(features)]
        self.gradients = [np.zeros(features), np.zeros(features)]
        self.mean, self.variance = np.zeros(features), np.ones(features)

    def forward(self, x: np.ndarray, train: bool) -> np.ndarray:
        """Return x [B, F] normalised: by the batch, which then moves the running statistics, or by those alone."""
        gamma, beta = self.parameters
        if not train:
            return gamma * (x - self.mean) / np.sqrt(self.variance + self.eps) + beta
        self.mean += self.momentum * (x.mean(axis=0) - self.mean)
        self.variance += self.momentum * (x.var(axis=0, ddof=1) - self.variance)
        y, self._tape = forward(x, gamma, beta, self.eps)
        return y

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """Return dx [B, F] of the last batch in training, and note the gradients."""
        dx, self.gradients[0][:], self.gradients[1][:] = backward(dy, self._tape)
        return dx
