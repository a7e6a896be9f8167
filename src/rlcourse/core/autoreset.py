"""`same_step`: vector environments of any mode of resetting as ones that begin the next episode in the step that ends one.

Gymnasium has three modes. SAME_STEP returns the next episode's first observation at once and the true last one in
``infos["final_obs"]``. NEXT_STEP returns the last one, and the step after it is none: the action is ignored, the reward 0, the observation
the next episode's first. Stored like any other, that row joins two episodes. DISABLED leaves it to the caller to reset. Agents here know
SAME_STEP only, so that copies of the other modes are reset by mask as soon as they have ended, and the row that is no step never comes.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorWrapper
from gymnasium.vector.utils import concatenate, create_empty_array, iterate
from gymnasium.wrappers.vector import NormalizeObservation, NormalizeReward, RecordEpisodeStatistics

from rlcourse.core.infos import plain, single
from rlcourse.core.vector import WorldVectorEnv

__all__ = ["SameStep", "reports_episodes", "same_step"]

_FIX = "make it with autoreset_mode=AutoresetMode.SAME_STEP (gymnasium.make_vec takes it in vector_kwargs, with vectorization_mode='sync')"
_BY_COPY = {  # what these wrappers forget of all copies when some are reset
    RecordEpisodeStatistics: ("episode_returns", "episode_lengths", "episode_start_times"),
    NormalizeReward: ("accumulated_reward",),
}


def same_step(env: gym.vector.VectorEnv[Any, Any, Any]) -> gym.vector.VectorEnv[Any, Any, Any]:
    """Return a vector environment that resets in the same step: as it is where it does, else behind `SameStep`.

    Raises
    ------
    ValueError
        Where its mode is unknown, or it cannot reset single copies when asked.
    """
    try:
        mode = AutoresetMode(env.metadata.get("autoreset_mode"))
    except ValueError:
        raise ValueError(f"env: metadata['autoreset_mode'] must say how the copies reset; {_FIX}") from None
    return env if mode == AutoresetMode.SAME_STEP else SameStep(env)


def reports_episodes(env: gym.vector.VectorEnv[Any, Any, Any]) -> bool:
    """Whether a vector environment reports finished episodes under ``infos["episode"]``."""
    told = any(isinstance(layer, RecordEpisodeStatistics) and layer._stats_key == "episode" for layer in _layers(env))
    return told or isinstance(env.unwrapped, WorldVectorEnv) or bool(getattr(env.unwrapped, "reports_episodes", False))


class SameStep(VectorWrapper[Any, Any, Any, Any, Any]):
    """Copies of the modes NEXT_STEP and DISABLED that reset in the same step; made by `same_step`.

    Each row is a step that was really taken. ``infos`` has "final_obs", "final_info" and "episode" of the episodes that ended, as in
    Gymnasium's SAME_STEP; all else there tells of those that begin.

    Parameters
    ----------
    env : VectorEnv
        With whatever wrappers it has.
    """

    def __init__(self, env: gym.vector.VectorEnv[Any, Any, Any]) -> None:
        super().__init__(env)
        _check(env)
        self.metadata = {**env.metadata, "autoreset_mode": AutoresetMode.SAME_STEP}  # its own: other environments share the class's
        self._reports = reports_episodes(env)

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step every copy, and begin the next episode where one ended."""
        seen, rewards, terminated, truncated, infos = self.env.step(actions)
        ended = np.logical_or(terminated, truncated)
        if not ended.any():
            return seen, rewards, terminated, truncated, infos
        # from here on copies: a reset may write into what the step returned
        outcome = np.array(rewards), np.array(terminated), np.array(truncated)
        rows = self._rows(seen)
        told = [single(infos, i) for i in range(self.num_envs)]
        begun, reset_infos = self._reset(ended)
        firsts = self._rows(begun)
        merged: dict[str, Any] = {}
        for i in range(self.num_envs):
            if ended[i]:
                over: dict[str, Any] = {"final_obs": rows[i], "final_info": told[i]}
                if self._reports and "episode" in told[i]:
                    over["episode"] = told[i].pop("episode")
                merged = self._add_info(merged, over, i)
                rows[i], told[i] = firsts[i], single(reset_infos, i)
            merged = self._add_info(merged, told[i], i)
        return self._batch(rows), *outcome, merged

    def _reset(self, mask: np.ndarray) -> tuple[Any, dict[str, Any]]:
        """Reset the copies of a mask; wrappers keep what they know of the others."""
        kept = [
            (layer, name, np.array(getattr(layer, name)))
            for layer in _layers(self.env)
            for kind, names in _BY_COPY.items()
            if isinstance(layer, kind)
            for name in names
        ]
        answer = self.env.reset(options={"reset_mask": mask.copy()})
        for layer, name, before in kept:
            getattr(layer, name)[~mask] = before[~mask]
        return answer

    def _rows(self, observations: Any) -> list[Any]:
        """Return the observation of every copy, to keep."""
        rows = observations if isinstance(observations, np.ndarray) else iterate(self.observation_space, observations)
        return [_kept(row) for row in rows]

    def _batch(self, rows: list[Any]) -> Any:
        space: Any = self.single_observation_space
        empty: Any = create_empty_array(space, self.num_envs)
        return concatenate(space, rows, empty)


def _layers(env: Any) -> list[Any]:
    """Return the wrappers around a vector environment, from the outermost."""
    layers = []
    while isinstance(env, VectorWrapper):
        layers.append(env)
        env = env.env
    return layers


def _check(env: Any) -> None:
    """Raise ValueError, in one sentence, where single copies cannot be reset."""
    inner, name = env.unwrapped, type(env.unwrapped).__name__
    if any(isinstance(layer, NormalizeObservation) for layer in _layers(env)):
        raise ValueError(
            "env: gymnasium.wrappers.vector.NormalizeObservation cannot reset single copies; take an agent's normalize_observations, "
            "or gymnasium.wrappers.NormalizeObservation around each copy"
        )
    if AutoresetMode(env.metadata["autoreset_mode"]) == AutoresetMode.DISABLED:
        return  # to reset by mask is the contract of this mode
    if not isinstance(inner, SyncVectorEnv | AsyncVectorEnv | WorldVectorEnv):
        raise ValueError(f"env: {name} resets in the step after an episode's end, and not when asked; {_FIX}")
    if isinstance(inner, AsyncVectorEnv) and not inner.shared_memory:  # its workers reset once more, in the next step
        raise ValueError(f"env: AsyncVectorEnv without shared memory forgets in mode NEXT_STEP that copies were reset; {_FIX}")


def _kept(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _kept(part) for name, part in value.items()}
    if isinstance(value, tuple):
        return tuple(_kept(part) for part in value)
    return plain(value)
