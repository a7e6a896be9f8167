"""Gradient descent: plain, and Adam (Kingma & Ba 2015). Parameters are changed in place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["SGD", "Adam"]


class SGD:
    """Stochastic gradient descent: theta <- theta - learning_rate * gradient."""

    def __init__(self, parameters: Sequence[np.ndarray]) -> None:
        self.parameters = parameters

    def step(self, gradients: Sequence[np.ndarray], learning_rate: float) -> None:
        """Go one step down."""
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter -= learning_rate * gradient


class Adam:
    """Adam: steps along the running mean of the gradient, divided by the root of the running mean of its square (Algorithm 1)."""

    def __init__(self, parameters: Sequence[np.ndarray], beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> None:
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
