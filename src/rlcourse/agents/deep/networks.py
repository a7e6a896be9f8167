"""Networks of the policy-gradient agents: actor and critic as one batched network, and the two action distributions.

On small networks nearly all the time is overhead per operation, so operations are counted: both networks run as one batched
matrix product per layer, and acting touches the actor's half only.
"""

from __future__ import annotations

import math
from typing import Any

import gymnasium as gym
import torch
from torch import Tensor, nn

from rlcourse.agents.deep.losses import mean_of
from rlcourse.agents.deep.modes import seeded
from rlcourse.encoders import make
from rlcourse.encoders.passes import forward_pass

__all__ = ["ActorCritic"]


class ActorCritic(nn.Module):
    """An actor and a critic of the same hidden sizes, over one encoder that both share.

    Parameters
    ----------
    observation_space, action_space : gymnasium.Space
        Actions are Discrete (softmax) or Box (Gaussian, one learned standard deviation per dimension).
    hidden : tuple of int
        Widths of the hidden layers, tanh between them.
    encoder : str
        Name for `rlcourse.encoders.make`.
    generator : torch.Generator
        Draws the initial weights (orthogonal).
    log_std : float
        Initial log standard deviation of a Gaussian policy.
    """

    def __init__(
        self,
        observation_space: gym.Space[Any],
        action_space: gym.Space[Any],
        hidden: tuple[int, ...],
        encoder: str,
        generator: torch.Generator,
        log_std: float = 0.0,
    ) -> None:
        super().__init__()
        self.discrete = isinstance(action_space, gym.spaces.Discrete)
        n = int(action_space.n) if isinstance(action_space, gym.spaces.Discrete) else math.prod(action_space.shape or ())
        with seeded(generator):
            self.encoder = make(encoder, observation_space)
        sizes: list[int] = [int(self.encoder.features_dim), *hidden, n]  # type: ignore[arg-type]
        # Half 0 is the actor's, half 1 the critic's. The critic uses one output; its others stay zero.
        gains = [(2**0.5, 2**0.5)] * len(hidden) + [(0.01, 1.0)]
        self.weights = nn.ParameterList()  # [2, in, out]
        self.biases = nn.ParameterList()  # [2, 1, out]
        for i, o, (actor, critic) in zip(sizes[:-1], sizes[1:], gains, strict=True):
            last = len(self.weights) == len(hidden)
            weight = torch.zeros(2, i, o)
            weight[0] = _orthogonal(i, o, actor, generator)
            weight[1, :, : 1 if last else o] = _orthogonal(i, 1 if last else o, critic, generator)
            self.weights.append(nn.Parameter(weight))
            self.biases.append(nn.Parameter(torch.zeros(2, 1, o)))
        self.log_std = None if self.discrete else nn.Parameter(torch.full((n,), float(log_std)))

    @forward_pass
    def forward(self, observations: Any) -> tuple[Tensor, Tensor]:
        """Return the distribution's parameters, shape [B, A], and the values, shape [B]."""
        return self.decide(self.encoder(observations))

    @forward_pass
    def encode(self, observations: Any) -> Tensor:
        """Return the encoder's features, shape [B, F]."""
        features: Tensor = self.encoder(observations)
        return features

    @forward_pass
    def decide(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return the distribution's parameters, shape [B, A], and the values, shape [B], of the encoder's features [B, F]."""
        x = features.expand(2, *features.shape)
        *hidden, (weight, bias) = zip(self.weights, self.biases, strict=True)
        for w, b in hidden:
            x = torch.tanh(torch.baddbmm(b, x, w))
        x = torch.baddbmm(bias, x, weight)  # [2, B, A]
        return x[0], x[1, :, 0]

    @forward_pass
    def act(self, observations: Any) -> Tensor:
        """Return the distribution's parameters alone, shape [B, A]: the actor's half of `forward`."""
        x = self.encoder(observations)
        *hidden, (weight, bias) = zip(self.weights, self.biases, strict=True)
        for w, b in hidden:
            x = torch.tanh(torch.addmm(b[0], x, w[0]))
        return torch.addmm(bias[0], x, weight[0])

    def noise(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Return noise that makes `choose` sample: Gumbel for a softmax policy, normal for a Gaussian one; [*shape, A]."""
        shape = (*shape, self.biases[-1].shape[-1])
        if self.discrete:
            return torch.empty(shape).exponential_(generator=generator).log_().neg_()
        return torch.randn(shape, generator=generator)

    def choose(self, parameters: Tensor, noise: Tensor | None) -> Tensor:
        """Return actions, shape [B] or [B, A]; without noise the mode."""
        if self.discrete:
            return (parameters if noise is None else parameters + noise).argmax(-1)
        assert self.log_std is not None
        return parameters if noise is None else parameters + noise * self.log_std.exp()

    def log_prob(self, parameters: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
        """Return log-probabilities of actions, shape [B], and what `entropy` needs."""
        if self.discrete:
            table = torch.log_softmax(parameters, dim=-1)
            return table.gather(1, actions.unsqueeze(1)).squeeze(1), table
        assert self.log_std is not None
        z = (actions - parameters) * torch.exp(-self.log_std)
        constant = self.log_std.sum() + 0.5 * math.log(2 * math.pi) * len(self.log_std)
        return -0.5 * (z * z).sum(-1) - constant, self.log_std

    def entropy(self, table: Tensor, counted: Tensor | None = None) -> Tensor:
        """Return the mean entropy of the distributions that `log_prob` has just seen, or of those that count, a scalar."""
        if self.discrete:
            return -mean_of((table * table.exp()).sum(-1), counted)
        return table.sum() + 0.5 * (1.0 + math.log(2 * math.pi)) * len(table)


def _orthogonal(inputs: int, outputs: int, gain: float, generator: torch.Generator) -> Tensor:
    """Return an orthogonal matrix, shape [inputs, outputs], times a gain (Saxe et al. 2014)."""
    return nn.init.orthogonal_(torch.empty(outputs, inputs), gain, generator=generator).t().contiguous()
