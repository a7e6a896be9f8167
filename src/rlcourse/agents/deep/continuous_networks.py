"""Networks for actions within bounds: a deterministic and a squashed Gaussian actor, and several critics as one batched network."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from rlcourse.agents.deep.batched import BatchedMLP
from rlcourse.agents.deep.boundary import within
from rlcourse.agents.deep.modes import seeded
from rlcourse.encoders import make
from rlcourse.encoders.passes import forward_pass

__all__ = ["Bounds", "Critics", "DeterministicActor", "SquashedActor", "encoder_of", "squashed"]


class Bounds:
    """The way between [-1, 1], where the networks act and the memory stores, and the bounds of a Box.

    Parameters
    ----------
    space : gymnasium.spaces.Box
    agent : str
        Named in the message.

    Raises
    ------
    ValueError
        Where a bound is infinite.
    """

    def __init__(self, space: Any, agent: str) -> None:
        if not space.is_bounded():
            raise ValueError(f"{agent} needs actions with finite bounds, not {space}; wrap it in gymnasium.wrappers.TransformAction")
        self.space, self.shape, self.size = space, space.shape, math.prod(space.shape)
        self.middle, self.half = space.high / 2.0 + space.low / 2.0, space.high / 2.0 - space.low / 2.0  # halved first: no overflow

    def taken(self, actions: np.ndarray) -> np.ndarray:
        """Return actions of the Box, shape [B, ...], of actions within [-1, 1], shape [B, A] or [B, ...]."""
        return within(self.space, self.middle + self.half * actions.reshape(-1, *self.shape))  # rounding may leave the box

    def random(self, B: int, rng: np.random.Generator) -> np.ndarray:
        """Return actions drawn uniformly from [-1, 1], shape [B, A]."""
        return rng.uniform(-1.0, 1.0, (B, self.size)).astype(np.float32)


def encoder_of(observation_space: Any, name: str, generator: torch.Generator) -> nn.Module:
    """Make an encoder whose weights a generator draws."""
    with seeded(generator):
        return make(name, observation_space)


class DeterministicActor(nn.Module):
    """A perceptron over an encoder, its outputs squashed by tanh."""

    def __init__(self, observation_space: Any, n_actions: int, hidden: tuple[int, ...], encoder: str, generator: torch.Generator) -> None:
        super().__init__()
        self.encoder = encoder_of(observation_space, encoder, generator)
        self.net = BatchedMLP(1, int(self.encoder.features_dim), hidden, n_actions, generator)  # type: ignore[arg-type]

    @forward_pass
    def forward(self, observations: Any) -> Tensor:
        """Return actions within [-1, 1], shape [B, A]."""
        return torch.tanh(self.net.alone(0, self.encoder(observations)))


class SquashedActor(nn.Module):
    """A Gaussian over an encoder, squashed by tanh (Haarnoja et al. 2018, Appendix C)."""

    def __init__(self, observation_space: Any, n_actions: int, hidden: tuple[int, ...], encoder: str, generator: torch.Generator) -> None:
        super().__init__()
        self.encoder = encoder_of(observation_space, encoder, generator)
        self.net = BatchedMLP(1, int(self.encoder.features_dim), hidden, 2 * n_actions, generator)  # type: ignore[arg-type]

    @forward_pass
    def parameters_at(self, observations: Any) -> Tensor:
        """Return what `squashed` takes, shape [B, 2 A]."""
        return self.net.alone(0, self.encoder(observations))

    def mode(self, observations: Any) -> Tensor:
        """Return the actions of the means, shape [B, A]."""
        return torch.tanh(self.parameters_at(observations).chunk(2, dim=1)[0])

    def forward(self, observations: Any, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return actions within [-1, 1], shape [B, A], and their log-probabilities, shape [B].

        Parameters
        ----------
        observations
            A batch.
        noise : Tensor, shape [B, A]
            Standard normal: the actions are differentiable in the network (the reparameterisation trick).
        """
        return squashed(self.parameters_at(observations), noise)


def squashed(parameters: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Return actions of a Gaussian squashed by tanh, shape [B, A], and their log-probabilities, shape [B].

    Parameters
    ----------
    parameters : Tensor, shape [B, 2 A]
        Means, then logarithms of the deviations, which are kept within [-20, 2].
    noise : Tensor, shape [B, A]
        Standard normal.
    """
    mean, log_std = parameters.chunk(2, dim=1)
    log_std = log_std.clamp(-20.0, 2.0)
    u = torch.addcmul(mean, noise, log_std.exp())
    # ln(1 - tanh(u)^2) = 2 (ln 2 - u - softplus(-2 u)), which does not round to ln 0
    log_slope = 2.0 * (math.log(2.0) - u - softplus(-2.0 * u))
    log_prob = -(0.5 * noise * noise + log_std + log_slope).sum(1) - 0.5 * math.log(2.0 * math.pi) * noise.shape[1]
    return torch.tanh(u), log_prob


class Critics(nn.Module):
    """K action values of (observation, action), as one batched network over one encoder."""

    def __init__(
        self, observation_space: Any, n_actions: int, hidden: tuple[int, ...], encoder: str, generator: torch.Generator, critics: int = 2
    ) -> None:
        super().__init__()
        self.encoder = encoder_of(observation_space, encoder, generator)
        self.net = BatchedMLP(critics, int(self.encoder.features_dim) + n_actions, hidden, 1, generator)  # type: ignore[arg-type]

    @forward_pass
    def forward(self, observations: Any, actions: Tensor) -> Tensor:
        """Return values, shape [K, B], of observations and actions [B, A]."""
        out: Tensor = self.net(torch.cat([self.encoder(observations), actions], dim=1))
        return out.squeeze(2)

    @forward_pass
    def first(self, observations: Any, actions: Tensor) -> Tensor:
        """Return the values of the first critic alone, shape [B]."""
        return self.net.alone(0, torch.cat([self.encoder(observations), actions], dim=1)).squeeze(1)
