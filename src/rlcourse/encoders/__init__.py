"""Encoders: from an observation to a feature vector, as plain `torch.nn.Module`s that any agent can take.

An encoder is ``Encoder(observation_space, features_dim=...)`` with an attribute `features_dim` and ``forward(observations)``, which
is all that stable-baselines3's ``features_extractor_class`` asks for. One with memory also takes ``(x[T, B, ...], state,
episode_start[T, B])`` and returns ``(features, state)``: see `rlcourse.encoders.recurrent`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from rlcourse.encoders.recurrent import Recurrent

__all__ = ["make", "make_memory"]


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


def make_memory(name: str, observation_space: Any, features_dim: int = 64, encoder: str = "auto", layers: int = 1) -> Recurrent:
    """Make an encoder with memory.

    Parameters
    ----------
    name : {"lstm", "gru"}
    observation_space : gymnasium.Space
    features_dim, encoder, layers
        See `rlcourse.encoders.recurrent.Recurrent`.
    """
    from rlcourse.encoders.recurrent import GRU, LSTM

    kinds: dict[str, type[Recurrent]] = {"gru": GRU, "lstm": LSTM}
    if name not in kinds:
        raise ValueError(f"memory must be 'gru' or 'lstm', not {name!r}")
    return kinds[name](observation_space, features_dim, encoder, layers)
