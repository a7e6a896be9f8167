"""`evaluate`: fresh episodes of an agent, each with a seed of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import concatenate, create_empty_array

from rlcourse.core.gymworld import as_env, id_of

__all__ = ["evaluate", "masks"]


def evaluate(
    agent: Any,
    env: Any,
    episodes: int = 10,
    *,
    seed: int = 0,
    deterministic: bool = True,
    max_steps: int = 10_000,
    stopped: Callable[[], bool] = lambda: False,
) -> np.ndarray:
    """Return the undiscounted returns of fresh episodes, shape [episodes].

    Parameters
    ----------
    agent : Agent
        Anything with `predict`; an agent with a network acts in `Agent.evaluation_envs` copies at once, where an id makes them.
    env : Env, World or str
        Where to act; episode i is seeded with ``seed + i``, so any subset can be repeated.
    episodes, seed : int
    deterministic : bool
        As in `predict`.
    max_steps : int
        An episode without a time limit ends here.
    stopped : callable
        Asked after each step; True ends the evaluation early, with the episodes so far.
    """
    made = as_env(env)
    copies = min(episodes, getattr(agent, "evaluation_envs", 1))
    name = id_of(made) if copies > 1 else None
    envs = [made] if name is None else [gym.make(name) for _ in range(copies)]
    returns, running = np.zeros(episodes), list(range(len(envs)))  # running: each copy's episode, -1 when there is none left
    following = len(envs)
    resets = [each.reset(seed=seed + i) for i, each in enumerate(envs)]
    seen, infos = [observation for observation, _ in resets], [info for _, info in resets]
    steps, starts, state = [0] * len(envs), np.ones(len(envs), np.bool_), None
    while any(i >= 0 for i in running):
        how: dict[str, Any] = {"state": state, "episode_start": starts, "deterministic": deterministic} | masks(agent, infos)
        if name is None:
            action, state = agent.predict(seen[0], **how)
            actions = [action]
        else:
            actions, state = agent.predict(_batched(made.observation_space, seen), **how)
        starts[:] = False
        for k, i in enumerate(running):
            if i < 0:
                continue
            seen[k], reward, terminated, truncated, infos[k] = envs[k].step(actions[k])
            returns[i] += float(reward)
            steps[k] += 1
            if terminated or truncated or steps[k] >= max_steps:
                running[k] = following if following < episodes else -1
                following += 1
                if running[k] >= 0:
                    seen[k], infos[k] = envs[k].reset(seed=seed + running[k])
                    steps[k], starts[k] = 0, True
                else:
                    infos[k] = {}  # what exists after the end is nobody's business
        if stopped():
            return returns[: min((i for i in running if i >= 0), default=episodes)]
    return returns


def masks(agent: Any, infos: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the argument of `predict` that says which actions exist, where an agent heeds it and every environment tells."""
    if not getattr(agent, "heeds_masks", False) or not any("action_mask" in info for info in infos):
        return {}
    every = np.ones(int(agent.action_space.n), np.bool_)
    return {"action_masks": np.stack([np.asarray(info.get("action_mask", every), np.bool_) for info in infos])}


def _batched(space: gym.Space[Any], seen: list[Any]) -> Any:
    """Return observations as a batch, in the form in which a vectorised environment hands it over."""
    if isinstance(space, spaces.Dict | spaces.Tuple | spaces.OneOf | spaces.Text):
        room: Any = create_empty_array(space, len(seen))
        return concatenate(space, seen, room)
    return np.stack(seen)
