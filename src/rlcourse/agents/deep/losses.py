"""Losses of the deep agents, as pure functions of tensors."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = [
    "approximate_kl",
    "clip_fraction",
    "clipped_surrogate",
    "clipped_value_loss",
    "normalized",
    "policy_gradient_loss",
    "value_loss",
]


def policy_gradient_loss(log_prob: Tensor, advantage: Tensor) -> Tensor:
    """Return the loss whose gradient is minus the policy gradient (Sutton & Barto, Eq. 13.8, without gamma^t), a scalar.

    Parameters
    ----------
    log_prob : Tensor, shape [B]
        Log-probabilities of the taken actions.
    advantage : Tensor, shape [B]
        What followed them, less a baseline; no gradient flows through it.
    """
    return -(log_prob * advantage).mean()


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


def clipped_value_loss(value: Tensor, old_value: Tensor, target: Tensor, clip_range: float) -> Tensor:
    """Return the mean squared error of values held within `clip_range` of those of the rollout, shape [B] all, a scalar.

    As in stable-baselines3: a value that has moved further has no gradient, whichever way it would go.
    """
    return torch.nn.functional.mse_loss(old_value + (value - old_value).clamp(-clip_range, clip_range), target)


def approximate_kl(log_prob: Tensor, old_log_prob: Tensor) -> Tensor:
    """Return the estimate of KL(old || new) from the old policy's samples, shape [B] both, a scalar.

    The mean of r - 1 - log r with r = new / old: unbiased, and never negative (Schulman 2020, "Approximating KL divergence", k3).
    """
    log_ratio = log_prob - old_log_prob
    return (log_ratio.exp() - 1.0 - log_ratio).mean()


def clip_fraction(log_prob: Tensor, old_log_prob: Tensor, clip_range: float) -> Tensor:
    """Return the share of samples whose ratio has left [1 - clip_range, 1 + clip_range], a scalar."""
    return ((log_prob - old_log_prob).exp().sub(1.0).abs() > clip_range).float().mean()


def normalized(advantage: Tensor) -> Tensor:
    """Return advantages of mean 0 and standard deviation 1, shape [B]; a single one stays as it is."""
    if advantage.numel() < 2:
        return advantage
    return (advantage - advantage.mean()) / (advantage.std() + 1e-8)
