"""`Small`: a convolutional encoder for boards and small images (the network of MinAtar, Young & Tian 2019)."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import torch
from torch import Tensor, nn

__all__ = ["Small", "is_board"]


def is_board(space: gym.Space[Any]) -> bool:
    """Whether a space holds boards or small images: Box of three axes, the two longest at least 5."""
    return isinstance(space, gym.spaces.Box) and len(space.shape) == 3 and sorted(space.shape)[1] >= 5


class Small(nn.Module):
    """One convolution (3x3, 16 filters) and a linear layer, with ReLU.

    Parameters
    ----------
    observation_space : gymnasium.spaces.Box
        Height-width-channel, or channel-height-width where the first axis is shorter than the last. Bytes from 0 to 255 are divided by
        255; boards of 0 and 1 stay as they are.
    features_dim : int
    """

    def __init__(self, observation_space: gym.Space[Any], features_dim: int = 128) -> None:
        super().__init__()
        if not isinstance(observation_space, gym.spaces.Box) or not is_board(observation_space):
            raise ValueError(f"encoder 'small' needs images of at least 5 x 5 pixels, not {observation_space}")
        first, _, last = shape = observation_space.shape
        self.features_dim = features_dim
        self.channels_last = first >= last
        self.bytes = bool((observation_space.low == 0).all() and (observation_space.high == 255).all())
        self.convolution = nn.Conv2d(last if self.channels_last else first, 16, 3)
        height, width = shape[:2] if self.channels_last else shape[1:]
        self.linear = nn.Linear(16 * (height - 2) * (width - 2), features_dim)

    def forward(self, observations: Tensor) -> Tensor:
        """Return features, shape [B, features_dim], of images [B, ...]."""
        x = observations.float()
        if self.bytes and observations.dtype == torch.uint8:
            x = x / 255.0
        x = torch.relu(self.convolution(x.permute(0, 3, 1, 2) if self.channels_last else x))
        return torch.relu(self.linear(x.flatten(1)))
