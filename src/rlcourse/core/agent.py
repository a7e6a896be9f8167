"""`Agent`: the face that every algorithm shares, tabular, linear or deep; the signatures are stable-baselines3's."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import json
import os
import platform
from abc import ABC, abstractmethod
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar, Self

import gymnasium as gym
import numpy as np

from rlcourse.core import files, seeds, spaces
from rlcourse.core.callbacks import Callback
from rlcourse.core.config import Config, build
from rlcourse.core.gymworld import as_env, id_of
from rlcourse.core.history import History

__all__ = ["Agent", "check_budget"]


class Agent(ABC):
    """Base of all agents.

    Parameters
    ----------
    env : gymnasium.Env, gymnasium.vector.VectorEnv, World or str
        What to learn in; a string is a Gymnasium id.
    seed : int
        Seed of everything random that the agent owns.
    config : Config, optional
        All settings at once, instead of naming them.
    **settings
        Fields of `Config`.

    Attributes
    ----------
    config : Config
    history : History
        One row per finished episode.
    num_timesteps : int
        Environment steps taken so far.
    """

    Config: ClassVar[type[Config]]
    inputs: ClassVar[tuple[str, ...]] = ()  # what a subclass takes beside its settings
    evaluation_envs: ClassVar[int] = 1  # episodes that `evaluate` plays at once

    def __init__(self, env: Any, *, seed: int = 0, config: Any = None, _restored: bool = False, **settings: Any) -> None:
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
            raise ValueError(f"seed must be a whole number >= 0, not {seed!r}")
        if config is not None and not isinstance(config, self.Config):
            raise ValueError(f"config must be a {self.Config.__name__}, not a {type(config).__name__}")
        self.config: Any = build(self.Config, settings if config is None else vars(config) | settings)
        self.seed = int(seed)
        self._restored = _restored  # its state comes from a file of its own: no other need be read
        self.rng = np.random.default_rng(self.seed)
        self.num_timesteps = 0
        self.history = History()
        self.env = as_env(env) if not isinstance(env, gym.vector.VectorEnv) else env
        vector = isinstance(env, gym.vector.VectorEnv)
        self.observation_space: gym.Space[Any] = env.single_observation_space if vector else self.env.observation_space
        self.action_space: gym.Space[Any] = env.single_action_space if vector else self.env.action_space
        self._build()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Show the settings of the subclass in its signature."""
        super().__init_subclass__(**kwargs)
        if "Config" in cls.__dict__:
            keyword = inspect.Parameter.KEYWORD_ONLY
            parameters = [inspect.Parameter("env", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
            parameters += [inspect.Parameter(name, keyword, default=None) for name in cls.inputs]
            parameters += [inspect.Parameter(field.name, keyword, default=field.default) for field in dataclasses.fields(cls.Config)]
            parameters += [inspect.Parameter("seed", keyword, default=0), inspect.Parameter("config", keyword, default=None)]
            cls.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]

    # What a subclass writes -------------------------------------------------------------------------------------------

    @abstractmethod
    def _build(self) -> None:
        """Make what learning needs; raise ValueError in one sentence where this environment cannot be served."""

    @abstractmethod
    def learn(
        self,
        total_timesteps: int | None = None,
        *,
        episodes: int | None = None,
        callback: Callback | Iterable[Callback] | None = None,
        callback_every: int = 1_000_000,
        progress_bar: bool = False,
    ) -> Self:
        """Learn for exactly `total_timesteps` environment steps, or for `episodes`, whichever ends first.

        Parameters
        ----------
        total_timesteps, episodes : int, optional
            Budgets on top of what was learned before.
        callback : callable or list of callables, optional
            ``callback(agent)``; returning False stops learning.
        callback_every : int
            Tabular and linear agents call back at the first episode end after this many steps, deep agents after each update.
        progress_bar : bool
            Show a bar in the terminal.

        Returns
        -------
        The agent.
        """

    @abstractmethod
    def predict(self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True) -> tuple[Any, Any]:
        """Return the action for an observation, or for a batch of them, and the recurrent state (None here).

        Parameters
        ----------
        observation
            One observation, or a batch with a leading axis.
        state, episode_start
            For agents with memory.
        deterministic : bool
            Greedy, or as the agent explores.

        Returns
        -------
        action
            A Python int or an array shaped as the action space; for a batch an array with a leading axis.
        state
        """

    @abstractmethod
    def stop(self, at_episode_end: bool = False) -> None:
        """End `learn` soon, from any thread: at once, or at the end of the episode or update."""

    def state_dict(self) -> dict[str, Any]:
        """Return all that learning depends on, generators included: arrays, and values that JSON can hold."""
        return {
            "class": type(self).__name__,
            "config": self.config.as_dict(),
            "num_timesteps": self.num_timesteps,
            "rng": seeds.snapshot(self.rng),
            "history": self.history.rows.copy(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Put the agent into a state that `state_dict` returned; it then goes on bit for bit as that one would have."""
        if state["class"] != type(self).__name__:
            raise ValueError(f"this is the state of a {state['class']}, not of a {type(self).__name__}")
        self.num_timesteps = int(state["num_timesteps"])
        seeds.restore(self.rng, state["rng"])
        self.history.replace(state["history"])

    # Files ------------------------------------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str], replay: bool = True) -> Path:
        """Save everything to one safetensors file, atomically (see `rlcourse.core.files`).

        Parameters
        ----------
        path : path
        replay : bool
            An agent's replay memory goes to a file of its own beside it (``q.safetensors``: ``q.replay.safetensors``). Without it
            the agent predicts as ever, and learns on with an empty memory.
        """
        state = self.state_dict()
        arrays = {name: value for name, value in state.items() if isinstance(value, np.ndarray)}
        memory = {name: arrays.pop(name) for name in list(arrays) if name.startswith("replay.")}
        moment = hashlib.sha256(json.dumps([self.num_timesteps, state["rng"]], sort_keys=True).encode()).hexdigest()
        if memory and replay:  # first the large file: the small one then refers to what exists
            files.write(_memory_file(path), memory, {"moment": moment})
        return files.write(
            path,
            arrays,
            {
                "replay": moment if memory and replay else None,
                "state": {name: value for name, value in state.items() if name not in arrays and name not in memory},
                "class": type(self).__name__,
                "seed": self.seed,
                "env_id": id_of(self.env),
                "spaces": [spaces.describe(self.observation_space), spaces.describe(self.action_space)],
                "versions": {"python": platform.python_version(), "numpy": np.__version__, "rlcourse": _version()},
            },
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str], env: Any = None) -> Self:
        """Load an agent of this class.

        Parameters
        ----------
        path : path
        env : optional
            As at construction; where None, the environment's id is taken from the file.

        Raises
        ------
        ValueError
            Where the file is of another class, damaged, for other spaces, or names no environment and none is given.
        """
        arrays, metadata_ = files.read(path)
        try:
            name, values, described = metadata_["class"], metadata_["state"], metadata_["spaces"]
            if name != cls.__name__:
                raise ValueError(f"{path} holds a {name}, not a {cls.__name__}; load it with {name}.load")
            env = metadata_["env_id"] if env is None else env
            if env is None:
                raise ValueError(f"{path} names no environment; pass env=")
            agent = cls(env, seed=metadata_["seed"], config=build(cls.Config, values["config"]), _restored=True)
            mine = [spaces.describe(agent.observation_space), spaces.describe(agent.action_space)]
            if described != mine:
                raise ValueError(f"{path} was trained on {described}; this environment has {mine}")
            agent.load_state_dict({**arrays, **_memory(path, metadata_["replay"]), **values})
        except KeyError as error:
            raise files.DamagedFile(f"{path} lacks {error}; it was written by another version of rlcourse") from error
        return agent


def _memory_file(path: str | os.PathLike[str]) -> Path:
    return Path(path).with_suffix(f".replay{Path(path).suffix}")


def _memory(path: str | os.PathLike[str], moment: str | None) -> dict[str, np.ndarray]:
    """Return the replay memory that was saved with an agent; nothing where there is none any more."""
    file = _memory_file(path)
    if moment is None or not file.exists():
        return {}
    arrays, metadata_ = files.read(file)
    return arrays if metadata_["moment"] == moment else {}


def check_budget(total_timesteps: int | None, episodes: int | None, required: bool = True) -> None:
    """Raise ValueError unless a budget is given and positive."""
    for name, value in (("total_timesteps", total_timesteps), ("episodes", episodes)):
        whole = isinstance(value, int | float | np.number) and not isinstance(value, bool) and value % 1 == 0
        if value is not None and not (whole and value >= 1):
            raise ValueError(f"{name} must be a whole number >= 1, not {value!r}")
    if required and total_timesteps is None and episodes is None:
        raise ValueError("give learn() a budget: total_timesteps or episodes")


def _version() -> str:
    try:
        return metadata.version("rlcourse")
    except metadata.PackageNotFoundError:
        return "unknown"
