"""Losses, each with its gradient by the network's outputs: ``loss, dy = squared_error(y, target)``, means over the batch."""

from __future__ import annotations

import numpy as np

from rlcourse.core.arguments import checked

__all__ = ["huber", "softmax_cross_entropy", "squared_error"]


@checked
def squared_error(y: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean of (y - target)^2 / 2, summed over outputs, and its gradient; both of shape [B, O]."""
    _require_same(y, target)
    error = y - target
    return 0.5 * float((error * error).sum()) / len(y), error / len(y)


@checked
def huber(y: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean Huber loss: as `squared_error` within 1 of the target, and a straight line beyond."""
    _require_same(y, target)
    error = y - target
    inside = np.clip(error, -1.0, 1.0)
    return float((inside * (error - 0.5 * inside)).sum()) / len(y), inside / len(y)


@checked
def softmax_cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean of -ln p(label), p = softmax(logits), and its gradient p - 1[label]; logits [B, C], labels [B] of int."""
    if logits.ndim != 2 or not logits.size:
        raise ValueError(f"logits must have shape [B, C], not {list(logits.shape)}")
    if labels.shape != logits.shape[:1] or labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= logits.shape[1]:
        raise ValueError(f"labels must be whole numbers in 0..{logits.shape[1] - 1}, of shape [{len(logits)}], not {labels!r:.60}")
    rows = np.arange(len(logits))
    shifted = logits - logits.max(axis=1, keepdims=True)  # the same p, and no overflow
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    dy = np.exp(log_p)
    dy[rows, labels] -= 1.0
    return -float(log_p[rows, labels].mean()), dy / len(logits)


def _require_same(y: np.ndarray, target: np.ndarray) -> None:
    """Raise ValueError where outputs and targets differ in shape: numpy would broadcast them, and the loss be another one."""
    if y.ndim != 2 or not y.size:
        raise ValueError(f"y must have shape [B, O], not {list(y.shape)}")
    if target.shape != y.shape:
        raise ValueError(f"target must have the shape of y, {list(y.shape)}, not {list(target.shape)}")
