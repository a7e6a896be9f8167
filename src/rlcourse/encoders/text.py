"""`TextLSTM`, `TextBiLSTM` and `TextBag`: a sequence of tokens, or of the characters of a text, as one vector."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from rlcourse.core.packing import characters
from rlcourse.core.spaces import short
from rlcourse.encoders.passes import full_precision

__all__ = ["TextBag", "TextBiLSTM", "TextLSTM", "as_tokens", "is_tokens", "tokens_of"]


class TextLSTM(nn.Module):
    """Learned vectors of tokens, and LSTMs that read them; the features are their output at the last token.

    Parameters
    ----------
    observation_space : gymnasium.spaces.Text or MultiDiscrete
        Of a Text the tokens are its characters (`rlcourse.core.packing`); a MultiDiscrete of one axis, all counts equal, holds tokens.
        Token 0 is padding, at the end.
    features_dim : int
        Width of the last layer's output, of both directions together.
    embedding : int
        Width of a token's vector.
    layers : int
        LSTMs on top of one another.
    dropout : float
        Share of a layer's outputs that are zero in training, before the next layer.
    """

    name: ClassVar[str] = "text-lstm"
    directions: ClassVar[int] = 1

    def __init__(
        self, observation_space: gym.Space[Any], features_dim: int = 64, embedding: int = 32, layers: int = 1, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.tokens, self.length = tokens_of(self.name, observation_space)
        if features_dim < 1 or features_dim % self.directions:
            raise ValueError(f"encoder {self.name!r}: features_dim must be a multiple of {self.directions}, not {features_dim}")
        self.features_dim, width = features_dim, features_dim // self.directions
        self.embedding = nn.Embedding(self.tokens, embedding, padding_idx=0)
        inputs = [embedding] + [features_dim] * (layers - 1)
        self.cells: Any = nn.ModuleList(nn.ModuleList(nn.LSTM(i, width) for _ in range(self.directions)) for i in inputs)
        self.dropout = nn.Dropout(dropout)

    def forward(self, observations: Tensor) -> Tensor:
        """Return features, shape [B, features_dim], of tokens [B, L], or of one-hot tokens [B, L * tokens]."""
        return self.read(as_tokens(observations, self.length, self.tokens))[1]

    @full_precision
    def read(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return the last layer's outputs at every token, [L, B, features_dim], and the features [B, features_dim], of tokens [L, B]."""
        last = (tokens != 0).sum(0).sub(1).clamp_(min=0)
        place = torch.arange(self.length, device=tokens.device).unsqueeze(1)
        mirror = torch.where(place <= last, last - place, place).unsqueeze(2)  # the tokens in reverse, padding where it was
        x = self.embedding(tokens)
        for index, cells in enumerate(self.cells):
            x = x if index == 0 else self.dropout(x)
            read = [_mirrored(cell, x, mirror) if back else cell(x)[0] for back, cell in enumerate(cells)]
            x = read[0] if len(read) == 1 else torch.cat(read, dim=2)
        final = read[0].gather(0, last.view(1, -1, 1).expand(1, -1, read[0].shape[2]))[0]
        return x, torch.cat([final, *(backward[0] for backward in read[1:])], dim=1)


class TextBiLSTM(TextLSTM):
    """`TextLSTM` with a second LSTM in each layer, which reads from the end; parameters as `TextLSTM`."""

    name, directions = "text-bilstm", 2


class TextBag(nn.Module):
    """Learned vectors of tokens, added up: what a text says, whatever the order of its words.

    Parameters
    ----------
    observation_space : gymnasium.spaces.Text or MultiDiscrete
        As of `TextLSTM`.
    features_dim : int
        Width of a token's vector, and of the sum.

    Notes
    -----
    Initial vectors are such that the sum over a text without padding has variance 1.
    """

    name: ClassVar[str] = "text-bag"

    def __init__(self, observation_space: gym.Space[Any], features_dim: int = 64) -> None:
        super().__init__()
        self.tokens, self.length = tokens_of(self.name, observation_space)
        self.features_dim = features_dim
        self.embedding = nn.Embedding(self.tokens, features_dim, padding_idx=0)
        with torch.no_grad():
            self.embedding.weight.mul_(self.length**-0.5)

    def forward(self, observations: Tensor) -> Tensor:
        """Return features, shape [B, features_dim], of tokens [B, L], or of one-hot tokens [B, L * tokens]."""
        found: Tensor = self.embedding(as_tokens(observations, self.length, self.tokens)).sum(0)
        return found


def _mirrored(cell: nn.Module, x: Tensor, mirror: Tensor) -> Tensor:
    """Return the outputs [L, B, H] of a cell that reads each sequence of [L, B, I] from its end."""
    outputs = cell(x.gather(0, mirror.expand(x.shape)))[0]
    found: Tensor = outputs.gather(0, mirror.expand(outputs.shape))
    return found


def as_tokens(observations: Tensor, length: int, tokens: int) -> Tensor:
    """Return tokens, int64 [L, B], of observations [B, L], or of one-hot ones [B, L * tokens], as stable-baselines3 hands them over."""
    if observations.shape[-1] == length * tokens and observations.is_floating_point():
        observations = observations.view(-1, length, tokens).argmax(2)
    return observations.long().view(-1, length).t()


def is_tokens(space: gym.Space[Any]) -> bool:
    """Whether a space holds text or tokens: Text, or a MultiDiscrete of one axis, all counts equal and from 0."""
    if isinstance(space, spaces.MultiDiscrete):
        return space.nvec.ndim == 1 and len(np.unique(space.nvec)) == 1 and not space.start.any()
    return isinstance(space, spaces.Text)


def tokens_of(name: str, space: gym.Space[Any]) -> tuple[int, int]:
    """Return how many tokens there are, and how many an observation holds; raise where a space holds none."""
    if isinstance(space, spaces.Text):
        return characters(space), space.max_length
    if isinstance(space, spaces.MultiDiscrete) and is_tokens(space):
        return int(space.nvec[0]), len(space.nvec)
    raise ValueError(f"encoder {name!r} needs Text, or tokens in a MultiDiscrete of equal counts from 0, not {short(space)}")
