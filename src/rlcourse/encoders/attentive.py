"""`AttentionMemory`: not a state that is folded step by step, but the last k observations of the episode, and attention over them.

An observation becomes a vector e. At step t the query of e_t is scored against all that are held, in several heads; a learned vector r of
each age tells how long ago one was, since a softmax knows no order (relative positions: Shaw, Uszkoreit & Vaswani 2018):

    a_s = softmax over s of q_t . (k_s + r_{t-s}) / sqrt(d),    c_t = sum of a_s v_s,    h_t = tanh(W [c_t; e_t])      (t - k < s <= t)

where q, k and v are linear in e (Vaswani et al. 2017), and h is as in Luong et al. (2015, Eq. 5). What is older, or of another episode, has
no part in it, to the last bit. A sequence is one banded operation; nothing runs along time.
"""

from __future__ import annotations

import math
from typing import Any

import gymnasium as gym
import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from rlcourse.encoders.passes import full_precision
from rlcourse.encoders.recurrent import Recurrent, State

__all__ = ["AttentionMemory"]


class AttentionMemory(Recurrent):
    """Attention over the last k observations of an episode.

    Its state is one array [k - 1, B, features_dim + 1]: the vectors of the observations before, the newest last, each with a one behind
    it; where there was none all is zero.

    Parameters
    ----------
    observation_space : gymnasium.Space
    features_dim : int
        Width of a vector and of the features, a multiple of `heads`.
    encoder : str
        What an observation goes through first: a name for `rlcourse.encoders.make`.
    layers : int
        1: it is not stacked.
    dropout : float
        Share of the features that are zero in training.
    window : int
        k, at least 2.
    heads : int
    """

    arrays = 1

    def __init__(
        self,
        observation_space: gym.Space[Any],
        features_dim: int = 64,
        encoder: str = "auto",
        layers: int = 1,
        dropout: float = 0.0,
        window: int = 16,
        heads: int = 4,
    ) -> None:
        if layers != 1:
            raise ValueError(f"an attention memory has one layer, not {layers}: take a longer window, such as 'attention:{2 * window}'")
        if window < 2:
            raise ValueError(f"window must be at least 2, or nothing is remembered, not {window}")
        if features_dim % heads:
            raise ValueError(
                f"an attention memory has {heads} heads: its width (memory_size of an agent) must be a multiple, not {features_dim}"
            )
        self.window, self.heads = window, heads
        super().__init__(observation_space, features_dim, encoder, layers, dropout)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Arrays of a state, their rows, and their width."""
        return 1, self.window - 1, self.features_dim + 1

    def _build(self, inputs: int) -> None:
        width = self.features_dim
        self.inward = nn.Linear(inputs, width)
        self.query = nn.Linear(width, width)
        self.keys_and_values = nn.Linear(width, 2 * width, bias=False)
        self.ages = nn.Parameter(torch.randn(self.window, self.heads, width // self.heads))  # r; the oldest first
        self.combine = nn.Linear(2 * width, width)

    def step(self, x: Any, state: State, episode_start: Tensor | None = None) -> tuple[Tensor, State]:
        """Return the features of one step, and the memory after it; see `Recurrent.step`."""
        features, after = self(x.unsqueeze(0), state, None if episode_start is None else episode_start.view(1, -1))
        return features[0], after

    @full_precision
    def of(self, x: Tensor, exists: Tensor) -> State:
        """Return the memory after observations [k - 1, B, ...], of which only some exist, bool [k - 1, B]."""
        new = torch.tanh(self.inward(self._encoded(x.flatten(0, 1)))).view(*x.shape[:2], -1)
        marked = exists.unsqueeze(2).to(new)
        return (torch.cat([new * marked, marked], dim=2),)

    def _whole(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        held = self._held(x, state)
        exists = held[..., -1].unfold(0, self.window, 1) > 0.0  # [T, B, k]
        return self._attended(held[..., :-1], exists), (held[1 - self.window :],)

    def _cut(self, x: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        held = self._held(x, state)
        episode = torch.cat([starts.new_zeros(self.window, x.shape[1], dtype=torch.int64), starts[1:].cumsum(0)])  # [k - 1 + T, B]
        same = episode.unfold(0, self.window, 1) == episode[self.window - 1 :].unsqueeze(2)
        exists = held[..., -1].unfold(0, self.window, 1) > 0.0
        last = held[1 - self.window :].masked_fill((episode[1 - self.window :] != episode[-1]).unsqueeze(2), 0.0)
        return self._attended(held[..., :-1], exists & same), (last,)

    def _unrolled(self, x: Tensor, state: State, starts: Tensor | None) -> tuple[Tensor, State]:
        return self._whole(x, state) if starts is None else self._cut(x, state, starts)  # plain operations already

    def _held(self, x: Tensor, state: State) -> Tensor:
        """Return the vectors of a state and of encoded observations [T, B, inputs], the oldest first: [k - 1 + T, B, features_dim + 1]."""
        new = torch.tanh(self.inward(x))
        return torch.cat([state[0], torch.cat([new, torch.ones_like(new[..., :1])], dim=2)])

    def _attended(self, vectors: Tensor, exists: Tensor) -> Tensor:
        """Return the features [T, B, features_dim]; `exists` [T, B, k] is what each step may look at, itself the last."""
        k = exists.shape[2]
        new = vectors[k - 1 :]
        query, (keys, values) = self._split(self.query(new)), map(self._split, self.keys_and_values(vectors).chunk(2, dim=2))
        scores = _band(query @ keys.transpose(2, 3), k) + torch.einsum("bhtd,khd->bhtk", query, self.ages)
        scores = (scores / math.sqrt(query.shape[3])).masked_fill(~exists.transpose(0, 1).unsqueeze(1), -torch.inf)
        context = (_unband(scores.softmax(3), len(vectors)) @ values).permute(2, 0, 1, 3).flatten(2)
        return self._dropped(torch.tanh(self.combine(torch.cat([context, new], dim=2))))

    def _split(self, x: Tensor) -> Tensor:
        """Return vectors [T, B, width] by heads, [B, heads, T, d]."""
        return x.view(*x.shape[:2], self.heads, -1).permute(1, 2, 0, 3)


def _band(x: Tensor, k: int) -> Tensor:
    """Return of each row t of [B, heads, T, L] the columns t to t + k - 1: [B, heads, T, k]."""
    T, L = x.shape[2:]
    return pad(x.flatten(2), (0, T)).view(*x.shape[:3], L + 1)[..., :k]


def _unband(x: Tensor, L: int) -> Tensor:
    """Return its inverse, zeros elsewhere: [B, heads, T, L]."""
    T, k = x.shape[2:]
    return pad(x, (0, L + 1 - k)).flatten(2)[..., : T * L].reshape(*x.shape[:3], L)
