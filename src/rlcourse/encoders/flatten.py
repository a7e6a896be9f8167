"""`Flatten`: any observation as one vector; discrete parts become one-hot, dictionaries and tuples are joined in order."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import torch
from gymnasium import spaces
from torch import Tensor, nn

__all__ = ["Flatten"]


class Flatten(nn.Module):
    """Join all parts of an observation into one float32 vector.

    Parameters
    ----------
    observation_space : gymnasium.Space
        Box, Discrete, MultiDiscrete, MultiBinary, or Dict and Tuple of them.
    features_dim : int, optional
        Ignored: the space says it (accepted because every encoder accepts it).

    Attributes
    ----------
    features_dim : int
        Width of the vector.
    """

    def __init__(self, observation_space: gym.Space[Any], features_dim: int | None = None) -> None:
        super().__init__()
        self.space = observation_space
        self.features_dim = int(spaces.flatdim(observation_space))

    def forward(self, observations: Any) -> Tensor:
        """Return vectors, shape [B, features_dim], of a batch of observations."""
        return _flat(self.space, observations)


def _flat(space: gym.Space[Any], x: Any) -> Tensor:
    if isinstance(space, spaces.Box):
        if x.dtype == torch.float32 and x.dim() == 2:
            return x  # the usual case, without an operation
        return x.reshape(x.shape[0], -1).float()
    if isinstance(space, spaces.Discrete):
        if x.dim() > 1 and x.shape[-1] == space.n:  # already one-hot, as stable-baselines3 hands it over
            return x.reshape(x.shape[0], -1).float()
        return nn.functional.one_hot(x.long().reshape(-1) - int(space.start), int(space.n)).float()
    if isinstance(space, spaces.MultiDiscrete):
        columns = x.long().reshape(x.shape[0], -1) - torch.as_tensor(space.start, device=x.device).reshape(1, -1)
        parts = [nn.functional.one_hot(columns[:, i], int(n)) for i, n in enumerate(space.nvec.ravel())]
        return torch.cat(parts, dim=1).float()
    if isinstance(space, spaces.MultiBinary):
        return x.reshape(x.shape[0], -1).float()
    if isinstance(space, spaces.Dict):
        return torch.cat([_flat(part, x[key]) for key, part in space.spaces.items()], dim=1)
    if isinstance(space, spaces.Tuple):
        return torch.cat([_flat(part, piece) for part, piece in zip(space.spaces, x, strict=True)], dim=1)
    raise ValueError(f"{space} cannot be flattened")
