"""Noise that actors explore by."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from rlcourse.core.fits import fit, shaped, whole_in

__all__ = ["ActionNoise", "HeldNoise"]


class ActionNoise:
    """Noise for N copies: independent normal numbers, or an Ornstein-Uhlenbeck process (Uhlenbeck & Ornstein 1930).

    The process ``x += -theta x dt + std sqrt(dt) n`` has DDPG's theta, 0.15, and the dt of later implementations, 0.01. It drifts
    slowly: it pushes in one direction for a while, and begins anew with each episode.

    Parameters
    ----------
    kind : {"normal", "ornstein_uhlenbeck"}
    std : float
        In units of half the range of an action.
    copies, size : int
        N, and the dimensions A of an action.
    """

    def __init__(self, kind: str, std: float, copies: int, size: int) -> None:
        self.process, self.std = kind == "ornstein_uhlenbeck", std
        self.x = np.zeros((copies, size), np.float32)

    def __call__(self, starts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the noise of the next step, shape [N, A]; `starts` of bool [N] says where an episode begins."""
        drawn = rng.standard_normal(self.x.shape, dtype=np.float32)
        if not self.process:
            return self.std * drawn
        self.x[starts] = 0.0
        self.x += -0.15 * 0.01 * self.x + self.std * 0.1 * drawn
        return self.x.copy()

    def state_dict(self) -> dict[str, Any]:
        """Return where the process is."""
        return {"x": self.x}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        fit(self.x, state["x"], "noise.x")


class HeldNoise:
    """Standard normal numbers for N copies, each kept for several steps; a policy that samples by them pushes in one direction for a while.

    Every single action is distributed as the policy says, only consecutive ones go together.

    Parameters
    ----------
    steps : int
        For which a number is kept.
    copies, size : int
        N, and the dimensions A of an action.
    """

    def __init__(self, steps: int, copies: int, size: int) -> None:
        self.steps, self.age = steps, 0
        self.x = torch.zeros(copies, size)

    def __call__(self, generator: torch.Generator) -> Tensor:
        """Return the noise of the next step, shape [N, A]."""
        if self.age % self.steps == 0:
            self.x.normal_(generator=generator)
        self.age += 1
        return self.x

    def state_dict(self) -> dict[str, Any]:
        """Return the numbers, and for how long they have been kept."""
        return {"x": self.x, "age": self.age}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.x.copy_(torch.as_tensor(shaped(state["x"], tuple(self.x.shape), np.float32, "noise.x")))
        self.age = whole_in(state["age"], 0, 2**62, "noise.age")
