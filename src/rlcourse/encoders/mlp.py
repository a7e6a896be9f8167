"""`MLP`: hidden layers over a flattened observation."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import gymnasium as gym
from torch import Tensor, nn

from rlcourse.core.spaces import short
from rlcourse.encoders.flatten import Flatten
from rlcourse.encoders.images import image_size
from rlcourse.encoders.norms import norm_of_vectors

__all__ = ["MLP"]


class MLP(nn.Module):
    """Linear layers with ReLU.

    Parameters
    ----------
    observation_space : gymnasium.Space
        As `rlcourse.encoders.flatten.Flatten` takes it; images are refused.
    features_dim : int
        Width of the last layer.
    hidden : tuple of int
        Widths of the layers before it.
    norm : {"", "bn", "ln"}
        Batch or layer normalisation of each layer before its activation.
    """

    def __init__(self, observation_space: gym.Space[Any], features_dim: int = 64, hidden: tuple[int, ...] = (64,), norm: str = "") -> None:
        super().__init__()
        size = image_size(observation_space)
        if size and min(size[:2]) >= 36:
            raise ValueError(f"encoder 'mlp' takes no images such as {short(observation_space)}; take 'nature'")
        self.features_dim = features_dim
        self.flatten = Flatten(observation_space)
        widths = [self.flatten.features_dim, *hidden, features_dim]
        layers = [[nn.Linear(i, o, bias=norm != "bn"), *norm_of_vectors(norm, o), nn.ReLU()] for i, o in pairwise(widths)]
        self.layers = nn.Sequential(*(part for layer in layers for part in layer))

    def forward(self, observations: Any) -> Tensor:
        """Return features, shape [B, features_dim], of a batch of observations."""
        features: Tensor = self.layers(self.flatten(observations))
        return features
