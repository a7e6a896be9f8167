"""`Images`: the front of every convolutional encoder, from what an environment or stable-baselines3 hands over to [B, C, H, W]."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from rlcourse.core.spaces import channels_last, short

__all__ = ["Images", "image_size"]


def _bytes(space: gym.spaces.Box) -> bool:
    return space.dtype == np.uint8 and bool((space.low == 0).all() and (space.high == 255).all())


def image_size(space: gym.Space[Any]) -> tuple[int, int, int] | None:
    """Return height, width and channels where a space holds images or boards: a Box of three axes, or of two of bytes (grey).

    Notes
    -----
    Channels are the last axis, unless it is longer than the first or the other two are a square: [3, 64, 64] has its channels first.
    """
    if not isinstance(space, gym.spaces.Box):
        return None
    shape = space.shape
    if len(shape) == 2 and space.dtype == np.uint8:
        return shape[0], shape[1], 1
    if len(shape) != 3:
        return None
    height, width, channels = shape if channels_last(shape) else (*shape[1:], shape[0])
    return height, width, channels


class Images(nn.Module):
    """Images as convolutions take them: float32, channels first, bytes of 0 to 255 divided by 255.

    Parameters
    ----------
    observation_space : gymnasium.spaces.Box
        Height-width-channel, channel-height-width (see `image_size`), or grey bytes of height-width.
    name : str
        Of the encoder, for the message.
    least : int
        Fewest pixels of a side.

    Attributes
    ----------
    height, width, channels : int

    Notes
    -----
    stable-baselines3 hands images of bytes over channels first and divided already, so that only a tensor of uint8 is divided here;
    what is no image to it (two axes, or bytes of 0 and 1) it leaves as it is, except that all are float32. In memory a pixel's channels
    are neighbours, whatever comes in, which is faster for most networks on a CPU (``benchmarks/encoder_speed.py``).
    """

    def __init__(self, observation_space: gym.Space[Any], name: str = "images", least: int = 1) -> None:
        super().__init__()
        size = image_size(observation_space)
        if size is None or min(size[:2]) < least:
            what = f"needs images of at least {least} x {least} pixels (a Box of three axes, or of two of uint8)"
            raise ValueError(f"encoder {name!r} {what}, not {short(observation_space)}")
        self.height, self.width, self.channels = size
        assert isinstance(observation_space, gym.spaces.Box)
        shape = observation_space.shape
        self.bytes, self.grey = _bytes(observation_space), len(shape) == 2
        self.channels_last = not self.grey and channels_last(shape)

    def forward(self, observations: Tensor) -> Tensor:
        """Return images, shape [B, C, H, W], of observations [B, ...]."""
        divide = self.bytes and (observations.dtype == torch.uint8 or self.grey)
        if self.channels == 1:
            x = observations.reshape(observations.shape[0], self.height, self.width, 1).permute(0, 3, 1, 2)
        elif self.channels_last:
            x = observations.permute(0, 3, 1, 2)
        else:
            x = observations.contiguous(memory_format=torch.channels_last)
        return x / 255.0 if divide else x.float()
