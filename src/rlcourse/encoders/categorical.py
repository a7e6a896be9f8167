"""`MiniGrid`: images whose cells hold numbers of things, not brightness; a learned vector for each.

MiniGrid's view is 7 x 7 x 3: the type, the colour and the state of what stands in a cell, each a number. That door is 4 and key is 5 says
nothing about how alike they are, so that a network that multiplies the numbers must first unlearn it. Here every value of every channel
has a vector of its own; those of a cell's channels are added, as the ones of BabyAI's bag of words are (Chevalier-Boisvert et al. 2019).
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from rlcourse.core.spaces import short
from rlcourse.encoders.convolutional import Convolutional
from rlcourse.encoders.images import image_size

__all__ = ["Categories", "MiniGrid", "categorical"]

EMBEDDING = 16  # width of a cell's vector


def categorical(space: gym.Space[Any]) -> bool:
    """Whether a space's bounds say that it holds images of categories: bytes of three axes that end above 1 and below 255."""
    if not isinstance(space, gym.spaces.Box) or len(space.shape) != 3 or space.dtype != np.uint8:
        return False
    return 1 < int(space.high.max()) < 255


class Categories(nn.Module):
    """The front of a network of such images: the sum of the vectors of a cell's channels.

    Parameters
    ----------
    observation_space : gymnasium.spaces.Box
        Three axes of bytes, the channels last or first (`rlcourse.encoders.images.image_size`); a channel has as many values as the
        greatest number that it may show says.
    name : str
        Of the encoder, for the message.

    Attributes
    ----------
    height, width, channels : int
        Of what comes out; channels is the width of a vector.
    """

    offsets: Tensor  # [channels of the observation] row of a channel's value 0

    def __init__(self, observation_space: gym.Space[Any], name: str = "minigrid") -> None:
        super().__init__()
        size = image_size(observation_space)
        shape = observation_space.shape or ()
        if size is None or len(shape) != 3 or observation_space.dtype != np.uint8:
            raise ValueError(f"encoder {name!r} needs images of categories, a Box of bytes and three axes, not {short(observation_space)}")
        assert isinstance(observation_space, gym.spaces.Box)
        self.height, self.width, self.channels = *size[:2], EMBEDDING
        self.first = shape != size  # channels first
        high = observation_space.high
        counts = high.astype(np.int64).max(axis=(1, 2) if self.first else (0, 1)) + 1
        self.divided = bool((high == 255).all())  # by stable-baselines3, where it takes them for pictures
        self.register_buffer("offsets", torch.as_tensor(np.cumsum(counts) - counts), persistent=False)
        self.table = nn.EmbeddingBag(int(counts.sum()), EMBEDDING, mode="sum")

    def forward(self, observations: Tensor) -> Tensor:
        """Return vectors, shape [B, channels, H, W], of observations [B, ...]."""
        if self.divided and observations.is_floating_point():
            observations = (observations * 255.0).round()
        if self.first or observations.shape[-1] != len(self.offsets):
            observations = observations.movedim(1, 3)
        numbers = observations.long().reshape(-1, len(self.offsets)) + self.offsets
        found: Tensor = self.table(numbers).view(-1, self.height, self.width, self.channels).permute(0, 3, 1, 2)
        return found


class MiniGrid(Convolutional):
    """For images of categories such as MiniGrid's: a learned vector for each cell, 16 filters of 1x1, 128 units.

    No cell is mixed with its neighbours before the linear layer, which knows where each is. Parameters as `Convolutional`.
    """

    name, widths = "minigrid", (128,)

    def _images(self, observation_space: gym.Space[Any]) -> Categories:
        return Categories(observation_space, self.name)

    def _convolutions(self, channels: int) -> list[nn.Module]:
        return self._convolution(channels, 16, 1)
