"""The convolutional networks of the course notes, as encoders: the digits, CIFAR-10 and discriminator networks without their last layer.

"same" convolutions of stride 2 are padded by two pixels on every side, which gives TensorFlow's sizes; it pads one and two.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import gymnasium as gym
from torch import nn

from rlcourse.encoders.convolutional import Convolutional

__all__ = ["DCGANDiscriminator", "DCGANDiscriminatorSVHN", "DeepMNIST", "NotesCIFAR", "NotesCIFARBatchNorm", "NotesMNIST"]


def _draw(network: nn.Module, std: float, truncated: bool) -> None:
    """Draw all weights from a normal distribution, truncated at two deviations or not; biases are zero."""
    for part in network.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            if truncated:
                nn.init.trunc_normal_(part.weight, std=std, a=-2 * std, b=2 * std)
            else:
                nn.init.normal_(part.weight, std=std)
            if part.bias is not None:
                nn.init.zeros_(part.bias)


class NotesMNIST(Convolutional):
    """Digits: two 5x5 convolutions of 16 and 36 filters, each with 2x2 pooling, and 128 linear units; parameters as `Convolutional`."""

    name, least, widths = "notes-mnist", 4, (128,)

    def _convolutions(self, channels: int) -> list[nn.Module]:
        first, second = self._convolution(channels, 16, 5), self._convolution(16, 36, 5)
        return [*first, nn.MaxPool2d(2), *second, nn.MaxPool2d(2)]


class NotesCIFAR(Convolutional):
    """CIFAR-10: a 5x5 convolution of 64 filters with 2x2 pooling, and 256 linear units; weights from N(0, 0.1), truncated.

    Parameters
    ----------
    observation_space, features_dim, norm
        As `Convolutional` has them.
    dropout : float
        Share of features that are zero in training. The notes meant 0.5, and discarded the result.
    """

    name, least, widths = "notes-cifar", 2, (256,)

    def __init__(self, observation_space: gym.Space[Any], features_dim: int | None = None, norm: str = "", dropout: float = 0.0) -> None:
        super().__init__(observation_space, features_dim, norm)
        if dropout:
            self.linear.append(nn.Dropout(dropout))

    def _convolutions(self, channels: int) -> list[nn.Module]:
        return [*self._convolution(channels, 64, 5), nn.MaxPool2d(2)]

    def _initialise(self) -> None:
        _draw(self, 0.1, truncated=True)


class NotesCIFARBatchNorm(Convolutional):
    """CIFAR-10 again: two 5x5 convolutions of 64 filters, the first with batch normalisation, 256 and 128 linear units.

    The convolution under batch normalisation keeps its bias, as in the notes. Parameters as `Convolutional`.
    """

    name, least, widths, own_norm = "notes-cifar-bn", 4, (256, 128), True

    def _convolutions(self, channels: int) -> list[nn.Module]:
        first, activation = self._convolution(channels, 64, 5)
        return [first, nn.BatchNorm2d(64), activation, nn.MaxPool2d(2), *self._convolution(64, 64, 5), nn.MaxPool2d(2)]


class DeepMNIST(Convolutional):
    """A discriminator of digits (TensorFlow's "Deep MNIST for experts"): 5x5 convolutions of 32 and 64 filters, mean pooling, 1024 units.

    Weights from N(0, 0.02), truncated. Parameters as `Convolutional`.
    """

    name, least, widths = "deep-mnist", 4, (1024,)

    def _convolutions(self, channels: int) -> list[nn.Module]:
        first, second = self._convolution(channels, 32, 5), self._convolution(32, 64, 5)
        return [*first, nn.AvgPool2d(2), *second, nn.AvgPool2d(2)]

    def _initialise(self) -> None:
        _draw(self, 0.02, truncated=True)


class DCGANDiscriminator(Convolutional):
    """A DCGAN's discriminator (Radford et al. 2016), of the notes' faces: 5x5 convolutions of 64, 128 and 512 filters, two of stride 2.

    Leaky ReLU of slope 0.2, batch normalisation from the second on (biases under it, as in the notes), dropout of 0.35 at the end, weights
    from N(0, 0.02).

    Parameters
    ----------
    observation_space, features_dim, norm
        As `Convolutional` has them; by default the features are what the convolutions leave.
    dropout : float
    """

    name, own_norm, activation = "dcgan-d", True, partial(nn.LeakyReLU, 0.2)
    filters = ((64, 2), (128, 2), (512, 1))  # and strides

    def __init__(self, observation_space: gym.Space[Any], features_dim: int | None = None, norm: str = "", dropout: float = 0.35) -> None:
        self.dropout = dropout
        super().__init__(observation_space, features_dim, norm)

    def _convolutions(self, channels: int) -> list[nn.Module]:
        layers: list[nn.Module] = []
        for index, (filters, stride) in enumerate(self.filters):
            convolution, activation = self._convolution(channels, filters, 5, stride)
            layers += [convolution, *([nn.BatchNorm2d(filters)] if index else []), activation]
            channels = filters
        return [*layers, nn.Dropout(self.dropout)] if self.dropout else layers

    def _initialise(self) -> None:
        _draw(self, 0.02, truncated=False)


class DCGANDiscriminatorSVHN(DCGANDiscriminator):
    """`DCGANDiscriminator` for street-view house numbers: 64, 128 and 256 filters, all of stride 2, without dropout.

    Parameters
    ----------
    observation_space, features_dim, norm, dropout
        As `DCGANDiscriminator` has them.
    """

    name = "dcgan-svhn-d"
    filters = ((64, 2), (128, 2), (256, 2))

    def __init__(self, observation_space: gym.Space[Any], features_dim: int | None = None, norm: str = "", dropout: float = 0.0) -> None:
        super().__init__(observation_space, features_dim, norm, dropout)

    def _initialise(self) -> None:
        """Keep torch's own weights: the notes say nothing of these."""
