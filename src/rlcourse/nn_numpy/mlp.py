"""A multi-layer perceptron, forward and backward.

    z_k = a_{k-1} W_k + b_k,    a_k = f(z_k),    a_0 = x,    y = z_K                               (forward)
    d z_k = d a_k f'(z_k),    d W_k = a_{k-1}^T d z_k,    d b_k = sum d z_k,    d a_{k-1} = d z_k W_k^T   (backward)

Batch normalisation, where it is wanted, stands between z and f; the bias before it would be subtracted again with the mean and stays 0.
All weights equal (zeros, ones) make all units of a layer equal, and their gradients too: they stay so for ever.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.nn_numpy.batch_norm import BatchNorm
from rlcourse.nn_numpy.initial_weights import INITIAL_WEIGHTS

__all__ = ["ACTIVATIONS", "MLP"]

# name: the function, and its slope in terms of its value
ACTIVATIONS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]] = {
    "relu": (lambda z: np.maximum(z, 0.0), lambda a: (a > 0.0).astype(float)),
    "tanh": (np.tanh, lambda a: 1.0 - a * a),
    "sigmoid": (lambda z: 0.5 * (1.0 + np.tanh(0.5 * z)), lambda a: a * (1.0 - a)),  # so written it never overflows
}


class MLP:
    """Linear layers with an activation between them.

    Parameters
    ----------
    sizes : tuple of int
        Widths: of the input, the hidden layers, the output.
    rng : Generator
        Draws the weights; biases are zero.
    activation : {"relu", "tanh", "sigmoid"}
    init : str
        A name of `INITIAL_WEIGHTS`.
    batch_norm : bool
        Whether hidden layers are normalised.

    Attributes
    ----------
    parameters, gradients : list of ndarray
        Weight [in, out] and bias [out] of each layer, then gamma and beta of each normalisation; gradients of the last `backward`.
    """

    @checked
    def __init__(
        self,
        sizes: tuple[int, ...],
        rng: np.random.Generator,
        activation: str = "relu",
        init: str = "1/sqrt(n)",
        batch_norm: bool = False,
    ) -> None:
        for name, value, known in (("activation", activation, ACTIVATIONS), ("init", init, INITIAL_WEIGHTS)):
            if value not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, not {value!r:.60}")
        if len(sizes) < 2 or not all(isinstance(size, int) and size >= 1 for size in sizes):
            raise ValueError(f"sizes must be at least two whole numbers >= 1, not {sizes!r:.60}")
        self.activation, self.slope = ACTIVATIONS[activation]
        shapes = list(itertools.pairwise(sizes))
        self.weights = [INITIAL_WEIGHTS[init](shape, rng) for shape in shapes]
        self.biases = [np.zeros(outputs) for _, outputs in shapes]
        self.norms = [BatchNorm(width) for width in sizes[1:-1]] if batch_norm else []
        self.d_weights, self.d_biases = [np.zeros_like(W) for W in self.weights], [np.zeros_like(b) for b in self.biases]

    @property
    def parameters(self) -> list[np.ndarray]:
        """All that is learned; change it in place."""
        return [*self.weights, *self.biases, *(part for norm in self.norms for part in norm.parameters)]

    @property
    def gradients(self) -> list[np.ndarray]:
        """The gradient of each parameter."""
        return [*self.d_weights, *self.d_biases, *(part for norm in self.norms for part in norm.gradients)]

    def forward(self, x: np.ndarray, train: bool = True) -> np.ndarray:
        """Return outputs [B, O] of inputs [B, I]; `train` is for batch normalisation, see there."""
        self._inputs = []  # of each layer
        last = len(self.weights) - 1
        for k, (W, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            self._inputs.append(x)
            x = x @ W + b
            if k < last:
                x = self.norms[k].forward(x, train) if self.norms else x
                x = self.activation(x)
        return x

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """Return the gradient by the inputs [B, I] of the last `forward`, given that by its outputs [B, O]; note all others."""
        for k in reversed(range(len(self.weights))):
            self.d_weights[k][:] = self._inputs[k].T @ dy
            self.d_biases[k][:] = dy.sum(axis=0)
            dy = dy @ self.weights[k].T
            if k > 0:
                dy = dy * self.slope(self._inputs[k])
                dy = self.norms[k - 1].backward(dy) if self.norms else dy
        return dy
