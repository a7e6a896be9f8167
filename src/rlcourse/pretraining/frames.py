"""`gather`: observations of an environment, by random play or by an agent's policy, and the states behind them where a world tells."""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.config import whole
from rlcourse.core.copies import as_vector
from rlcourse.core.packing import packed
from rlcourse.core.vector import WorldVectorEnv

__all__ = ["Frames", "gather"]


class Frames(NamedTuple):
    """Observations, in the order of time.

    Attributes
    ----------
    observations : ndarray, shape [N, ...]
    states : ndarray or None
        Of the world, shape [N] or [N, S]; None where the environment is no world of ours.
    space : gymnasium.Space
        Of the observations; a `rlcourse.core.packing.Packed` where they have several parts.
    """

    observations: np.ndarray
    states: np.ndarray | None
    space: gym.Space[Any]


@checked
def gather(env: Any, frames: int, seed: int = 0, agent: Any = None, copies: int = 8) -> Frames:
    """Play, and return the observations.

    Parameters
    ----------
    env : Env, VectorEnv, World or str
    frames : int
        How many observations.
    seed : int
        Of the environment and of the actions.
    agent : Agent, optional
        Acts as it explores; None: random actions.
    copies : int
        Environments at once.

    Raises
    ------
    ValueError
        Where the copies cannot be made, or an observation has no fixed size (Sequence, Graph).
    """
    frames, seed = whole("frames", frames, 1), whole("seed", seed, 0)
    if agent is not None and not callable(getattr(agent, "predict", None)):
        raise ValueError(f"agent must be an agent, with a method predict, not {type(agent).__name__}")
    venv = as_vector(env, copies)
    joined = packed(venv.single_observation_space)
    space = venv.single_observation_space if joined is None else joined
    venv.action_space.seed(seed)
    world = venv.unwrapped if isinstance(venv.unwrapped, WorldVectorEnv) else None
    rows = -(-frames // venv.num_envs)
    seen, states = [], []
    observation, infos = venv.reset(seed=seed)
    memory, starts = None, np.ones(venv.num_envs, np.bool_)
    for _ in range(rows):
        seen.append(np.array(observation) if joined is None else joined.pack_batch(observation))
        if world is not None:
            states.append(world.states.copy())
        if agent is None:
            actions = _random(venv.action_space, infos)
        else:
            actions, memory = agent.predict(
                observation if joined is not None else np.array(observation), state=memory, episode_start=starts, deterministic=False
            )
        observation, _, terminated, truncated, infos = venv.step(actions)
        starts = terminated | truncated
    return Frames(np.concatenate(seen)[:frames], np.concatenate(states)[:frames] if states else None, space)


def _random(space: gym.Space[Any], infos: dict[str, Any]) -> Any:
    masks = infos.get("action_mask")
    if masks is None:
        return space.sample()
    return space.sample(mask=tuple(np.asarray(mask, np.int8) for mask in masks))
