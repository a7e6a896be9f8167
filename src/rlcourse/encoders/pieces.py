"""The parts of an observation as tensors, from a packed vector or from a dictionary or tuple of tensors."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from rlcourse.core.packing import Packed, Part, parts

__all__ = ["parts_of", "pieces"]


def parts_of(space: gym.Space[Any]) -> tuple[Part, ...]:
    """Return the parts of a space, or of the space that packed vectors stand for."""
    return space.parts if isinstance(space, Packed) else parts(space)


def pieces(wanted: tuple[Part, ...], observations: Any) -> list[Tensor]:
    """Return the tensor of each part, [B, ...] in the part's own shape.

    Parameters
    ----------
    wanted : tuple of Part
    observations : Tensor, dict or tuple
        Packed vectors [B, width]; or tensors by key, as stable-baselines3 hands them over, which stay as they are.
    """
    if not isinstance(observations, Tensor):
        return [_at(observations, part.path) for part in wanted]
    if not wanted[0].path:  # the observation is one part
        return [observations]
    return [_unpacked(part.space, observations[:, part.start : part.stop]) for part in wanted]


def _at(observations: Any, path: tuple[str, ...]) -> Tensor:
    for key in path:
        observations = observations[key if isinstance(observations, dict) else int(key)]
    found: Tensor = observations
    return found


def _unpacked(space: gym.Space[Any], columns: Tensor) -> Tensor:
    """Return the part that columns hold; bytes and whole numbers are such again."""
    if isinstance(space, spaces.Box):
        whole = columns.to(torch.uint8) if space.dtype == np.uint8 else columns
        return whole.reshape(-1, *space.shape)
    if isinstance(space, spaces.MultiBinary):
        return columns
    return columns[:, 0].long() if isinstance(space, spaces.Discrete) else columns.long()
