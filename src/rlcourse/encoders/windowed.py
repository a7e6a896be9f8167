"""Memories for agents that carry none: they run over the last k observations, from nothing, whenever an observation comes.

The observations are those of `rlcourse.wrappers.Window`: rows, the newest last, of which those from before the episode do not count. So the
same class is an encoder of our PPO and DQN, and a `features_extractor_class` of stable-baselines3's. What lies further back than k steps is
forgotten, and each step costs k; a memory that is carried along (`rlcourse.encoders.recurrent`) has neither limit.
"""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from rlcourse.core.spaces import short
from rlcourse.encoders import make_memory

__all__ = ["WindowAttention", "WindowGRU", "WindowLSTM", "WindowRNN"]


class WindowLSTM(nn.Module):
    """An LSTM over the last k observations, from an empty memory; the features are its output at the newest.

    Parameters
    ----------
    observation_space : gymnasium.spaces.Box
        Of a `rlcourse.wrappers.Window`, shape [k, n + 1].
    features_dim : int
        Width of the memory and of the features.
    encoder : str
        What each observation goes through first: a name for `rlcourse.encoders.make`.
    """

    kind: ClassVar[str] = "lstm"

    def __init__(self, observation_space: gym.Space[Any], features_dim: int = 64, encoder: str = "auto") -> None:
        super().__init__()
        seen = _inside(f"window-{self.kind}", observation_space)
        self.features_dim, self.k = features_dim, observation_space.shape[0]  # type: ignore[index]
        name = f"attention:{self.k}" if self.kind == "attention" else self.kind
        self.memory: Any = make_memory(name, seen, features_dim, encoder)

    def forward(self, observations: Tensor) -> Tensor:
        """Return features, shape [B, features_dim], of windows [B, k, n + 1]."""
        exists = observations[..., -1] > 0.0
        first = exists[:, :-1].logical_not().sum(1)  # [B]; the newest row always counts, whatever normalising has done to its mark
        return self._over(observations[..., :-1].transpose(0, 1), first)

    def _over(self, x: Tensor, first: Tensor) -> Tensor:
        """Return the features of windows [k, B, n], each of which begins at a row of its own."""
        rows = (torch.arange(self.k, device=x.device).unsqueeze(1) + first).clamp(max=self.k - 1)
        moved = x.gather(0, rows.unsqueeze(2).expand_as(x))  # what comes before goes, what follows the end repeats it
        features, _ = self.memory(moved, self.memory.initial(x.shape[1]))
        found: Tensor = features[self.k - 1 - first, torch.arange(x.shape[1], device=x.device)]
        return found


class WindowGRU(WindowLSTM):
    """A GRU over the last k observations; parameters as `WindowLSTM`."""

    kind = "gru"


class WindowRNN(WindowLSTM):
    """A plain recurrent layer over the last k observations; parameters as `WindowLSTM`."""

    kind = "rnn"


class WindowAttention(WindowLSTM):
    """Attention of the newest observation to the last k; parameters as `WindowLSTM`."""

    kind = "attention"

    def _over(self, x: Tensor, first: Tensor) -> Tensor:
        exists = torch.arange(self.k - 1, device=x.device).unsqueeze(1) >= first
        features: Tensor = self.memory.step(x[-1], self.memory.of(x[:-1], exists))[0]
        return features


def _inside(name: str, space: Any) -> gym.spaces.Box:
    """Return the space of the observations that a window is made of."""
    windows = isinstance(space, gym.spaces.Box) and len(space.shape) == 2 and min(space.shape) >= 2 and space.dtype.kind == "f"
    if not windows or np.any(space.low[:, -1] != 0.0) or np.any(space.high[:, -1] != 1.0):
        raise ValueError(f"encoder {name!r} needs windows: wrap the environment in rlcourse.wrappers.Window; not {short(space)}")
    return gym.spaces.Box(space.low[-1, :-1], space.high[-1, :-1], dtype=np.float32)
