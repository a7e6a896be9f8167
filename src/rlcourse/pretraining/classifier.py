"""`Classifier`: an encoder and a linear layer, learned from labels; its encoder is then a source for agents."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Self

import gymnasium as gym
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from rlcourse.core.arguments import checked
from rlcourse.core.config import Count, Natural
from rlcourse.encoders import make
from rlcourse.pretraining import files

__all__ = ["Classifier"]


class Classifier(nn.Module):
    """An encoder by name, and a linear layer with one output for each class.

    Parameters
    ----------
    observation_space : gymnasium.Space
    encoder : str
        Name for `rlcourse.encoders.make`.
    classes : int
    seed : int
        Of the initial weights.
    """

    @checked
    def __init__(self, observation_space: gym.Space[Any], encoder: str, classes: Count, seed: Natural = 0) -> None:
        super().__init__()
        if classes < 2:
            raise ValueError(f"classes must be at least 2, not {classes}: all labels are the same")
        self.observation_space, self.name, self.classes, self.seed = observation_space, encoder, classes, seed
        with torch.random.fork_rng(devices=[]):  # layers initialise from torch's global generator
            torch.manual_seed(seed)
            self.encoder = make(encoder, observation_space)
            self.head = nn.Linear(int(self.encoder.features_dim), classes)  # type: ignore[arg-type]

    def forward(self, observations: Tensor) -> Tensor:
        """Return logits, shape [B, classes], of observations [B, ...]."""
        logits: Tensor = self.head(self.encoder(observations))
        return logits

    def loss(self, observations: Tensor, labels: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return the mean cross-entropy with labels [B], a scalar."""
        return cross_entropy(self(observations), labels)

    @torch.no_grad()
    def accuracy(self, observations: Tensor, labels: Tensor) -> float:
        """Return how many of the observations get the right label, a share."""
        right = [(self(x).argmax(1) == y).sum() for x, y in zip(observations.split(500), labels.split(500), strict=True)]
        return float(torch.stack(right).sum()) / len(labels)

    def save(self, path: str | os.PathLike[str], settings: dict[str, Any] | None = None) -> Path:
        """Save to one safetensors file (see `rlcourse.core.files`): arrays ``encoder.*`` and ``head.*``."""
        return files.save(path, self, {"classes": self.classes}, settings)

    @classmethod
    def load(cls, path: str | os.PathLike[str], observation_space: gym.Space[Any] | None = None) -> Self:
        """Load what `save` wrote; see `rlcourse.pretraining.load`."""
        return files.load(path, observation_space, cls)
