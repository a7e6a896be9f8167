"""Encoders: from an observation to a feature vector, as plain `torch.nn.Module`s that any agent can take.

An encoder is ``Encoder(observation_space, features_dim=...)`` with an attribute `features_dim` and ``forward(observations)``, which
is all that stable-baselines3's ``features_extractor_class`` asks for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

__all__ = ["make"]


def make(name: str, observation_space: Any, features_dim: int = 512) -> nn.Module:
    """Make an encoder.

    Parameters
    ----------
    name : {"auto", "flatten", "nature"}
        "auto" takes "nature" for images of at least 36 x 36 pixels, "flatten" for everything else.
    observation_space : gymnasium.Space
    features_dim : int
        Width of the feature vector; "flatten" has its own.
    """
    from rlcourse.encoders.flatten import Flatten
    from rlcourse.encoders.nature import Nature, is_image

    if name == "auto":
        name = "nature" if is_image(observation_space) else "flatten"
    if name == "flatten":
        return Flatten(observation_space)
    if name == "nature":
        return Nature(observation_space, features_dim)
    raise ValueError(f"encoder must be 'auto', 'flatten' or 'nature', not {name!r}")
