"""`QNetwork`: action values of an observation - with dueling heads, noisy layers, and distributions where they are asked for."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from rlcourse.encoders import make
from rlcourse.encoders.passes import forward_pass, hand_written

__all__ = ["NoisyLinear", "QNetwork", "perceptron"]


class _Perceptron(torch.autograd.Function):
    """`perceptron` with its gradient written out: a third of the time of one node per operation."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, *layers: Tensor) -> Tensor:
        inputs = [x]
        for weight, bias in zip(layers[:-2:2], layers[1:-2:2], strict=True):
            inputs.append(linear(inputs[-1], weight, bias).relu_())
        ctx.save_for_backward(*inputs, *layers[::2])
        return linear(inputs[-1], layers[-2], layers[-1])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        dy, depth = gradients[0], len(ctx.saved_tensors) // 2
        inputs, weights = ctx.saved_tensors[:depth], ctx.saved_tensors[depth:]
        found: list[Tensor] = []
        for k in range(depth - 1, -1, -1):
            found += [dy.sum(0), dy.t().mm(inputs[k])]
            if k:
                dy = torch.ops.aten.threshold_backward(dy.mm(weights[k]), inputs[k], 0)
        return dy.mm(weights[0]) if ctx.needs_input_grad[0] else None, *found[::-1]


def perceptron(x: Tensor, *layers: Tensor) -> Tensor:
    """Return linear layers with ReLU between them, of inputs [B, I]; `layers` are weight [O, I], bias [O], weight, bias, ..."""
    if hand_written(x):
        outputs: Tensor = _Perceptron.apply(x, *layers)
        return outputs
    return _plain(x, *layers)


def _plain(x: Tensor, *layers: Tensor) -> Tensor:
    """Do as `perceptron`, by operations that `torch.func` transforms."""
    for weight, bias in zip(layers[:-2:2], layers[1:-2:2], strict=True):
        x = linear(x, weight, bias).relu_()
    return linear(x, layers[-2], layers[-1])


class NoisyLinear(nn.Linear):
    """A linear layer whose weights have learned noise, factorised (Fortunato et al. 2018, Section 3, b).

    Without `reset_noise`, or after ``noise = None``, it is the layer of the means.

    Parameters
    ----------
    inputs, outputs : int
    sigma : float
        Initial deviation, divided by the root of the inputs.
    """

    def __init__(self, inputs: int, outputs: int, sigma: float) -> None:
        super().__init__(inputs, outputs)
        self.weight_sigma = nn.Parameter(torch.full((outputs, inputs), sigma / inputs**0.5))
        self.bias_sigma = nn.Parameter(torch.full((outputs,), sigma / inputs**0.5))
        self.noise: tuple[Tensor, Tensor] | None = None

    def reset_noise(self, generator: torch.Generator) -> None:
        """Draw new noise: f(x) = sign(x) sqrt(|x|) of normal numbers, one for each input and each output."""
        self.noise = self.factors(torch.randn(self.in_features + self.out_features, generator=generator).to(self.weight.device))

    def factors(self, drawn: Tensor) -> tuple[Tensor, Tensor]:
        """Return the noise of inputs and of outputs, of as many normal numbers, shape [inputs + outputs]."""
        drawn = drawn.sign() * drawn.abs().sqrt()
        return drawn[: self.in_features], drawn[self.in_features :]

    def noisy(self, noise: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """Return weight and bias with a noise in them, or with the layer's own."""
        noise = self.noise if noise is None else noise
        if noise is None:
            return self.weight, self.bias
        inputs, outputs = noise
        weight = torch.addcmul(self.weight, self.weight_sigma, torch.outer(outputs, inputs))
        return weight, torch.addcmul(self.bias, self.bias_sigma, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs, shape [B, outputs], of inputs [B, inputs]."""
        return linear(x, *self.noisy())


class QNetwork(nn.Module):
    """An encoder, hidden layers with ReLU, and a head for each action.

    Parameters
    ----------
    observation_space : gymnasium.Space
    actions : int
    hidden : tuple of int
    encoder : str
        Name for `rlcourse.encoders.make`.
    dueling : bool
        Two heads, value and advantage, joined as V + A - mean(A) (Wang et al. 2016, Eq. 9).
    noisy : float
        Initial deviation of noisy layers after the encoder; 0: plain layers.
    atoms : int
        Outputs of an action: 1 is its value, more are logits of atoms or quantiles.
    xavier : bool
        Weights by Glorot & Bengio (2010) and biases zero, instead of torch's own.
    """

    def __init__(
        self,
        observation_space: gym.Space[Any],
        actions: int,
        hidden: tuple[int, ...],
        encoder: str,
        dueling: bool = False,
        noisy: float = 0.0,
        atoms: int = 1,
        xavier: bool = False,
    ) -> None:
        super().__init__()
        self.actions, self.atoms, self.dueling = actions, atoms, dueling
        self.encoder = make(encoder, observation_space)
        sizes = [int(self.encoder.features_dim), *hidden]  # type: ignore[arg-type]

        def layer(inputs: int, outputs: int) -> nn.Linear:
            made = NoisyLinear(inputs, outputs, noisy) if noisy else nn.Linear(inputs, outputs)
            if xavier:
                nn.init.xavier_uniform_(made.weight)
                nn.init.zeros_(made.bias)
            return made

        self.hidden = nn.ModuleList(layer(i, o) for i, o in itertools.pairwise(sizes))
        self.head = layer(sizes[-1], actions * atoms)
        self.value_head = layer(sizes[-1], atoms) if dueling else None
        self._noisy = [part for part in self.modules() if isinstance(part, NoisyLinear)]
        self._layers: list[Tensor] = []  # weights and biases, where they are the parameters themselves

    @forward_pass
    def forward(self, observations: Any) -> Tensor:
        """Return values, shape [B, A], or logits of atoms or quantiles, shape [B, A, K]."""
        outputs = perceptron(self.encoder.forward(observations), *(self._layers or self._lasting()))
        return outputs if self.atoms == 1 else outputs.view(-1, self.actions, self.atoms)

    @forward_pass
    def plain(self, observations: Any, noise: Tensor | None = None) -> Tensor:
        """Return what `forward` does, by operations that `torch.func` transforms, of the parameters that the network has now.

        Parameters
        ----------
        observations : Tensor, shape [B, ...]
        noise : Tensor, shape [noises], optional
            Normal numbers that make the noise of the noisy layers; None: that of `reset_noise`.
        """
        outputs = _plain(self.encoder.forward(observations), *self._combined(noise))
        return outputs if self.atoms == 1 else outputs.view(-1, self.actions, self.atoms)

    def taped(self, observations: Any) -> tuple[Tensor, Callable[[Tensor], None]]:
        """Return values, shape [B, A], and what writes gradients into the parameters, given that of a loss by the values.

        The same as `forward` and ``backward`` of a graph, without one; only where all parameters are layers of a perceptron.
        """
        layers = self._layers or self._lasting()
        inputs = [self.encoder.forward(observations)]
        for weight, bias in zip(layers[:-2:2], layers[1:-2:2], strict=True):
            inputs.append(linear(inputs[-1], weight, bias).relu_())

        def back(dy: Tensor) -> None:
            for k in range(len(inputs) - 1, -1, -1):
                weight, bias = layers[2 * k], layers[2 * k + 1]
                torch.sum(dy, 0, out=bias.grad)
                torch.mm(dy.t(), inputs[k], out=weight.grad)
                if k:
                    dy = torch.ops.aten.threshold_backward(dy.mm(weight), inputs[k], 0)

        return linear(inputs[-1], layers[-2], layers[-1]), back

    @property
    def is_perceptron(self) -> bool:
        """Whether all parameters are layers of a perceptron: no noise, no second head, nothing to learn in the encoder."""
        learned = any(parameter.requires_grad for parameter in self.encoder.parameters())
        return not self._noisy and self.value_head is None and not learned

    @property
    def noises(self) -> int:
        """How many normal numbers make the noise of all noisy layers."""
        return sum(layer.in_features + layer.out_features for layer in self._noisy)

    def _lasting(self) -> list[Tensor]:
        """Return `_combined`, and keep it where it does not change with the parameters."""
        layers = self._combined()
        if not self._noisy and self.value_head is None:
            self._layers = layers
        return layers

    def _combined(self, noise: Tensor | None = None) -> list[Tensor]:
        """Return the weights and biases of a plain perceptron that computes the same: noise and both heads are linear."""
        heads = [self.head] if self.value_head is None else [self.head, self.value_head]
        parts: list[Any] = [*self.hidden, *heads]
        layers = [(part.weight, part.bias) for part in parts] if not self._noisy else _with_noise(parts, noise)
        if self.value_head is not None:
            value = layers.pop()
            layers[-1] = tuple(_duel(a, v, self.actions) for a, v in zip(layers[-1], value, strict=True))  # type: ignore[assignment]
        return [tensor for layer in layers for tensor in layer]

    def reset_noise(self, generator: torch.Generator) -> None:
        """Draw the noise of all noisy layers anew."""
        for layer in self._noisy:
            layer.reset_noise(generator)

    def still(self) -> None:
        """Act and evaluate by the means of noisy layers from now on."""
        for layer in self._noisy:
            layer.noise = None


def _with_noise(layers: list[NoisyLinear], noise: Tensor | None) -> list[tuple[Tensor, Tensor]]:
    """Return weights and biases of noisy layers, with their own noise, or with that of so many normal numbers."""
    if noise is None:
        return [layer.noisy() for layer in layers]
    drawn = noise.split([layer.in_features + layer.out_features for layer in layers])
    return [layer.noisy(layer.factors(each)) for layer, each in zip(layers, drawn, strict=True)]


def _duel(advantages: Tensor, value: Tensor, actions: int) -> Tensor:
    """Return weights or biases of V + A - mean(A), of those of A, shape [A K, ...], and of V, shape [K, ...]."""
    each = advantages.view(actions, *value.shape)
    return (each + (value - each.mean(0))).view_as(advantages)
