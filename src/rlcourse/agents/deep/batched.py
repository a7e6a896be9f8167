"""Several perceptrons at once: one batched matrix product per layer, with batch renormalisation where it is wanted.

A twin of critics costs little more than one, because on small networks nearly all the time is overhead per operation.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from rlcourse.encoders.passes import widened

__all__ = ["BatchRenorm", "BatchedMLP", "batch_norm"]


class _BatchNorm(torch.autograd.Function):
    """Batch normalisation with its gradient written out; `torch.func.vmap` takes it over several agents as it is."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, gamma: Tensor, beta: Tensor, centred: Tensor, deviation: Tensor) -> Tensor:
        return torch.addcmul(beta, centred, gamma / deviation)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        _, gamma, _, centred, deviation = inputs
        ctx.save_for_backward(centred, gamma, deviation)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        centred, gamma, deviation = ctx.saved_tensors
        dy, size = gradients[0], centred.shape[-2]
        d_beta = dy.sum(-2, keepdim=True)
        d_gamma = (dy * centred).sum(-2, keepdim=True) / deviation
        dx = None
        if ctx.needs_input_grad[0]:
            scale = gamma / deviation
            shift = torch.addcmul(scale * d_beta / -size, centred, scale * d_gamma / (deviation * -size))
            dx = torch.addcmul(shift, dy, scale)
        return dx, d_gamma, d_beta, None, None


def batch_norm(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return x normalised over its batch, and the batch's mean and variance (Ioffe & Szegedy 2015, Algorithm 1).

    With y = gamma * xh + beta and xh = (x - mean) / sqrt(variance + eps), the gradient is ``d beta = sum dy``,
    ``d gamma = sum dy xh`` and ``dx = gamma / (B sqrt(variance + eps)) (B dy - d beta - xh d gamma)``.

    Parameters
    ----------
    x : Tensor, shape [..., B, F]
    gamma, beta : Tensor, shape [..., 1, F]
    eps : float

    Returns
    -------
    y : Tensor, shape [..., B, F]
    mean, variance : Tensor, shape [..., 1, F]
        Without gradient; the variance is the biased one, which divides by B.
    """
    x = widened(x)  # within a pass in bfloat16 statistics, and the gradient that is written out, are float32
    centred, mean, variance = _moments(x)
    return _BatchNorm.apply(x, gamma, beta, centred, (variance + eps).sqrt_()), mean, variance


@torch.no_grad()
def _moments(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return x without its mean, the mean and the biased variance over the batch; `torch.var_mean` is slow along this axis."""
    mean = x.mean(-2, keepdim=True)
    centred = x - mean
    return centred, mean, (centred * centred).mean(-2, keepdim=True)


class BatchRenorm(nn.Module):
    """Batch renormalisation (Ioffe 2017) of the inputs of several networks, each by its own statistics.

    For `warmup` updates it is batch normalisation. Then the normalised batch is corrected to what the running statistics would have
    made of it, ``xh r + d`` with ``r = batch deviation / running deviation`` and ``d = (batch mean - running mean) / running
    deviation``, both without gradient and bounded, so that an odd batch cannot move the function that acting sees.

    Parameters
    ----------
    networks, features : int
    momentum : float
        How far the running statistics move towards each batch.
    eps : float
    warmup : int
        Updates before the correction begins.
    r_max, d_max : float
        Bounds: 1 / r_max <= r <= r_max and abs(d) <= d_max.

    Attributes
    ----------
    mean, variance : Tensor, shape [networks, 1, features]
        Running statistics: buffers, so they are saved; moved by ``forward(x, True)`` only.
    updates : int, or Tensor of int64
        How often they were moved; saved too. A tensor where several agents learn as one (`rlcourse.agents.deep.programs.stack`).
    """

    mean: Tensor
    variance: Tensor

    def __init__(
        self,
        networks: int,
        features: int,
        momentum: float,
        eps: float = 1e-3,
        warmup: int = 100_000,
        r_max: float = 3.0,
        d_max: float = 5.0,
    ) -> None:
        super().__init__()
        self.momentum, self.eps, self.warmup, self.r_max, self.d_max = momentum, eps, warmup, r_max, d_max
        self.scale, self.shift = nn.Parameter(torch.ones(networks, 1, features)), nn.Parameter(torch.zeros(networks, 1, features))
        self.register_buffer("mean", torch.zeros(networks, 1, features))
        self.register_buffer("variance", torch.ones(networks, 1, features))
        self.updates: int | Tensor = 0

    def forward(self, x: Tensor, train: bool) -> Tensor:
        """Return x, shape [networks, B, features], normalised.

        Parameters
        ----------
        x : Tensor
        train : bool
            By the batch, which then moves the running statistics; else by the running statistics as they are, so that each row's
            result does not depend on the others. An argument and no mode of the module: nobody can forget to switch it back.
        """
        x = widened(x)  # as in `batch_norm`
        scale: Tensor = self.scale
        shift: Tensor = self.shift
        if not train:
            return torch.addcmul(shift, x - self.mean, scale * torch.rsqrt(self.variance + self.eps))
        centred, mean, variance = _moments(x)
        deviation = (variance + self.eps).sqrt_()
        late = self.updates >= self.warmup
        if isinstance(late, Tensor) or late:  # gamma (xh r + d) + beta is batch normalisation with gamma r and gamma d + beta
            running = (self.variance + self.eps).sqrt()
            r = (deviation / running).clamp(1.0 / self.r_max, self.r_max)
            d = ((mean - self.mean) / running).clamp(-self.d_max, self.d_max)
            if isinstance(late, Tensor):
                r, d = torch.where(late, r, 1.0), torch.where(late, d, 0.0)
            scale, shift = scale * r, torch.addcmul(shift, scale, d)
        y: Tensor = _BatchNorm.apply(x, scale, shift, centred, deviation)
        self.mean.copy_(torch.lerp(self.mean, mean, self.momentum))  # vmap would make a loop over agents of `lerp_`
        self.variance.copy_(torch.lerp(self.variance, variance, self.momentum))
        self.updates += 1
        return y

    def get_extra_state(self) -> Tensor:
        """Return the count of updates as the module's file holds it."""
        return torch.tensor(self.updates)

    def set_extra_state(self, state: Any) -> None:
        """Take over the count of updates."""
        self.updates = int(state)


class BatchedMLP(nn.Module):
    """Perceptrons of the same sizes, ReLU between their layers; optionally with batch renormalisation before each linear layer.

    Parameters
    ----------
    networks, inputs : int
        How many, and the width of their input.
    hidden : tuple of int
    outputs : int
    generator : torch.Generator
        Draws weights and biases uniformly within 1 / sqrt(width of the layer's input), torch's own default.
    norm : dict, optional
        Settings of `BatchRenorm`; None: no normalisation.
    """

    def __init__(
        self,
        networks: int,
        inputs: int,
        hidden: tuple[int, ...],
        outputs: int,
        generator: torch.Generator,
        norm: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.networks = networks
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()  # [networks, in, out], [networks, 1, out]
        self.norms = nn.ModuleList()
        for i, o in zip((inputs, *hidden), (*hidden, outputs), strict=True):
            bound = i**-0.5
            self.weights.append(nn.Parameter(torch.empty(networks, i, o).uniform_(-bound, bound, generator=generator)))
            self.biases.append(nn.Parameter(torch.empty(networks, 1, o).uniform_(-bound, bound, generator=generator)))
            if norm is not None:
                self.norms.append(BatchRenorm(networks, i, **norm))

    def forward(self, x: Tensor, train: bool = False) -> Tensor:
        """Return outputs, shape [networks, B, outputs].

        Parameters
        ----------
        x : Tensor, shape [B, inputs] or [networks, B, inputs]
            One input for all networks, or one for each.
        train : bool
            See `BatchRenorm.forward`.
        """
        x = x.expand(self.networks, *x.shape) if x.dim() == 2 else x
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = x.relu_() if layer else x  # in place: a product's gradient does not need its result
            x = self.norms[layer](x, train) if self.norms else x
            x = torch.baddbmm(bias, x, weight)
        return x

    def alone(self, network: int, x: Tensor) -> Tensor:
        """Return the outputs of one network without normalisation, shape [B, outputs], of inputs [B, inputs]."""
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.addmm(bias[network], x.relu_() if layer else x, weight[network])
        return x
