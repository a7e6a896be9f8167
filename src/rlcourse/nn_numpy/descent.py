"""Gradient descent: plain, and Adam (Kingma & Ba 2015). Parameters are changed in place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.config import NonNegative, Probability

__all__ = ["SGD", "Adam"]


def _require_arrays(parameters: Sequence[np.ndarray]) -> None:
    if not all(isinstance(part, np.ndarray) and part.dtype.kind == "f" for part in parameters):
        raise ValueError("parameters must be arrays of floats, which are changed in place")


class SGD:
    """Stochastic gradient descent: theta <- theta - learning_rate * gradient."""

    @checked
    def __init__(self, parameters: Sequence[np.ndarray]) -> None:
        _require_arrays(parameters)
        self.parameters = parameters

    def step(self, gradients: Sequence[np.ndarray], learning_rate: float) -> None:
        """Go one step down."""
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter -= learning_rate * gradient


class Adam:
    """Adam: steps along the running mean of the gradient, divided by the root of the running mean of its square (Algorithm 1)."""

    @checked
    def __init__(
        self, parameters: Sequence[np.ndarray], beta1: Probability = 0.9, beta2: Probability = 0.999, eps: NonNegative = 1e-8
    ) -> None:
        _require_arrays(parameters)
        self.parameters, self.beta1, self.beta2, self.eps = parameters, beta1, beta2, eps
        self.m, self.v = [np.zeros_like(part) for part in parameters], [np.zeros_like(part) for part in parameters]
        self.t = 0

    def step(self, gradients: Sequence[np.ndarray], learning_rate: float) -> None:
        """Go one step down."""
        self.t += 1
        for theta, g, m, v in zip(self.parameters, gradients, self.m, self.v, strict=True):
            m += (1.0 - self.beta1) * (g - m)
            v += (1.0 - self.beta2) * (g * g - v)
            m_hat, v_hat = m / (1.0 - self.beta1**self.t), v / (1.0 - self.beta2**self.t)
            theta -= learning_rate * m_hat / (np.sqrt(v_hat) + self.eps)
