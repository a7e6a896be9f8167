"""Vectorised environments both ways: `to_vec_env` for stable-baselines3's models and wrappers, `from_vec_env` for our agents.

Both sides begin the next episode in the step that ends one. A `gymnasium.vector.VectorEnv` then has the true last observation in
``infos["final_obs"]`` and tells termination and truncation apart; a `VecEnv` has it in ``infos[i]["terminal_observation"]``, one
`done`, and ``infos[i]["TimeLimit.truncated"]`` where a time limit, and nothing else, ended the episode. So there and back again is
the identity, except that a step that terminates *and* is truncated comes back as terminated only: nothing is lost, since neither
side bootstraps there.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from stable_baselines3.common.vec_env import VecEnv

from rlcourse.core.autoreset import same_step
from rlcourse.core.infos import single
from rlcourse.core.packing import Packed
from rlcourse.sb3 import copies

__all__ = ["FromVecEnv", "ToVecEnv", "from_vec_env", "to_vec_env"]

_ENDED = ("final_obs", "final_info")  # of the episode that ended in this step; all else tells of the one that begins
_STATISTICS = ("episode",)  # of the episode that ended, wherever it stands


def to_vec_env(env: gym.vector.VectorEnv[Any, Any, Any]) -> VecEnv:
    """Return a Gymnasium vector environment as stable-baselines3's.

    Parameters
    ----------
    env : gymnasium.vector.VectorEnv
        Of any mode of resetting; stable-baselines3 expects the next episode's first observation in the step that ends one, so that
        other modes go through `rlcourse.core.autoreset.same_step`. Vectors that stand for observations of several parts
        (`rlcourse.core.packing`) come out as those parts, which a MultiInputPolicy reads.

    Raises
    ------
    ValueError
        Where it resets in another mode and cannot reset single copies when asked.
    """
    if not isinstance(env, gym.vector.VectorEnv):
        raise ValueError(f"env must be a gymnasium.vector.VectorEnv, not {type(env).__name__}")
    return ToVecEnv(env)


def from_vec_env(venv: VecEnv) -> gym.vector.VectorEnv[Any, Any, Any]:
    """Return a `VecEnv`, with whatever wrappers it has, as a Gymnasium vector environment that resets in the same step.

    Finished episodes are reported under ``infos["episode"]``: with the raw return where a `Monitor` or `VecMonitor` is inside, else
    with the sum of the rewards as they come out.
    """
    if not isinstance(venv, VecEnv):
        raise ValueError(f"venv must be a VecEnv of stable-baselines3, not {type(venv).__name__}")
    return FromVecEnv(venv)


class ToVecEnv(VecEnv):
    """What `to_vec_env` returns; `env` is the vector environment inside."""

    def __init__(self, env: gym.vector.VectorEnv[Any, Any, Any]) -> None:
        self.env = env = same_step(env)
        self._actions: Any = None
        space: Any = env.single_observation_space
        self._packing = space if isinstance(space, Packed) else None
        super().__init__(env.num_envs, space if self._packing is None else self._packing.original, env.single_action_space)

    def reset(self) -> Any:
        """Begin an episode in every copy, with the seeds and options that were set for it."""
        options = [option for option in self._options if option]
        if options and (len(options) != self.num_envs or any(option != options[0] for option in options)):
            raise ValueError("set_options: a Gymnasium vector environment takes the same options for all copies")
        seeds: Any = None if any(seed is None for seed in self._seeds) else [int(seed) for seed in self._seeds if seed is not None]
        observations, infos = self.env.reset(seed=seeds, options=options[0] if options else None)
        self._reset_seeds()
        self._reset_options()
        self.reset_infos = [single(infos, i) for i in range(self.num_envs)]
        return self._seen(observations)

    def step_async(self, actions: Any) -> None:
        """Keep the actions for `step_wait`."""
        self._actions = actions

    def step_wait(self) -> Any:
        """Step every copy; return observations, rewards, dones and infos."""
        observations, rewards, terminated, truncated, vector_infos = self.env.step(self._actions)
        dones = np.logical_or(terminated, truncated)
        infos: list[dict[str, Any]] = [{"TimeLimit.truncated": False} for _ in range(self.num_envs)]
        for i in _told(vector_infos, dones):
            infos[i] |= self._info(vector_infos, i, bool(dones[i]))
            infos[i]["TimeLimit.truncated"] = bool(truncated[i] and not terminated[i])
        return self._seen(observations), np.array(rewards), dones, infos

    def _seen(self, observations: Any) -> Any:
        """Return the copies' observations as stable-baselines3 expects them: to keep, and in parts."""
        return _copied(observations) if self._packing is None else self._packing.unpack_batch(observations)

    def _info(self, infos: dict[str, Any], i: int, done: bool) -> dict[str, Any]:
        """Return what is known of copy i's step, and keep what belongs to the episode that begins in it."""
        if not done:
            return single(infos, i)
        here = single({name: value for name, value in infos.items() if name.removeprefix("_") not in _ENDED}, i)
        ended = single(infos.get("final_info", {}), i)
        ended |= {name: here.pop(name) for name in _STATISTICS if name in here}
        if "final_info" not in infos:  # a vector environment that has one kind of info only
            ended = here | ended
        self.reset_infos[i] = here
        last = infos["final_obs"][i]
        ended["terminal_observation"] = _copied(last) if self._packing is None else self._packing.unpack(last)
        return ended

    def close(self) -> None:
        """Close the environment inside."""
        self.env.close()

    def get_images(self) -> list[Any]:
        """Return a picture of every copy, or None."""
        pictures = copies.pictures(self.env)
        return list(pictures) if pictures is not None else [None] * self.num_envs

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return an attribute of the copies."""
        return copies.get(self.env, attr_name, list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Set an attribute of the copies."""
        copies.put(self.env, attr_name, value, list(self._get_indices(indices)))

    def env_method(self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any) -> list[Any]:
        """Call a method of the copies."""
        return copies.call(self.env, method_name, list(self._get_indices(indices)), *method_args, **method_kwargs)

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """Whether each copy has a wrapper of this class."""
        return copies.is_wrapped(self.env, wrapper_class, list(self._get_indices(indices)))


class FromVecEnv(gym.vector.VectorEnv[Any, Any, np.ndarray]):
    """What `from_vec_env` returns; `venv` is the `VecEnv` inside."""

    reports_episodes = True

    def __init__(self, venv: VecEnv) -> None:
        self.venv, self.num_envs = venv, venv.num_envs
        self.metadata = {**venv.metadata, "autoreset_mode": AutoresetMode.SAME_STEP}
        self.render_mode = venv.render_mode
        self.single_observation_space, self.single_action_space = venv.observation_space, venv.action_space
        self.observation_space = batch_space(venv.observation_space, venv.num_envs)
        self.action_space = batch_space(venv.action_space, venv.num_envs)
        self._scores, self._lengths = np.zeros(self.num_envs), np.zeros(self.num_envs, np.int64)

    def reset(self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode in every copy."""
        if isinstance(seed, list):
            self.venv.unwrapped._seeds = list(seed)
        elif seed is not None:
            self.venv.seed(seed)
        if options is not None and "reset_mask" in options:
            raise ValueError("options['reset_mask']: a VecEnv resets all copies, or each where its episode ends")
        if options:
            self.venv.set_options(options)
        observations = self.venv.reset()
        self._scores[:] = self._lengths[:] = 0
        infos: dict[str, Any] = {}
        for i, info in enumerate(self.venv.unwrapped.reset_infos):
            infos = self._add_info(infos, info, i)
        return observations, infos

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Step every copy."""
        observations, rewards, dones, single_infos = self.venv.step(actions)
        dones = np.asarray(dones, dtype=np.bool_)
        truncated = np.array([bool(info.get("TimeLimit.truncated", False)) for info in single_infos]) & dones
        self._scores += rewards
        self._lengths += 1
        infos: dict[str, Any] = {}
        for i, info in enumerate(single_infos):
            told = {name: value for name, value in info.items() if name not in ("TimeLimit.truncated", "terminal_observation", "episode")}
            if dones[i]:
                ended = {"final_obs": info["terminal_observation"], "final_info": told}
                infos = self._add_info(infos, ended, i)
                told = self.venv.unwrapped.reset_infos[i]
            if told:
                infos = self._add_info(infos, told, i)
        if dones.any():
            infos |= self._episodes(single_infos, dones)
        return observations, np.asarray(rewards, dtype=np.float64), dones & ~truncated, truncated, infos

    def _episodes(self, single_infos: Any, dones: np.ndarray) -> dict[str, Any]:
        """Return the statistics of the episodes that ended."""
        for i in np.flatnonzero(dones):
            told = single_infos[i].get("episode", {})
            self._scores[i], self._lengths[i] = told.get("r", self._scores[i]), told.get("l", self._lengths[i])
        episodes = {"episode": {"r": self._scores.copy(), "l": self._lengths.copy()}, "_episode": dones.copy()}
        self._scores[dones], self._lengths[dones] = 0, 0
        return episodes

    def render(self) -> Any:
        """Return a picture of every copy."""
        return tuple(self.venv.get_images())

    def close_extras(self, **kwargs: Any) -> None:
        """Close the environment inside."""
        self.venv.close()

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """Return an attribute of every copy."""
        return tuple(self.venv.get_attr(name))

    def set_attr(self, name: str, values: Any) -> None:
        """Set an attribute of the copies; a list or tuple has one value for each."""
        for i, value in enumerate(values if isinstance(values, list | tuple) else [values] * self.num_envs):
            self.venv.set_attr(name, value, indices=[i])

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Call a method of every copy."""
        return tuple(self.venv.env_method(name, *args, **kwargs))


def _told(infos: dict[str, Any], dones: np.ndarray) -> list[int]:
    """Return the copies of which infos say something, and those whose episodes ended."""
    told = dones.copy()
    for name in infos:
        if name.startswith("_") and name[1:] in infos:
            continue
        if f"_{name}" not in infos:
            return list(range(len(dones)))
        told |= infos[f"_{name}"]
    found: list[int] = np.flatnonzero(told).tolist()
    return found


def _copied(observations: Any) -> Any:
    """Return observations that the next step does not overwrite."""
    if isinstance(observations, dict):
        return {name: _copied(part) for name, part in observations.items()}
    if isinstance(observations, tuple):
        return tuple(_copied(part) for part in observations)
    return np.array(observations)
