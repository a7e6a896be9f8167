"""`QNetwork`: action values of an observation - with dueling heads, noisy layers, and distributions where they are asked for."""

from __future__ import annotations

import itertools
from typing import Any

import gymnasium as gym
import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from rlcourse.encoders import make

__all__ = ["NoisyLinear", "QNetwork"]


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
        drawn = torch.randn(self.in_features + self.out_features, generator=generator).to(self.weight.device)
        drawn = drawn.sign() * drawn.abs().sqrt()
        self.noise = drawn[: self.in_features], drawn[self.in_features :]

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs, shape [B, outputs], of inputs [B, inputs]."""
        if self.noise is None:
            return linear(x, self.weight, self.bias)
        inputs, outputs = self.noise
        # (W + sigma * outer(outputs, inputs)) x, without making the outer product
        return linear(x, self.weight, self.bias) + (linear(x * inputs, self.weight_sigma) + self.bias_sigma) * outputs


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

    def forward(self, observations: Any) -> Tensor:
        """Return values, shape [B, A], or logits of atoms or quantiles, shape [B, A, K]."""
        x = self.encoder(observations)
        for layer in self.hidden:
            x = torch.relu(layer(x))
        outputs = self.head(x)
        if self.atoms > 1:
            outputs = outputs.view(-1, self.actions, self.atoms)
        if self.value_head is None:
            return outputs
        value = self.value_head(x)
        return outputs - outputs.mean(1, keepdim=True) + (value.unsqueeze(1) if self.atoms > 1 else value)

    def reset_noise(self, generator: torch.Generator) -> None:
        """Draw the noise of all noisy layers anew."""
        for layer in self._noisy:
            layer.reset_noise(generator)

    def still(self) -> None:
        """Act and evaluate by the means of noisy layers from now on."""
        for layer in self._noisy:
            layer.noise = None
