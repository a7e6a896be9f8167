"""`Nature`: the convolutional encoder of DQN (Mnih et al. 2015)."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["Nature", "is_image"]


def is_image(space: gym.Space[Any]) -> bool:
    """Whether a space holds images large enough for these filters: Box of three axes, the two longest at least 36."""
    return isinstance(space, gym.spaces.Box) and len(space.shape) == 3 and sorted(space.shape)[1] >= 36


class Nature(nn.Module):
    """Three convolutions (8x8/4, 4x4/2, 3x3/1) and a linear layer, with ReLU.

    Parameters
    ----------
    observation_space : gymnasium.spaces.Box
        Height-width-channel or channel-height-width: the channels are the shortest axis. uint8 is divided by 255.
    features_dim : int
    """

    def __init__(self, observation_space: gym.Space[Any], features_dim: int = 512) -> None:
        super().__init__()
        if not is_image(observation_space):
            raise ValueError(f"encoder 'nature' needs images of at least 36 x 36 pixels, not {observation_space}")
        shape = observation_space.shape or ()
        self.features_dim = features_dim
        self.channels_last = int(np.argmin(shape)) == 2
        channels = min(shape)
        self.convolutions = nn.Sequential(
            nn.Conv2d(channels, 32, 8, 4), nn.ReLU(), nn.Conv2d(32, 64, 4, 2), nn.ReLU(), nn.Conv2d(64, 64, 3, 1), nn.ReLU(), nn.Flatten()
        )
        with torch.no_grad():
            width = self.convolutions(self._images(torch.zeros(1, *shape))).shape[1]
        self.linear = nn.Linear(width, features_dim)

    def _images(self, x: Tensor) -> Tensor:
        x = x.float() / 255.0 if x.dtype == torch.uint8 else x.float()
        return x.permute(0, 3, 1, 2) if self.channels_last else x

    def forward(self, observations: Tensor) -> Tensor:
        """Return features, shape [B, features_dim], of images [B, ...]."""
        return torch.relu(self.linear(self.convolutions(self._images(observations))))
