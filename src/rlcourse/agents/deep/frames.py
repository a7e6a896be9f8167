"""Stacks of frames: whether an environment makes them, so that a memory can store each frame once."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
from gymnasium import wrappers

__all__ = ["stack_size"]

# what leaves observations as they are; any other wrapper may change a stack after it was made
_TRANSPARENT = (
    gym.ActionWrapper,
    gym.RewardWrapper,
    wrappers.HumanRendering,
    wrappers.NormalizeReward,
    wrappers.OrderEnforcing,
    wrappers.PassiveEnvChecker,
    wrappers.RecordEpisodeStatistics,
    wrappers.RecordVideo,
    wrappers.TimeLimit,
)


def stack_size(env: Any) -> int:
    """Return how many frames `gymnasium.wrappers.FrameStackObservation` stacks as the outermost change of observations, or 1.

    Only stacks that begin with the first frame repeated can be made again from single frames (its default, ``padding_type="reset"``).
    """
    if isinstance(env, gym.vector.VectorEnv):
        while isinstance(env, gym.vector.VectorWrapper):
            if not isinstance(env, wrappers.vector.RecordEpisodeStatistics):
                return 1
            env = env.env
        copies = getattr(env, "envs", None)
        return stack_size(copies[0]) if copies else 1
    while isinstance(env, _TRANSPARENT):
        env = env.env
    return int(env.stack_size) if isinstance(env, wrappers.FrameStackObservation) and env.padding_type == "reset" else 1
