"""`Convolutional`: what all convolutional encoders share; the networks themselves are in `notes_networks` and `standard_networks`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import gymnasium as gym
import torch
from torch import Tensor, nn

from rlcourse.encoders.images import Images
from rlcourse.encoders.norms import norm_of_images, norm_of_vectors

__all__ = ["Convolutional"]


class Convolutional(nn.Module, ABC):
    """Base of the convolutional encoders: images, convolutions, linear layers.

    Parameters
    ----------
    observation_space : gymnasium.spaces.Box
        Images or boards, as `rlcourse.encoders.images.Images` takes them.
    features_dim : int, optional
        Width of the last layer, by default the network's own. A network that ends in convolutions has a linear layer after them where a
        width is given, and otherwise as many features as they leave.
    norm : {"", "bn", "ln"}
        Batch or layer normalisation of each layer before its activation.

    Attributes
    ----------
    features_dim : int
    images : Images
    convolutions, linear : Sequential
        Features are ``linear(convolutions(images(observations)))``.
    """

    name: ClassVar[str]
    least: ClassVar[int] = 1  # pixels of the shorter side
    widths: ClassVar[tuple[int, ...]] = ()  # of the linear layers; features_dim takes the place of the last
    activation: ClassVar[Callable[[], nn.Module]] = nn.ReLU
    own_norm: ClassVar[bool] = False  # whether batch normalisation is part of the network

    def __init__(self, observation_space: gym.Space[Any], features_dim: int | None = None, norm: str = "") -> None:
        super().__init__()
        if norm and self.own_norm:
            raise ValueError(f"encoder {self.name!r} has its own batch normalisation: leave '+{norm}' out")
        if features_dim is not None and features_dim < 1:
            raise ValueError(f"encoder {self.name!r}: features_dim must be at least 1, not {features_dim}")
        self.norm = norm
        self.images = self._images(observation_space)
        self.convolutions = nn.Sequential(*self._convolutions(self.images.channels), nn.Flatten())
        with torch.no_grad():  # in eval mode, which leaves the statistics of batch normalisation alone
            image = torch.zeros(1, self.images.channels, self.images.height, self.images.width)
            flat = int(self.convolutions.eval()(image).shape[1])
        self.convolutions.train()
        widths = self._widths(features_dim)
        self.features_dim = widths[-1] if widths else flat
        layers = [self._linear(i, o) for i, o in zip((flat, *widths), widths, strict=False)]
        self.linear = nn.Sequential(*(part for layer in layers for part in layer))
        self._initialise()

    @abstractmethod
    def _convolutions(self, channels: int) -> list[nn.Module]:
        """Return the layers before the linear ones."""

    def _images(self, observation_space: gym.Space[Any]) -> Any:
        """Return the front, from observations to [B, C, H, W], with the attributes `height`, `width` and `channels`."""
        return Images(observation_space, self.name, self._least())

    def _least(self) -> int:
        return self.least

    def _widths(self, features_dim: int | None) -> tuple[int, ...]:
        """Return the widths of the linear layers."""
        return self.widths if features_dim is None else (*self.widths[:-1], features_dim)

    def _initialise(self) -> None:
        """Draw the initial weights where the network's source says how; torch's own are there already."""

    def _convolution(self, inputs: int, outputs: int, size: int, stride: int = 1, padding: int | None = None) -> list[nn.Module]:
        """Return a convolution with its normalisation and activation; by default one of stride 1 keeps the size of the image."""
        padding = size // 2 if padding is None else padding
        layer = nn.Conv2d(inputs, outputs, size, stride, padding, bias=self.norm != "bn")
        return [layer, *norm_of_images(self.norm, outputs), type(self).activation()]

    def _linear(self, inputs: int, outputs: int) -> list[nn.Module]:
        layer = nn.Linear(inputs, outputs, bias=self.norm != "bn")
        return [layer, *norm_of_vectors(self.norm, outputs), type(self).activation()]

    def forward(self, observations: Tensor) -> Tensor:
        """Return features, shape [B, features_dim], of images [B, ...]."""
        features: Tensor = self.linear(self.convolutions(self.images(observations)))
        return features
