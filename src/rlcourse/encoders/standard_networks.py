"""Convolutional networks of the literature, as encoders: those of reinforcement learning, LeNet-5, and the cs231n notes' pattern."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
from torch import Tensor, nn
from torch.nn.functional import relu

from rlcourse.encoders.convolutional import Convolutional
from rlcourse.encoders.norms import norm_of_images

__all__ = ["CS231n", "Impala", "LeNet5", "MinAtar", "Nature", "TorchAC"]


class Nature(Convolutional):
    """DQN's (Mnih et al. 2015): 8x8/4, 4x4/2 and 3x3/1 convolutions of 32, 64, 64 filters; 512 units; parameters as `Convolutional`."""

    name, least, widths = "nature", 36, (512,)

    def _convolutions(self, channels: int) -> list[nn.Module]:
        return [
            *self._convolution(channels, 32, 8, 4, padding=0),
            *self._convolution(32, 64, 4, 2, padding=0),
            *self._convolution(64, 64, 3, padding=0),
        ]


class MinAtar(Convolutional):
    """MinAtar's (Young & Tian 2019), for boards and small images: 16 filters of 3x3 and 128 units; parameters as `Convolutional`."""

    name, least, widths = "minatar", 3, (128,)

    def _convolutions(self, channels: int) -> list[nn.Module]:
        return self._convolution(channels, 16, 3, padding=0)


class TorchAC(Convolutional):
    """The one that MiniGrid's agents use (Willems' torch-ac): 2x2 convolutions of 16, 32, 64 filters, pooling after the first.

    It ends in convolutions: one vector of 64 on a view of 7 x 7. Parameters as `Convolutional`.
    """

    name, least = "torch-ac", 7

    def _convolutions(self, channels: int) -> list[nn.Module]:
        return [
            *self._convolution(channels, 16, 2, padding=0),
            nn.MaxPool2d(2),
            *self._convolution(16, 32, 2, padding=0),
            *self._convolution(32, 64, 2, padding=0),
        ]


class LeNet5(Convolutional):
    """LeNet-5 (LeCun et al. 1998): 5x5 convolutions of 6 and 16 filters, mean pooling, 120 and 84 units, tanh.

    Images below 32 x 32 get a frame of zeros up to that size, as its digits of 28 x 28 did. Parameters as `Convolutional`.
    """

    name, widths, activation = "lenet5", (120, 84), nn.Tanh

    def _convolutions(self, channels: int) -> list[nn.Module]:
        across, down = max(32 - self.images.width, 0), max(32 - self.images.height, 0)
        frame = nn.ZeroPad2d((across // 2, across - across // 2, down // 2, down - down // 2))
        first, second = self._convolution(channels, 6, 5, padding=0), self._convolution(6, 16, 5, padding=0)
        return [*([frame] if across or down else []), *first, nn.AvgPool2d(2), *second, nn.AvgPool2d(2)]


class _Residual(nn.Module):
    """x + f(x), f two 3x3 convolutions with a ReLU before each (He et al. 2016)."""

    def __init__(self, channels: int, norm: str) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(2):
            layer = nn.Conv2d(channels, channels, 3, padding=1, bias=norm != "bn")
            layers += [layer, *norm_of_images(norm, channels), nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(relu(x))


class Impala(Convolutional):
    """IMPALA's larger network (Espeholt et al. 2018): three times a 3x3 convolution, 3x3 pooling of stride 2 and two residual blocks.

    16, 32 and 32 filters, then 256 units. Parameters as `Convolutional`.
    """

    name, widths = "impala", (256,)

    def _convolutions(self, channels: int) -> list[nn.Module]:
        layers: list[nn.Module] = []
        for filters in (16, 32, 32):
            convolution, *norm, _ = self._convolution(channels, filters, 3)
            layers += [convolution, *norm, nn.MaxPool2d(3, 2, padding=1), _Residual(filters, self.norm), _Residual(filters, self.norm)]
            channels = filters
        return [*layers, nn.ReLU()]


class CS231n(Convolutional):
    """The pattern of the cs231n notes, ``INPUT -> [[CONV -> RELU]*N -> POOL]*M -> [FC -> RELU]*K``.

    Convolutions are 3x3, of 32 filters, twice as many after each 2x2 pooling.

    Parameters
    ----------
    observation_space, norm
        As `Convolutional` has them.
    features_dim : int, optional
        Width of all K linear layers, by default 128; with K = 0 that of one that is added.
    pattern : tuple of int
        N (1 to 3), M (at least 1) and K (0 to 2).
    """

    name = "cs231n"

    def __init__(
        self,
        observation_space: gym.Space[Any],
        features_dim: int | None = None,
        norm: str = "",
        pattern: tuple[int, int, int] = (1, 2, 1),
    ) -> None:
        N, M, K = self.pattern = pattern
        if not (1 <= N <= 3 and M >= 1 and 0 <= K <= 2):
            raise ValueError(f"encoder 'cs231n': N must be 1 to 3, M at least 1, K 0 to 2, not {N},{M},{K}")
        super().__init__(observation_space, features_dim, norm)

    def _least(self) -> int:
        return int(2 ** self.pattern[1])  # each pooling halves

    def _widths(self, features_dim: int | None) -> tuple[int, ...]:
        K = self.pattern[2]
        return (features_dim or 128,) * K or (() if features_dim is None else (features_dim,))

    def _convolutions(self, channels: int) -> list[nn.Module]:
        N, M, _ = self.pattern
        layers: list[nn.Module] = []
        for filters in (32 * 2**m for m in range(M)):
            for _ in range(N):
                layers += self._convolution(channels, filters, 3)
                channels = filters
            layers.append(nn.MaxPool2d(2))
        return layers
