"""`Merge`: observations of several parts, each through an encoder of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import torch
from torch import Tensor, nn

from rlcourse.core.config import did_you_mean
from rlcourse.core.packing import Part
from rlcourse.core.spaces import short
from rlcourse.encoders.pieces import parts_of, pieces

__all__ = ["Merge", "encoders_for"]


class Merge(nn.Module):
    """Join the features of all parts of a Dict, a Tuple or a OneOf, nested ones too.

    Parameters
    ----------
    observation_space : gymnasium.spaces.Dict, Tuple, OneOf or Packed
    features_dim : int, optional
        Width of a linear layer with ReLU after them; by default there is none, and features are those of all parts.
    encoders : mapping of str to str, optional
        Encoders by the path of a part ("camera", "sensors.camera", in a tuple "0"); "auto" where none is given.

    Attributes
    ----------
    features_dim : int
    parts : tuple of rlcourse.core.packing.Part
    encoders : ModuleList
        One for each part.

    Notes
    -----
    It takes packed vectors (`rlcourse.core.packing`), and dictionaries and tuples of tensors, as stable-baselines3's MultiInputPolicy
    hands them over.
    """

    def __init__(
        self, observation_space: gym.Space[Any], features_dim: int | None = None, encoders: Mapping[str, str] | None = None
    ) -> None:
        super().__init__()
        self.parts = parts_of(observation_space)
        if [part.path for part in self.parts] == [()]:
            raise ValueError(f"encoder 'merge' needs Dict, Tuple or OneOf observations, not {short(observation_space)}")
        made: list[Any] = encoders_for("merge", self.parts, encoders)
        self.encoders = nn.ModuleList(made)
        joined = sum(encoder.features_dim for encoder in made)
        self.features_dim = joined if features_dim is None else features_dim
        self.linear = nn.Sequential() if features_dim is None else nn.Sequential(nn.Linear(joined, features_dim), nn.ReLU())

    def forward(self, observations: Any) -> Tensor:
        """Return features, shape [B, features_dim], of packed vectors [B, width], or of tensors by key."""
        found = [encoder(piece) for encoder, piece in zip(self.encoders, pieces(self.parts, observations), strict=True)]
        features: Tensor = self.linear(torch.cat(found, dim=1))
        return features


def encoders_for(name: str, parts: Sequence[Part], given: Mapping[str, str] | None) -> list[nn.Module]:
    """Make the encoders of parts: those given by their paths, "auto" for the others; `name` is who asks, for the message."""
    from rlcourse.encoders import make

    paths, given = [".".join(part.path) for part in parts], dict(given or {})
    for path in given:
        if path not in paths:
            raise ValueError(f"encoder {name!r}: observations have no part {path!r}{did_you_mean(path, paths)}")
    return [make(given.get(path, "auto"), part.space) for path, part in zip(paths, parts, strict=True)]
