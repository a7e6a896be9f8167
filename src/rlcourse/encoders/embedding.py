"""`Embedding`: a learned vector for each value of a discrete observation."""

from __future__ import annotations

import math
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from rlcourse.core.packing import characters
from rlcourse.core.spaces import short

__all__ = ["Embedding"]


class Embedding(nn.Module):
    """Look vectors up; those of the parts of an observation, or of the characters of a text, are added.

    That is a one-hot vector times a matrix, without making the vector; where stable-baselines3 has made it, it is multiplied.

    Parameters
    ----------
    observation_space : gymnasium.spaces.Discrete, MultiDiscrete, MultiBinary or Text
        A MultiBinary observation has a vector for each of its ones; a text has one for each character, wherever it stands, and for the
        unknown one (`rlcourse.core.packing`); padding adds nothing.
    features_dim : int
    """

    sizes: tuple[int, ...]  # rows of each part
    offsets: Tensor  # [parts] row of each part's first value, less its start

    def __init__(self, observation_space: gym.Space[Any], features_dim: int = 64) -> None:
        super().__init__()
        self.binary = isinstance(observation_space, spaces.MultiBinary)
        padding = None
        if isinstance(observation_space, spaces.Discrete):
            sizes, starts = np.array([observation_space.n]), np.array([observation_space.start])
        elif isinstance(observation_space, spaces.MultiDiscrete):
            sizes, starts = observation_space.nvec.ravel(), observation_space.start.ravel()
        elif isinstance(observation_space, spaces.MultiBinary):
            sizes, starts = np.array([math.prod(observation_space.shape)]), np.array([0])
        elif isinstance(observation_space, spaces.Text):
            sizes, starts, padding = np.array([characters(observation_space)]), np.array([0]), 0
        else:
            raise ValueError(
                f"encoder 'embedding' needs Discrete, MultiDiscrete, MultiBinary or Text observations, not {short(observation_space)}"
            )
        self.features_dim = features_dim
        self.sizes, self.rows = tuple(map(int, sizes)), int(sizes.sum())
        self.text = padding is not None
        self.register_buffer("offsets", torch.as_tensor(np.cumsum(sizes) - sizes - starts, dtype=torch.int64), persistent=False)
        self.table = nn.EmbeddingBag(self.rows, features_dim, mode="sum", padding_idx=padding)

    def forward(self, observations: Tensor) -> Tensor:
        """Return features, shape [B, features_dim], of numbers [B] or [B, parts], or of one-hot vectors [B, ..., rows]."""
        flat = observations.reshape(len(observations), -1)
        if self.binary or (not self.text and flat.is_floating_point() and flat.shape[1] == self.rows):
            return flat.to(self.table.weight.dtype) @ self.table.weight
        features: Tensor = self.table(flat.long() + self.offsets)
        return features
