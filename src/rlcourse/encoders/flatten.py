"""`Flatten`: any observation as one vector; discrete parts become one-hot, dictionaries and tuples are joined in order."""

from __future__ import annotations

import math
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from rlcourse.core.packing import characters
from rlcourse.encoders.images import Images, image_size
from rlcourse.encoders.pieces import parts_of, pieces

__all__ = ["Flatten"]


class Flatten(nn.Module):
    """Join all parts of an observation into one float32 vector.

    Parameters
    ----------
    observation_space : gymnasium.Space
        Any but Sequence and Graph; the characters of a Text are one-hot, padding is zeros; bytes of images are divided by 255.
    features_dim : int, optional
        Ignored: the space says it (accepted because every encoder accepts it).

    Attributes
    ----------
    features_dim : int
        Width of the vector.
    """

    def __init__(self, observation_space: gym.Space[Any], features_dim: int | None = None) -> None:
        super().__init__()
        self.parts = parts_of(observation_space)
        self.features_dim = sum(_width(part.space) for part in self.parts)
        self.images = [Images(part.space) if _is_image(part.space) else None for part in self.parts]
        self.vectors = [part.path for part in self.parts] == [()] and isinstance(self.parts[0].space, spaces.Box)

    def forward(self, observations: Any) -> Tensor:
        """Return vectors, shape [B, features_dim], of a batch of observations."""
        if self.vectors and observations.dim() == 2 and observations.dtype == torch.float32:
            return observations  # the usual case, without an operation
        found = zip(self.parts, self.images, pieces(self.parts, observations), strict=True)
        flat = [images(piece).flatten(1) if images else _flat(part.space, piece) for part, images, piece in found]
        return flat[0] if len(flat) == 1 else torch.cat(flat, dim=1)


def _is_image(space: gym.Space[Any]) -> bool:
    return image_size(space) is not None and space.dtype == np.uint8 and 0 not in (space.shape or ())


def _width(space: gym.Space[Any]) -> int:
    return space.max_length * (characters(space) - 1) if isinstance(space, spaces.Text) else int(spaces.flatdim(space))


def _flat(space: gym.Space[Any], x: Tensor) -> Tensor:
    """Return a part as vectors, shape [B, width]."""
    if isinstance(space, spaces.Discrete):
        if x.dim() > 1 and x.shape[-1] == space.n:  # already one-hot, as stable-baselines3 hands it over
            return x.reshape(x.shape[0], -1).float()
        return nn.functional.one_hot(x.long().reshape(-1) - int(space.start), int(space.n)).float()
    if isinstance(space, spaces.MultiDiscrete):
        if x.is_floating_point() and math.prod(x.shape[1:]) == int(space.nvec.sum()):  # the same
            return x.reshape(x.shape[0], -1).float()
        columns = x.long().reshape(x.shape[0], -1) - torch.as_tensor(space.start, device=x.device).reshape(1, -1)
        parts = [nn.functional.one_hot(columns[:, i], int(n)) for i, n in enumerate(space.nvec.ravel())]
        return torch.cat(parts, dim=1).float()
    if isinstance(space, spaces.Text):
        return nn.functional.one_hot(x.long(), characters(space))[..., 1:].reshape(x.shape[0], -1).float()
    return x.reshape(x.shape[0], -1).float()
