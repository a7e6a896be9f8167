"""Stacks of frames: whether an environment makes them, so that a memory can store each frame once."""

from __future__ import annotations

from typing import Any

import gymnasium as gym

__all__ = ["stack_size"]


def stack_size(env: Any) -> int:
    """Return how many frames `gymnasium.wrappers.FrameStackObservation` stacks as the outermost change of observations, or 1."""
    if isinstance(env, gym.vector.VectorEnv):
        copies = getattr(env.unwrapped, "envs", None)
        return stack_size(copies[0]) if copies else 1
    while isinstance(env, gym.Wrapper):
        if isinstance(env, gym.wrappers.FrameStackObservation):
            return int(env.stack_size)
        if isinstance(env, gym.ObservationWrapper):
            return 1
        env = env.env
    return 1
