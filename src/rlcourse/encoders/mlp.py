"""`MLP`: hidden layers over a flattened observation."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import gymnasium as gym
from torch import Tensor, nn

from rlcourse.encoders.flatten import Flatten
from rlcourse.encoders.nature import is_image

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
    """

    def __init__(self, observation_space: gym.Space[Any], features_dim: int = 64, hidden: tuple[int, ...] = (64,)) -> None:
        super().__init__()
        if is_image(observation_space):
            raise ValueError(f"encoder 'mlp' takes no images such as {observation_space}; take 'nature'")
        self.features_dim = features_dim
        self.flatten = Flatten(observation_space)
        widths = [self.flatten.features_dim, *hidden, features_dim]
        layers = [(nn.Linear(i, o), nn.ReLU()) for i, o in pairwise(widths)]
        self.layers = nn.Sequential(*(part for layer in layers for part in layer))

    def forward(self, observations: Any) -> Tensor:
        """Return features, shape [B, features_dim], of a batch of observations."""
        features: Tensor = self.layers(self.flatten(observations))
        return features
