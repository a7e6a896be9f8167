"""`as_vector`: N copies of any environment, compiled where they can be."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics

from rlcourse.core.autoreset import reports_episodes, same_step
from rlcourse.core.box import is_data
from rlcourse.core.catalogue import twin_of
from rlcourse.core.contract import Checked
from rlcourse.core.gymworld import as_env, as_world, peel
from rlcourse.core.memory import require_for_copies
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import is_world

__all__ = ["as_vector"]

_OF_AN_OBJECT = 10_000  # bytes of a copy that is no world, at least


def as_vector(env: Any, num_envs: int) -> gym.vector.VectorEnv[Any, Any, Any]:
    """Return N copies of an environment that reset in the same step and report their episodes.

    A `WorldVectorEnv` where the environment is a world of ours, one of Gymnasium's tables, or has a twin among ours, also behind
    wrappers that have a compiled form (`rlcourse.wrappers`); Gymnasium's own vector environment otherwise.

    Parameters
    ----------
    env : Env, World, VectorEnv or str
    num_envs : int
        Ignored for a VectorEnv, which may be of any mode of resetting (`rlcourse.core.autoreset`).

    Raises
    ------
    ValueError
        Where the copies cannot be made, or a given VectorEnv resets in another mode and not when asked.
    """
    if isinstance(env, gym.vector.VectorEnv):
        env = same_step(env)
        return env if reports_episodes(env) else RecordEpisodeStatistics(env)
    if is_world(env) and is_data(env):
        require_for_copies(env.observation_space, num_envs, "n_envs")
        return WorldVectorEnv(env, num_envs, copy=False)
    single = as_env(env)
    require_for_copies(single.observation_space, num_envs, "n_envs")
    if isinstance(single, gym.Wrapper) and callable(start := getattr(single, "copies", None)):  # `rlcourse.core.subprocesses`
        return RecordEpisodeStatistics(start(num_envs))
    world, limit = _data_of(single)
    if world is not None:
        return WorldVectorEnv(world, num_envs, limit, copy=False, action_masks=_mask_table(single))
    require_for_copies(single.observation_space, num_envs, "n_envs", _OF_AN_OBJECT)
    if num_envs > 1 and single.spec is None:
        raise ValueError(f"env: {num_envs} copies need an id that Gymnasium can make; register it, or set n_envs=1")
    spec = single.spec
    makers = [lambda i=i: Checked(single if spec is None or i == 0 else gym.make(spec), i) for i in range(num_envs)]
    return RecordEpisodeStatistics(SyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP, copy=False))


def _data_of(env: gym.Env[Any, Any]) -> tuple[Any, int | None]:
    """Return the world that is data and behaves as an environment, and its time limit; None where there is none."""
    world, limit = as_world(env)
    if is_data(world):
        return world, limit
    twin = twin_of(env)
    if twin is not None:
        return twin, peel(env)[1]
    outer, limit = peel(env)
    around = getattr(outer, "around", None)
    if around is None or not isinstance(outer, gym.Wrapper):
        return None, None
    within = getattr(outer, "within", None)  # a wrapper that reads text knows the world behind it
    inner, inner_limit = _data_of(outer.env) if within is None else within()
    limits = [each for each in (limit, inner_limit) if each is not None]
    return (None, None) if inner is None else (around(inner), min(limits, default=None))


def _mask_table(env: gym.Env[Any, Any]) -> np.ndarray | None:
    """Return which actions exist in each state, shape [S, A], where a finite environment of Gymnasium tells (Taxi does)."""
    mask = getattr(env.unwrapped, "action_mask", None)
    if not callable(mask) or not isinstance(env.observation_space, gym.spaces.Discrete):
        return None
    return np.array([mask(state) for state in range(int(env.observation_space.n))], np.bool_)
