"""`FlatAdam`: Adam over all parameters as one vector, so that a step costs few operations whatever the number of layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["FlatAdam"]


class FlatAdam:
    """Adam (Kingma & Ba 2015) with clipping by norm; parameters and gradients become views of two flat tensors.

    Parameters
    ----------
    module : nn.Module
        Its parameters are moved into one flat tensor, in place.
    eps : float
        Added to the root of the second moment.

    Attributes
    ----------
    parameters, gradient, first_moment, second_moment : Tensor, shape [P]
    steps : int
        Updates made.
    """

    def __init__(self, module: nn.Module, eps: float = 1e-5, betas: tuple[float, float] = (0.9, 0.999)) -> None:
        listed = list(module.parameters())
        self.parameters = torch.cat([parameter.detach().reshape(-1) for parameter in listed])
        self.gradient = torch.zeros_like(self.parameters)
        start = 0
        for parameter in listed:
            part = slice(start, start + parameter.numel())
            parameter.data = self.parameters[part].view_as(parameter)
            parameter.grad = self.gradient[part].view_as(parameter)
            start = part.stop
        self.first_moment, self.second_moment = torch.zeros_like(self.parameters), torch.zeros_like(self.parameters)
        self.steps, self.eps, self.betas = 0, eps, betas

    def step(self, loss: Tensor, learning_rate: float, max_grad_norm: float | None) -> None:
        """Go one step down the gradient of a loss."""
        self.gradient.zero_()
        loss.backward()
        if max_grad_norm is not None:
            scale = max_grad_norm / (torch.linalg.vector_norm(self.gradient) + 1e-6)
            self.gradient.mul_(scale.clamp_(max=1.0))
        self.steps += 1
        one, two = self.betas
        self.first_moment.lerp_(self.gradient, 1.0 - one)
        self.second_moment.mul_(two).addcmul_(self.gradient, self.gradient, value=1.0 - two)
        root = (self.second_moment / (1.0 - two**self.steps)).sqrt_().add_(self.eps)
        self.parameters.addcdiv_(self.first_moment, root, value=-learning_rate / (1.0 - one**self.steps))
