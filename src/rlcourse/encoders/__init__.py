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


def make(name: str, observation_space: Any, features_dim: int | None = None) -> nn.Module:
    """Make an encoder.

    Parameters
    ----------
    name : {"auto", "embedding", "flatten", "mlp", "nature", "small"}
        "auto" takes "nature" for images of at least 36 x 36 pixels, "small" for smaller images and boards, "flatten" for everything
        else. A width may follow: "embedding:32".
    observation_space : gymnasium.Space
    features_dim : int, optional
        Width of the feature vector; by default the encoder's own. "flatten" has that of the space.
    """
    from rlcourse.encoders.embedding import Embedding
    from rlcourse.encoders.flatten import Flatten
    from rlcourse.encoders.mlp import MLP
    from rlcourse.encoders.nature import Nature, is_image
    from rlcourse.encoders.small import Small, is_board

    kinds: dict[str, Any] = {"embedding": Embedding, "flatten": Flatten, "mlp": MLP, "nature": Nature, "small": Small}
    asked, colon, width = name.partition(":")
    if colon:
        if not width.isdecimal() or int(width) < 1:
            raise ValueError(f"encoder {name!r}: a width of features follows the colon, for example 'embedding:32'")
        features_dim = int(width)
    if asked == "auto":
        asked = "nature" if is_image(observation_space) else "small" if is_board(observation_space) else "flatten"
    if asked not in kinds:
        raise ValueError(f"encoder must be 'auto' or one of {', '.join(map(repr, kinds))}, not {asked!r}")
    made: nn.Module = kinds[asked](observation_space, **({} if features_dim is None else {"features_dim": features_dim}))
    return made


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
