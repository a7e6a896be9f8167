"""`play`: some steps of an agent's greedy policy, with all that can be asked about them later."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from rlcourse.core.arguments import checked
from rlcourse.core.config import whole
from rlcourse.core.copies import as_vector
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.inspection.network import Network, network_of

__all__ = ["Play", "play"]


class Play(NamedTuple):
    """T steps of N copies.

    Attributes
    ----------
    network : Network
    world : World or None
        Which tells its states; None where the environment is no world of ours.
    observations : Tensor, shape [T, N, ...]
        As the network takes them: normalised where the agent normalises.
    starts : ndarray of bool, shape [T, N]
        Whether an observation is the first of an episode.
    states : ndarray or None
        Of the world, shape [T, N, S].
    before, after : list of tuple of Tensor
        The memory before and after each observation, arrays [layers, N, width]; empty for an agent without one.
    values : ndarray, shape [T, N]
    """

    network: Network
    world: Any
    observations: Tensor
    starts: np.ndarray
    states: np.ndarray | None
    before: list[Any]
    after: list[Any]
    values: np.ndarray

    def state(self, t: int, copy: int) -> Any:
        """Return the memory before an observation, arrays [layers, 1, width]; None where there is none."""
        return tuple(part[:, copy : copy + 1] for part in self.before[t]) if self.before else None

    def middle(self, copy: int = 0) -> list[int]:
        """Return four steps from the middle of a copy's longest episode, in order of time; fewer of a shorter one."""
        bounds = [*np.flatnonzero(self.starts[:, copy]), len(self.starts)]
        first, last = max(itertools.pairwise(bounds), key=lambda pair: pair[1] - pair[0])
        shares = (0.25, 0.45, 0.65, 0.85)
        return sorted({int(first + share * (last - first)) for share in shares})


@torch.no_grad()
@checked
def play(agent: Any, env: Any, steps: int = 200, copies: int = 16, seed: int = 0) -> Play:
    """Act greedily.

    Parameters
    ----------
    agent : DeepAgent
    env : Env, World or str
    steps, copies : int
    seed : int
        Of the environments.

    Raises
    ------
    ValueError
        Where the agent has no network.
    """
    steps, seed = whole("steps", steps, 1), whole("seed", seed, 0)
    network = network_of(agent)
    venv = as_vector(env, copies)
    world = venv.unwrapped if isinstance(venv.unwrapped, WorldVectorEnv) else None
    observation, _ = venv.reset(seed=seed)
    copies = venv.num_envs
    start = np.ones(copies, np.bool_)
    memory = network.memory.initial(copies) if network.memory is not None else None
    seen, starts, states, before, after, values = [], [], [], [], [], []
    for _ in range(steps):
        x = agent._batch(observation if isinstance(observation, dict | tuple) else np.array(observation))[1].clone()
        seen.append(x)
        features = x
        starts.append(start.copy())
        if world is not None:
            states.append(world.states.reshape(copies, -1).copy())
        if memory is not None:
            memory = tuple(part.masked_fill(torch.from_numpy(start).view(1, -1, 1).to(part.device), 0.0) for part in memory)
            before.append(memory)
            features, memory = network.memory.step(x, memory)
            after.append(memory)
        values.append(network.value(x, before[-1] if before else None).cpu().numpy())
        actions = agent._taken(agent._policy(features, True))
        observation, _, terminated, truncated, _ = venv.step(actions)
        start = np.asarray(terminated | truncated)
    held = np.array(states) if states else None
    tells = None if world is None else world.world
    return Play(network, tells, torch.stack(seen), np.array(starts), held, before, after, np.array(values))
