"""Where spaces meet networks: what an agent can see and do, on which device, and actions within bounds."""

from __future__ import annotations

import warnings
from typing import Any, TypeVar

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces

from rlcourse.core.packing import Packed, packed
from rlcourse.core.spaces import short
from rlcourse.encoders.passes import Passes, set_passes

__all__ = ["Network", "PackedVectorEnv", "check_spaces", "device_for", "memory_format", "prepared", "within"]

Network = TypeVar("Network", bound=torch.nn.Module)


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


def device_for(name: str, loaded: bool = False) -> torch.device:
    """Return the device on which an agent is made; "auto" is the CPU until it learns (`rlcourse.agents.deep.measure`).

    An agent that is loaded where there is no GPU goes on on the CPU.
    """
    if name == "cuda" and not torch.cuda.is_available():
        if loaded:
            warnings.warn("this agent was trained on a GPU, and no CUDA device is available here: it goes on on the CPU", stacklevel=5)
            return torch.device("cpu")
        raise ValueError("device 'cuda': no CUDA device is available here; take device='cpu'")
    if name == "cuda":
        return torch.device(name, torch.cuda.current_device())  # by its number: where it learns in a thread, the first would be current
    return torch.device("cpu")


def prepared(network: Network, config: Any, device: torch.device) -> Network:
    """Return a network on a device, in eval mode, its passes as the settings say.

    On a GPU convolutions have channels-last weights, as their images are anyway (`rlcourse.encoders.images`): cuDNN then converts neither,
    and its products in bfloat16 are on the tensor cores.
    """
    if config.precision != "float32" or config.compile:
        set_passes(network, Passes(config.precision, device, config.compile))
    network.to(device)
    network.to(memory_format=memory_format(device))  # type: ignore[call-overload]  # torch's stubs lack this one
    return network.eval()


def memory_format(device: torch.device) -> torch.memory_format:
    """Return the order in memory of the weights of convolutions on a device."""
    return torch.channels_last if device.type == "cuda" else torch.contiguous_format


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
    if (none := np.isnan(taken)).any():
        copy, advice = np.argwhere(none)[0, 0], "lower learning_rate, or mend a reward or an observation that is none"
        raise FloatingPointError(f"an action is no longer a number, in copy {copy}: {advice}")
    return taken.astype(box.dtype, copy=False) if box.dtype.kind == "f" else np.rint(taken).astype(box.dtype)
