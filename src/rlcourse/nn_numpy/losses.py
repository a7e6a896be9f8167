"""Losses, each with its gradient by the network's outputs: ``loss, dy = squared_error(y, target)``, means over the batch."""

from __future__ import annotations

import numpy as np

__all__ = ["huber", "softmax_cross_entropy", "squared_error"]


def squared_error(y: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean of (y - target)^2 / 2, summed over outputs, and its gradient; both of shape [B, O]."""
    error = y - target
    return 0.5 * float((error * error).sum()) / len(y), error / len(y)


def huber(y: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean Huber loss: as `squared_error` within 1 of the target, and a straight line beyond."""
    error = y - target
    inside = np.clip(error, -1.0, 1.0)
    return float((inside * (error - 0.5 * inside)).sum()) / len(y), inside / len(y)


def softmax_cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean of -ln p(label), p = softmax(logits), and its gradient p - 1[label]; logits [B, C], labels [B] of int."""
    rows = np.arange(len(logits))
    shifted = logits - logits.max(axis=1, keepdims=True)  # the same p, and no overflow
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    dy = np.exp(log_p)
    dy[rows, labels] -= 1.0
    return -float(log_p[rows, labels].mean()), dy / len(logits)
