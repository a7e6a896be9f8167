"""Targets and losses of action values, as pure functions: expected values, categorical distributions (C51), quantiles (QR).

Throughout, B are transitions, A actions, and K atoms or quantiles. `discounts` are those of a `Batch`: gamma**n, zero after a
termination. What counts nothing is replaced and not multiplied by zero, so that a NaN in a terminal observation reaches no loss.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import mse_loss, smooth_l1_loss

__all__ = [
    "Prediction",
    "best_actions",
    "categorical_loss",
    "critic_loss",
    "existing",
    "pick",
    "project",
    "quantile_loss",
    "slopes",
    "taken",
    "td_targets",
]


def best_actions(values: Tensor, masks: Tensor | None) -> Tensor:
    """Return the greedy actions, shape [B], of values [B, A], among those that exist (masks of bool [B, A])."""
    return (values if masks is None else values.masked_fill(~masks, -torch.inf)).argmax(1)


def existing(logits: Tensor, masks: Tensor | None) -> Tensor:
    """Return values or logits [..., A] in which actions that do not exist (masks of bool [..., A]) are never the best, nor probable."""
    return logits if masks is None else logits.masked_fill(~masks, -1e9)  # finite: 0 times it is 0 in an entropy


def pick(outputs: Tensor, actions: Tensor) -> Tensor:
    """Return the outputs of actions [B]: shape [B] of [B, A], or [B, K] of [B, A, K]."""
    if outputs.dim() == 2:
        return outputs.gather(1, actions.unsqueeze(1)).squeeze(1)
    return outputs[torch.arange(len(actions), device=outputs.device), actions]


def taken(values: Tensor, actions: Tensor) -> Tensor:
    """Return the values of actions [B] by each of K critics, shape [K, B], of values [K, B, A]."""
    return values.gather(2, actions.expand(len(values), -1).unsqueeze(2)).squeeze(2)


def td_targets(rewards: Tensor, discounts: Tensor, following: Tensor) -> Tensor:
    """Return R + discount * V(S'), shape [B] or [B, K] as `following` is (Sutton & Barto, Eq. 6.8 and 7.4)."""
    if following.dim() == 2:
        rewards, discounts = rewards[:, None], discounts[:, None]
    return torch.where(discounts > 0, rewards + discounts * following, rewards)


def slopes(predicted: Tensor, targets: Tensor, loss: str) -> Tensor:
    """Return the derivatives of each loss by its prediction, shape [B] all: of Huber's (``loss="huber"``) or of the square ("mse")."""
    error = predicted - targets
    return error.clamp_(-1.0, 1.0) if loss == "huber" else error.mul_(2.0)


def project(targets: Tensor, probabilities: Tensor, v_min: float, v_max: float) -> Tensor:
    """Return distributions [B, K] over the atoms v_min..v_max, of atoms at targets [B, K] (Bellemare et al. 2017, Algorithm 1).

    The mass of an atom that falls between two of the support is shared by them according to its distance.
    """
    K = targets.shape[1]
    position = (targets.clamp(v_min, v_max) - v_min) * ((K - 1) / (v_max - v_min))  # [B, K] in units of atoms
    lower = position.floor().clamp_(max=K - 2)
    upper_share = position - lower
    projected = torch.zeros_like(probabilities)
    index = lower.nan_to_num(0.0).long()  # NaN stays NaN in its share, to be found in the weights
    projected.scatter_add_(1, index, probabilities * (1.0 - upper_share))
    return projected.scatter_add_(1, index + 1, probabilities * upper_share)


def categorical_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the cross-entropy of predicted logits [B, K] against target distributions [B, K], shape [B]."""
    return -(targets * torch.log_softmax(logits, dim=1)).sum(1)


def quantile_loss(quantiles: Tensor, targets: Tensor, kappa: float = 1.0) -> Tensor:
    """Return the quantile Huber loss of quantiles [B, K] against target samples [B, J], shape [B] (Dabney et al. 2018, Eq. 10).

    The K quantiles lie at the midpoints (k + 1/2) / K; the loss is summed over them and averaged over the targets.
    """
    K = quantiles.shape[1]
    tau = (torch.arange(K, dtype=quantiles.dtype, device=quantiles.device) + 0.5) / K
    error = targets[:, None, :] - quantiles[:, :, None]  # [B, K, J]
    huber = torch.where(error.abs() <= kappa, 0.5 * error.square(), kappa * (error.abs() - 0.5 * kappa))
    weight = (tau[None, :, None] - (error.detach() < 0).to(quantiles.dtype)).abs()
    return (weight * huber / kappa).mean(2).sum(1)


def critic_loss(values: Tensor, targets: Tensor) -> Tensor:
    """Return half the mean squared error of K critics' values [K, B] against targets [B], summed over the critics, a scalar."""
    return 0.5 * (values - targets).square().mean(1).sum()


class Prediction(NamedTuple):
    """What outputs of a network predict of the return: its expectation, [B, A], or its distribution, [B, A, K].

    Attributes
    ----------
    distributional : {"none", "c51", "qr"}
        An expectation, logits of atoms, or quantiles.
    loss : {"huber", "mse"}
        Of an expectation.
    support : Tensor, shape [K]
        Returns of the atoms, from `v_min` to `v_max`.
    """

    distributional: str
    loss: str
    support: Tensor
    v_min: float
    v_max: float

    def values(self, outputs: Tensor) -> Tensor:
        """Return action values, shape [B, A], of a network's outputs."""
        if self.distributional == "c51":
            return torch.softmax(outputs, dim=2) @ self.support
        return outputs.mean(2) if self.distributional == "qr" else outputs

    def targets(
        self, rewards: Tensor, discounts: Tensor, following: Tensor, chooser: Tensor | None = None, masks: Tensor | None = None
    ) -> Tensor:
        """Return targets: values [B], distributions over the support [B, K], or quantiles [B, K].

        Parameters
        ----------
        rewards, discounts : Tensor, shape [B]
        following : Tensor, shape [B, A] or [B, A, K]
            Outputs at S' of the network that values.
        chooser : Tensor, shape [B, A] or [B, A, K], optional
            Those of the network that chooses the action; None: the same.
        masks : Tensor of bool, shape [B, A], optional
            Actions that exist at S'.
        """
        if masks is None and chooser is None and self.distributional == "none":
            return td_targets(rewards, discounts, following.amax(1))
        chosen = pick(following, best_actions(self.values(following if chooser is None else chooser), masks))
        if self.distributional != "c51":
            return td_targets(rewards, discounts, chosen)
        probabilities = torch.where(discounts[:, None] > 0, torch.softmax(chosen, dim=1), 1.0 / len(self.support))
        atoms = td_targets(rewards, discounts, self.support.expand(len(rewards), -1))
        return project(atoms, probabilities, self.v_min, self.v_max)

    def losses(self, predicted: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each prediction, [B] or [B, K], shape [B]."""
        if self.distributional == "c51":
            return categorical_loss(predicted, targets)
        if self.distributional == "qr":
            return quantile_loss(predicted, targets)
        kind: Any = smooth_l1_loss if self.loss == "huber" else mse_loss
        each: Tensor = kind(predicted, targets, reduction="none")
        return each
