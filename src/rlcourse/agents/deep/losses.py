"""Losses of the deep agents, as pure functions of tensors."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["clipped_surrogate", "normalized", "value_loss"]


def clipped_surrogate(log_prob: Tensor, old_log_prob: Tensor, advantage: Tensor, clip_range: float) -> Tensor:
    """Return PPO's clipped surrogate objective as a loss (Schulman et al. 2017, Eq. 7), a scalar.

    Parameters
    ----------
    log_prob, old_log_prob : Tensor, shape [B]
        Log-probabilities of the taken actions now and when they were taken.
    advantage : Tensor, shape [B]
    clip_range : float
        Epsilon: a ratio outside [1 - epsilon, 1 + epsilon] earns nothing more.
    """
    ratio = torch.exp(log_prob - old_log_prob)
    clipped = ratio.clamp(1.0 - clip_range, 1.0 + clip_range)
    return -torch.minimum(ratio * advantage, clipped * advantage).mean()


def value_loss(value: Tensor, target: Tensor) -> Tensor:
    """Return the mean squared error of values, shape [B] both, a scalar."""
    return torch.nn.functional.mse_loss(value, target)


def normalized(advantage: Tensor) -> Tensor:
    """Return advantages of mean 0 and standard deviation 1, shape [B]; a single one stays as it is."""
    if advantage.numel() < 2:
        return advantage
    return (advantage - advantage.mean()) / (advantage.std() + 1e-8)
