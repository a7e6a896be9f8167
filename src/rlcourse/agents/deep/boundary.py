"""Where spaces meet networks: what an agent can see and do, on which device, and actions within bounds."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces

from rlcourse.core.packing import Packed, packed, parts
from rlcourse.core.spaces import short

__all__ = ["PackedVectorEnv", "check_spaces", "device_for", "within"]


def check_spaces(name: str, actions: tuple[type[gym.Space[Any]], ...], observation_space: Any, action_space: Any, config: Any) -> None:
    """Raise ValueError, in one sentence, where an agent cannot see or act in these spaces."""
    if not isinstance(action_space, actions):
        known = " and ".join(kind.__name__ for kind in actions)
        raise ValueError(f"{name} acts in {known} spaces, not in {short(action_space)}; take another agent, or a wrapper")
    try:
        composite = packed(observation_space) is not None
    except ValueError as error:
        raise ValueError(f"{name} cannot see what it is given: {error}") from error
    if not composite and spaces.flatdim(observation_space) == 0:
        raise ValueError(f"{name} sees nothing in {short(observation_space)}: an observation needs at least one number")
    if getattr(config, "normalize_observations", False) and not isinstance(observation_space, spaces.Box):
        raise ValueError(f"normalize_observations scales observations in a Box, not {short(observation_space)}; set it to false")


def device_for(name: str, space: gym.Space[Any]) -> torch.device:
    """Return the device of a name; "auto" is the GPU for images where there is one, else the CPU."""
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("device 'cuda': no CUDA device is available here; take device='cpu'")
    if name == "auto":
        images = any(len(part.space.shape or ()) == 3 for part in parts(space))
        name = "cuda" if torch.cuda.is_available() and images else "cpu"
    return torch.device(name)


class PackedVectorEnv(gym.vector.VectorWrapper[Any, Any, Any, Any, Any]):
    """Copies whose observations of several parts arrive as vectors, the last ones of episodes too.

    Parameters
    ----------
    env : VectorEnv
        Copies that reset in the same step.
    packing : Packed
        Of one copy's observations.
    """

    def __init__(self, env: gym.vector.VectorEnv[Any, Any, Any], packing: Packed) -> None:
        super().__init__(env)
        self.packing = self.single_observation_space = packing
        self.observation_space = gym.vector.utils.batch_space(packing, env.num_envs)

    def reset(self, **options: Any) -> tuple[np.ndarray, dict[str, Any]]:
        """Reset the copies; see `gymnasium.vector.VectorEnv.reset`."""
        observations, infos = self.env.reset(**options)
        return self.packing.pack_batch(observations), infos

    def step(self, actions: Any) -> tuple[Any, ...]:
        """Step the copies; see `gymnasium.vector.VectorEnv.step`."""
        observations, *outcome, infos = self.env.step(actions)
        if "final_obs" in infos:
            finals = np.full(self.num_envs, None, dtype=object)
            for i in np.flatnonzero(infos["_final_obs"]):
                finals[i] = self.packing.pack(infos["final_obs"][i])
            infos = infos | {"final_obs": finals}
        return self.packing.pack_batch(observations), *outcome, infos


def within(box: Any, actions: np.ndarray) -> np.ndarray:
    """Return actions, shape [B, ...] of as many numbers, as elements of a Box: within its bounds, of its type, whole where that is whole.

    Raises
    ------
    FloatingPointError
        Where an action is no number: so the network has diverged, before the weights are next looked at.
    """
    taken: np.ndarray = np.clip(actions.reshape(-1, *box.shape), box.low, box.high)
    if np.isnan(taken).any():
        raise FloatingPointError("an action is no longer a number: lower learning_rate, or mend a reward or an observation that is none")
    return taken.astype(box.dtype, copy=False) if box.dtype.kind == "f" else np.rint(taken).astype(box.dtype)
