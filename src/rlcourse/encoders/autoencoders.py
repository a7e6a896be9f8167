"""Encoders that were made to be the first half of an autoencoder, and the decoders that undo them.

Their sizes are those of the notes' networks for 28 x 28 pixels; other sizes and channels go through the same layers. Each encoder is one
like any other: an agent can learn it from nothing, or start from what `rlcourse pretrain` wrote.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, ClassVar

import gymnasium as gym
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d, unfold

from rlcourse.encoders.convolutional import Convolutional
from rlcourse.encoders.flatten import Flatten
from rlcourse.encoders.images import Images, image_size

__all__ = ["ConvolutionalCode", "ConvolutionalDecoder", "DenoisingCode", "DenseCode", "DenseDecoder", "SparseCode", "halved"]


class DenseCode(nn.Module):
    """One linear layer with ReLU over all numbers of an observation: 784-32 for an image of 28 x 28 pixels.

    Parameters
    ----------
    observation_space : gymnasium.Space
        Anything that `rlcourse.encoders.flatten.Flatten` takes; bytes of images are divided by 255.
    features_dim : int
        Width of the code.
    """

    def __init__(self, observation_space: gym.Space[Any], features_dim: int = 32) -> None:
        super().__init__()
        self.features_dim = features_dim
        image = image_size(observation_space)
        flat = Flatten(observation_space)
        self.inputs = Images(observation_space, "ae-dense") if image else flat
        self.linear = nn.Linear(math.prod(image) if image else flat.features_dim, features_dim)

    def forward(self, observations: Any) -> Tensor:
        """Return codes, shape [B, features_dim], of a batch of observations."""
        return torch.relu(self.linear(self.inputs(observations).flatten(1)))


class ConvolutionalCode(Convolutional):
    """Three convolutions of 3 x 3, each with ReLU and a maximum over 2 x 2; the code is the last of them: 4 x 4 x 8 for 28 x 28 pixels."""

    name = "ae-conv"
    filters: ClassVar[tuple[int, ...]] = (16, 8, 8)

    def _convolutions(self, channels: int) -> list[nn.Module]:
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise((channels, *self.filters)):
            layers += [*self._convolution(inputs, outputs, 3), nn.MaxPool2d(2, ceil_mode=True)]
        return layers


class DenoisingCode(ConvolutionalCode):
    """`ConvolutionalCode` with 32, 32 and 16 filters, whose code is 4 x 4 x 16 for 28 x 28 pixels: wide enough to undo noise."""

    name = "ae-denoising"
    filters = (32, 32, 16)


class SparseCode(nn.Module):
    """What a sparse autoencoder's hidden units say of the patches of an image: its filters moved over it, and the maximum over 2 x 2.

    Every patch is centred and scaled as those were that the autoencoder learned from: its mean is taken away, what is left is cut at
    three deviations, and [-3, 3] deviations become [0.1, 0.9].

    Parameters
    ----------
    observation_space : gymnasium.spaces.Box
        Images.
    features_dim : int, optional
        None: all units at all places. Else a linear layer with ReLU makes it that wide.
    units : int
        Hidden units.
    patch : int
        Side of a patch in pixels; a smaller image is one patch.
    """

    deviation: Tensor  # of the numbers of centred patches

    def __init__(self, observation_space: gym.Space[Any], features_dim: int | None = None, units: int = 25, patch: int = 8) -> None:
        super().__init__()
        self.images = Images(observation_space, "ae-sparse")
        shape = self.images.height, self.images.width
        self.patch = min(patch, *shape)
        self.stride = max(1, min(shape) // 14)  # about a dozen places along each side
        self.linear = nn.Linear(self.images.channels * self.patch**2, units)
        self.register_buffer("deviation", torch.tensor(0.25))
        self.places = tuple((side - self.patch) // self.stride + 1 for side in shape)
        code = units * ((self.places[0] + 1) // 2) * ((self.places[1] + 1) // 2)
        self.features_dim = features_dim or code
        self.narrow = None if self.features_dim == code else nn.Linear(code, self.features_dim)

    def patches(self, observations: Tensor) -> Tensor:
        """Return all patches of images as the hidden units see them, shape [B, places, channels * patch * patch]."""
        x = unfold(self.images(observations), self.patch, stride=self.stride).transpose(1, 2)
        bound = 3.0 * self.deviation
        return (x - x.mean(-1, keepdim=True)).clamp(-bound, bound) * (0.4 / bound) + 0.5

    def forward(self, observations: Tensor) -> Tensor:
        """Return features, shape [B, features_dim], of images [B, ...]."""
        units = torch.sigmoid(self.linear(self.patches(observations))).transpose(1, 2)  # [B, units, places]
        x = max_pool2d(units.unflatten(2, self.places), 2, ceil_mode=True).flatten(1)
        return x if self.narrow is None else torch.relu(self.narrow(x))


class DenseDecoder(nn.Module):
    """From a code to all numbers of an observation by one linear layer; the outputs are logits where the numbers lie in [0, 1]."""

    def __init__(self, code: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(code, outputs)

    def forward(self, code: Tensor) -> Tensor:
        """Return outputs, shape [B, outputs], of codes [B, code]."""
        outputs: Tensor = self.linear(code)
        return outputs


class ConvolutionalDecoder(nn.Module):
    """From a code to an image: thrice enlarged by the nearest pixel and convolved, then once more convolved; the outputs are logits.

    Parameters
    ----------
    code : int
        Width of the code. A linear layer comes first where that is not the width of what the convolutions begin with.
    image : (channels, height, width)
    filters : tuple of int
        Of the layer that the code is, and of the three convolutions.
    """

    def __init__(self, code: int, image: tuple[int, int, int], filters: tuple[int, int, int, int] = (8, 8, 8, 16)) -> None:
        super().__init__()
        channels, height, width = image
        self.sizes = halved(height, width)[::-1]
        self.first = (filters[0], *self.sizes[0])
        begin = filters[0] * self.sizes[0][0] * self.sizes[0][1]
        self.linear = None if code == begin else nn.Linear(code, begin)
        self.convolutions = nn.ModuleList(nn.Conv2d(i, o, 3, padding=1) for i, o in pairwise(filters))
        self.last = nn.Conv2d(filters[-1], channels, 3, padding=1)

    def forward(self, code: Tensor) -> Tensor:
        """Return images, shape [B, channels, height, width], of codes [B, code]."""
        x = code if self.linear is None else torch.relu(self.linear(code))
        x = x.unflatten(1, self.first)
        for convolution, size in zip(self.convolutions, self.sizes[1:], strict=True):
            x = torch.relu(convolution(interpolate(x, size, mode="nearest")))
        image: Tensor = self.last(x)
        return image


def halved(height: int, width: int) -> list[tuple[int, int]]:
    """Return the sizes of an image that is thrice halved, rounded up: 28, 14, 7, 4."""
    sizes = [(height, width)]
    for _ in range(3):
        height, width = (height + 1) // 2, (width + 1) // 2
        sizes.append((height, width))
    return sizes
