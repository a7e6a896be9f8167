"""Optimisers over all parameters as one vector, so that a step costs few operations whatever the number of layers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rlcourse.core import fits

__all__ = ["FlatAdam", "FlatOptimizer", "FlatRMSprop", "flatten", "shaped"]


def flatten(*parameters: nn.Parameter) -> Tensor:
    """Move parameters into one flat tensor, in place, and return it, shape [P]: a target network follows another by one `lerp_`.

    Each keeps its order in memory, so that the weights of a convolution that are channels-last stay so.
    """
    flat = torch.cat([(p.detach().permute(0, 2, 3, 1) if _channels_last(p) else p.detach()).reshape(-1) for p in parameters])
    for parameter, part in zip(parameters, flat.split([parameter.numel() for parameter in parameters]), strict=True):
        parameter.data = shaped(part, parameter)
    return flat


def _channels_last(x: Tensor) -> bool:
    return x.dim() == 4 and not x.is_contiguous() and x.is_contiguous(memory_format=torch.channels_last)


def shaped(part: Tensor, parameter: Tensor) -> Tensor:
    """Return a flat part, shape [..., n], as a view [..., *shape] of the shape of a parameter and of its order in memory."""
    if not _channels_last(parameter):
        return part.view((*part.shape[:-1], *parameter.shape))
    outputs, inputs, height, width = parameter.shape
    return part.view(*part.shape[:-1], outputs, height, width, inputs).movedim(-1, -3)


class FlatOptimizer(ABC):
    """Gradient descent with clipping; parameters and gradients of the modules become views of two flat tensors.

    Parameters
    ----------
    *modules : nn.Module
        Their parameters are moved into one flat tensor, in place; a parameter that several of them share is there once.
    max_grad_norm : float, optional
        The gradient is scaled down to this norm where it is longer (Pascanu et al. 2013).
    max_grad_value : float, optional
        Each element of the gradient is clipped to this magnitude, before the norm.
    encoder_pace : float
        Learning rate of the parameters of an `encoder`, as a share of the others'.
    all_reduce : callable, optional
        Adds up the gradient over the processes that learn together, in place, before it is clipped.

    Attributes
    ----------
    learned : list of Parameter
        All that have a gradient.
    parameters, gradient : Tensor, shape [P]
    steps : int
        Updates made.
    """

    def __init__(
        self,
        *modules: nn.Module,
        max_grad_norm: float | None = None,
        max_grad_value: float | None = None,
        encoder_pace: float = 1.0,
        all_reduce: Callable[[Tensor], None] | None = None,
    ) -> None:
        every = dict.fromkeys(parameter for module in modules for parameter in module.parameters())
        self.learned = listed = [parameter for parameter in every if parameter.requires_grad]
        self.parameters = flatten(*listed)
        self.gradient = torch.zeros_like(self.parameters)
        start = 0
        for parameter in listed:
            part = slice(start, start + parameter.numel())
            parameter.grad = shaped(self.gradient[part], parameter)
            start = part.stop
        self._order: Tensor | None = None  # [P] where the elements are in memory, where some are not where files have them
        if any(map(_channels_last, listed)):
            places = torch.arange(start, device=self.parameters.device).split([parameter.numel() for parameter in listed])
            self._order = torch.cat([shaped(part, parameter).reshape(-1) for part, parameter in zip(places, listed, strict=True)])
        self.max_grad_norm, self.max_grad_value = max_grad_norm, max_grad_value
        self.pace: Tensor | None = None  # [P] shares of the learning rate, where they are not all 1
        if encoder_pace != 1.0:
            encoders = {parameter for module in modules for name, parameter in module.named_parameters() if ".encoder." in f".{name}"}
            each = [torch.full((parameter.numel(),), encoder_pace if parameter in encoders else 1.0) for parameter in listed]
            self.pace = torch.cat(each).to(self.parameters.device)
        self.all_reduce = all_reduce
        self.steps = 0

    def fix(self, fixed: bool) -> None:
        """Let a loss that runs through the modules ask for no gradient of theirs, or ask for it again."""
        for parameter in self.learned:
            parameter.requires_grad_(not fixed)

    def step(self, loss: Tensor, learning_rate: float, share: float = 1.0) -> None:
        """Go one step down the gradient of a loss, or of the joint one of which it is a share: nothing, where that is 0."""
        self.gradient.zero_()
        if share:
            (loss if share == 1.0 else share * loss).backward()
        self.descend(learning_rate)

    def descend(self, learning_rate: float) -> None:
        """Clip the gradient that is there, and go one step down."""
        if self.all_reduce is not None:
            self.all_reduce(self.gradient)
        if self.max_grad_value is not None:
            self.gradient.clamp_(-self.max_grad_value, self.max_grad_value)
        if self.max_grad_norm is not None:
            norm = torch.linalg.vector_norm(self.gradient)
            if self.gradient.is_cuda:  # without waiting for it
                self.gradient.mul_((self.max_grad_norm / (norm + 1e-6)).clamp_(max=1.0))
            elif (length := norm.item()) > self.max_grad_norm:
                self.gradient.mul_(self.max_grad_norm / (length + 1e-6))
        self.steps += 1
        self._descend(learning_rate)

    def _move(self, direction: Tensor, root: Tensor, step: float) -> None:
        """Go against a direction, divided by a root, each element at its pace."""
        if self.pace is not None:
            root.div_(self.pace)
        self.parameters.addcdiv_(direction, root, value=-step)

    @abstractmethod
    def _descend(self, learning_rate: float) -> None:
        """Change the parameters by the clipped gradient."""

    @abstractmethod
    def _moments(self) -> dict[str, Tensor]:
        """Return the moments by name, each of shape [P], as they are in memory."""

    def state_dict(self) -> dict[str, Any]:
        """Return the moments and the count of steps; the order of elements is that of contiguous parameters, on every device."""
        moments = self._moments()
        if self._order is not None:
            moments = {name: moment[self._order] for name, moment in moments.items()}
        return {**moments, "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over moments and count."""
        for name, mine in self._moments().items():
            given = torch.as_tensor(fits.shaped(state[name], tuple(mine.shape), np.float32, f"optimizer.{name}")).to(mine)
            if self._order is None:
                mine.copy_(given)
            else:
                mine[self._order] = given
        self.steps = fits.whole_in(state["steps"], 0, 2**62, "optimizer.steps")


class FlatAdam(FlatOptimizer):
    """Adam (Kingma & Ba 2015).

    Parameters
    ----------
    eps : float
        Added to the root of the second moment.
    betas : tuple of float
        Decay of the first and of the second moment.
    **shared
        Those of `FlatOptimizer`.
    """

    def __init__(
        self,
        *modules: nn.Module,
        eps: float = 1e-8,
        betas: tuple[float, float] = (0.9, 0.999),
        **shared: Any,
    ) -> None:
        super().__init__(*modules, **shared)
        self.first_moment, self.second_moment = torch.zeros_like(self.parameters), torch.zeros_like(self.parameters)
        self.eps, self.betas = eps, betas

    def _descend(self, learning_rate: float) -> None:
        one, two = self.betas
        self.first_moment.lerp_(self.gradient, 1.0 - one)
        self.second_moment.mul_(two).addcmul_(self.gradient, self.gradient, value=1.0 - two)
        unbiased = (1.0 - two**self.steps) ** 0.5  # taken out of the root, and into the step and epsilon
        root = self.second_moment.sqrt().add_(self.eps * unbiased)
        self._move(self.first_moment, root, learning_rate * unbiased / (1.0 - one**self.steps))

    def _moments(self) -> dict[str, Tensor]:
        return {"first_moment": self.first_moment, "second_moment": self.second_moment}


class FlatRMSprop(FlatOptimizer):
    """RMSprop as A3C used it (Mnih et al. 2016): epsilon within the root, the mean square starts at one.

    Parameters
    ----------
    eps : float
    decay : float
        Of the mean square.
    **shared
        Those of `FlatOptimizer`.
    """

    def __init__(
        self,
        *modules: nn.Module,
        eps: float = 1e-5,
        decay: float = 0.99,
        **shared: Any,
    ) -> None:
        super().__init__(*modules, **shared)
        self.mean_square = torch.ones_like(self.parameters)
        self.eps, self.decay = eps, decay

    def _descend(self, learning_rate: float) -> None:
        self.mean_square.mul_(self.decay).addcmul_(self.gradient, self.gradient, value=1.0 - self.decay)
        self._move(self.gradient, (self.mean_square + self.eps).sqrt_(), learning_rate)

    def _moments(self) -> dict[str, Tensor]:
        return {"mean_square": self.mean_square}
