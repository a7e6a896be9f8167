"""`Autoencoder`: an encoder, and a decoder that learns to give back what the encoder has seen.

The code between them is narrower than the observation, or noisy, or sparse, so that it has to keep what observations have in common:

    minimise E[loss(x, decode(encode(x)))]

Numbers within [0, 1], and bytes, are compared by their cross-entropy, others by the square of what is left after division by their
deviation. A denoising autoencoder is shown x with noise, and asked for x (Vincent et al. 2008).
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, Self

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, fold, mse_loss

from rlcourse.core.arguments import checked
from rlcourse.encoders import make
from rlcourse.encoders.autoencoders import ConvolutionalDecoder, DenoisingCode, DenseCode, DenseDecoder, SparseCode
from rlcourse.encoders.flatten import Flatten
from rlcourse.encoders.images import Images, image_size
from rlcourse.pretraining import files

__all__ = ["Autoencoder"]


class Autoencoder(nn.Module):
    """An encoder by name and the decoder that suits it.

    Parameters
    ----------
    observation_space : gymnasium.Space
    encoder : str
        Name for `rlcourse.encoders.make`. What has no decoder of its own gets one: for images a linear layer and convolutions, for
        other observations a linear layer.
    noise : float
        Deviation of the noise that is added to what the encoder sees, in units of the targets; the result stays within [0, 1] where
        the targets do.
    seed : int
        Of the initial weights.

    Attributes
    ----------
    encoder, decoder : Module
    image : bool
        Whether observations are images.
    mean, scale : Tensor
        Targets are ``(x - mean) / scale``; zero and one where x lies in [0, 1].
    """

    mean: Tensor
    scale: Tensor

    @checked
    def __init__(self, observation_space: gym.Space[Any], encoder: str = "ae-conv", noise: float = 0.0, seed: int = 0) -> None:
        super().__init__()
        self.observation_space, self.name, self.noise, self.seed = observation_space, encoder, float(noise), seed
        self.image = image_size(observation_space) is not None
        self.inputs: Any = Images(observation_space) if self.image else Flatten(observation_space)
        with torch.random.fork_rng(devices=[]):  # layers initialise from torch's global generator
            torch.manual_seed(seed)
            self.encoder: Any = make(encoder, observation_space)
            self.decoder: Any = self._make_decoder()
        self.unit = _within_unit(observation_space)
        self.register_buffer("mean", torch.zeros(1))
        self.register_buffer("scale", torch.ones(1))

    def _make_decoder(self) -> nn.Module:
        width: int = self.encoder.features_dim
        shape: Any = (self.inputs.channels, self.inputs.height, self.inputs.width) if self.image else (self.inputs.features_dim,)
        if isinstance(self.encoder, SparseCode):
            return DenseDecoder(self.encoder.linear.out_features, self.encoder.linear.in_features)
        if not self.image or isinstance(self.encoder, DenseCode):
            return DenseDecoder(width, math.prod(shape))
        filters = (16, 16, 32, 32) if isinstance(self.encoder, DenoisingCode) else (8, 8, 8, 16)
        return ConvolutionalDecoder(width, shape, filters)

    def standardise(self, observations: np.ndarray) -> None:
        """Note mean and deviation of the numbers of a sample, shape [N, ...], where they do not lie in [0, 1]."""
        if not self.unit:
            x = self.seen(torch.from_numpy(observations[:10_000]))
            self.mean, self.scale = x.mean(0), x.std(0).clamp(min=1e-3)

    def seen(self, observations: Tensor) -> Tensor:
        """Return observations [B, ...] as numbers: images [B, channels, height, width], vectors [B, numbers]; of bytes in [0, 1]."""
        x: Tensor = self.inputs(observations)
        return x

    def forward(self, observations: Tensor) -> Tensor:
        """Return the decoder's outputs for observations [B, ...]: logits where the targets lie in [0, 1]."""
        if isinstance(self.encoder, SparseCode):
            outputs: Tensor = self.decoder(torch.sigmoid(self.encoder.linear(self.encoder.patches(observations))))
            return outputs
        outputs = self.decoder(self.encoder(observations))
        return outputs

    def loss(self, observations: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return the mean loss per number, a scalar; a generator draws the noise, without one there is none."""
        x = self.seen(observations)
        shown = observations if generator is None or not self.noise else self.noisy(observations, generator)
        if isinstance(self.encoder, SparseCode):
            return mse_loss(torch.sigmoid(self(shown)), self.encoder.patches(observations))
        outputs = self(shown).view_as(x)
        if self.unit:
            return binary_cross_entropy_with_logits(outputs, x)
        return mse_loss(outputs, (x - self.mean) / self.scale)

    def noisy(self, observations: Tensor, generator: torch.Generator) -> Tensor:
        """Return observations [B, ...] with noise, as float: bytes are divided by 255 first."""
        bytes = _is_bytes(self.observation_space)
        x = observations.float() / 255.0 if bytes and observations.dtype == torch.uint8 else observations.float()
        drawn = torch.randn(x.shape, generator=generator, device=generator.device).to(x.device)
        each = not self.image and self.scale.numel() == x[0].numel()
        x = x + self.noise * (self.scale.view(x.shape[1:]) if each else self.scale.mean()) * drawn
        x = x.clamp(0.0, 1.0) if self.unit else x
        return x * 255.0 if bytes and len(x.shape) == 3 else x  # grey images are always divided

    @torch.no_grad()
    def reconstruct(self, observations: Tensor) -> Tensor:
        """Return what the decoder makes of the codes of observations [B, ...], in the form of `seen`."""
        x, outputs = self.seen(observations), self(observations)
        if isinstance(self.encoder, SparseCode):
            return self._patched(x, torch.sigmoid(outputs))
        outputs = outputs.view_as(x)
        return torch.sigmoid(outputs) if self.unit else outputs * self.scale + self.mean

    def _patched(self, x: Tensor, patches: Tensor) -> Tensor:
        """Return images of overlapping patches [B, places, numbers], averaged; the mean of each, which its code lacks, is put back."""
        coder = self.encoder
        bound = 3.0 * coder.deviation
        raw = nn.functional.unfold(x, coder.patch, stride=coder.stride)  # [B, numbers, places]
        restored = (patches.transpose(1, 2) - 0.5) / 0.4 * bound + raw.mean(1, keepdim=True)
        joined = fold(restored, x.shape[2:], coder.patch, stride=coder.stride)
        count = fold(torch.ones_like(restored), x.shape[2:], coder.patch, stride=coder.stride)
        return torch.where(count > 0, joined / count.clamp(min=1.0), x)

    def save(self, path: str | os.PathLike[str], settings: dict[str, Any] | None = None) -> Path:
        """Save to one safetensors file (see `rlcourse.core.files`): arrays ``encoder.*`` and ``decoder.*``."""
        return files.save(path, self, {"noise": self.noise}, settings)

    @classmethod
    def load(cls, path: str | os.PathLike[str], observation_space: gym.Space[Any] | None = None) -> Self:
        """Load what `save` wrote; see `rlcourse.pretraining.load`."""
        return files.load(path, observation_space, cls)


def _is_bytes(space: gym.Space[Any]) -> bool:
    return isinstance(space, gym.spaces.Box) and bool((space.low == 0).all() and (space.high == 255).all())


def _within_unit(space: gym.Space[Any]) -> bool:
    """Whether all numbers that an encoder sees lie in [0, 1]."""
    if isinstance(space, gym.spaces.Box):
        return (_is_bytes(space) and image_size(space) is not None) or bool((space.low >= 0).all() and (space.high <= 1).all())
    return True  # one-hot and binary
