"""Losses of the deep agents, as pure functions of tensors.

Where a batch has a fixed shape whatever it holds, `counted`, bool [B], says which of its samples there are: the others have no part in a
loss, and no gradient. Without it all count.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

__all__ = [
    "approximate_kl",
    "clip_fraction",
    "clipped_surrogate",
    "clipped_value_loss",
    "mean_of",
    "normalized",
    "policy_gradient_loss",
    "value_loss",
    "variance_of",
]


def mean_of(x: Tensor, counted: Tensor | None = None) -> Tensor:
    """Return the mean of those that count, a scalar; 0 where none does."""
    return x.mean() if counted is None else torch.where(counted, x, 0.0).sum() / counted.sum().clamp(min=1)


def variance_of(x: Tensor, counted: Tensor | None = None) -> Tensor:
    """Return the variance of those that count, a scalar."""
    return x.var(correction=0) if counted is None else mean_of((x - mean_of(x, counted)).square(), counted)


def policy_gradient_loss(log_prob: Tensor, advantage: Tensor, counted: Tensor | None = None) -> Tensor:
    """Return the loss whose gradient is minus the policy gradient (Sutton & Barto, Eq. 13.8, without gamma^t), a scalar.

    Parameters
    ----------
    log_prob : Tensor, shape [B]
        Log-probabilities of the taken actions.
    advantage : Tensor, shape [B]
        What followed them, less a baseline; no gradient flows through it.
    counted : Tensor of bool, shape [B], optional
    """
    return -mean_of(log_prob * advantage, counted)


def clipped_surrogate(
    log_prob: Tensor, old_log_prob: Tensor, advantage: Tensor, clip_range: float | Tensor, counted: Tensor | None = None
) -> Tensor:
    """Return PPO's clipped surrogate objective as a loss (Schulman et al. 2017, Eq. 7), a scalar.

    Parameters
    ----------
    log_prob, old_log_prob : Tensor, shape [B]
        Log-probabilities of the taken actions now and when they were taken.
    advantage : Tensor, shape [B]
    clip_range : float
        Epsilon: a ratio outside [1 - epsilon, 1 + epsilon] earns nothing more.
    counted : Tensor of bool, shape [B], optional
    """
    ratio = torch.exp(log_prob - old_log_prob)
    clipped = ratio.clamp(1.0 - clip_range, 1.0 + clip_range)  # type: ignore[arg-type]  # both are numbers, or both tensors
    return -mean_of(torch.minimum(ratio * advantage, clipped * advantage), counted)


def value_loss(value: Tensor, target: Tensor, counted: Tensor | None = None) -> Tensor:
    """Return the mean squared error of values, shape [B] both, a scalar."""
    return mse_loss(value, target) if counted is None else mean_of(mse_loss(value, target, reduction="none"), counted)


def clipped_value_loss(
    value: Tensor, old_value: Tensor, target: Tensor, clip_range: float | Tensor, counted: Tensor | None = None
) -> Tensor:
    """Return the mean squared error of values held within `clip_range` of those of the rollout, shape [B] all, a scalar.

    As in stable-baselines3: a value that has moved further has no gradient, whichever way it would go.
    """
    moved = (value - old_value).clamp(-clip_range, clip_range)  # type: ignore[arg-type]
    return value_loss(old_value + moved, target, counted)


def approximate_kl(log_prob: Tensor, old_log_prob: Tensor, counted: Tensor | None = None) -> Tensor:
    """Return the estimate of KL(old || new) from the old policy's samples, shape [B] both, a scalar.

    The mean of r - 1 - log r with r = new / old: unbiased, and never negative (Schulman 2020, "Approximating KL divergence", k3).
    """
    log_ratio = log_prob - old_log_prob
    return mean_of(log_ratio.exp() - 1.0 - log_ratio, counted)


def clip_fraction(log_prob: Tensor, old_log_prob: Tensor, clip_range: float | Tensor, counted: Tensor | None = None) -> Tensor:
    """Return the share of samples whose ratio has left [1 - clip_range, 1 + clip_range], a scalar."""
    return mean_of(((log_prob - old_log_prob).exp().sub(1.0).abs() > clip_range).float(), counted)


def normalized(advantage: Tensor, counted: Tensor | None = None) -> Tensor:
    """Return advantages of mean 0 and standard deviation 1, shape [B]; a single one stays as it is."""
    if counted is not None:
        away, n = advantage - mean_of(advantage, counted), counted.sum()
        deviation = (mean_of(away.square(), counted) * n / (n - 1).clamp(min=1)).sqrt()
        return torch.where(n < 2, advantage, away / (deviation + 1e-8))
    if advantage.numel() < 2:
        return advantage
    return (advantage - advantage.mean()) / (advantage.std() + 1e-8)
