"""`Agent`: the face that every algorithm shares, tabular, linear or deep; the signatures are stable-baselines3's."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import json
import os
import platform
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar, Self

import gymnasium as gym
import numpy as np

from rlcourse.core import files, seeds, spaces
from rlcourse.core.arguments import OneEnvironment, checked, require_file
from rlcourse.core.callbacks import Callback
from rlcourse.core.config import Config, Count, build, check
from rlcourse.core.fits import Misfit, class_in, environment_in, fitting, of_file, require_plausible, shaped, whole_in
from rlcourse.core.gymworld import as_env, id_of
from rlcourse.core.history import History

__all__ = ["Agent", "check_budget", "memory_file", "require_state", "require_truth"]


class Agent(OneEnvironment, ABC):
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
    midway : bool
        Whether `stop` cut short what no state holds, such as an episode of a box: learning on is then not what it would have been.
    forgot : bool
        Whether it has learned before with a replay memory that was not loaded with it: that fills anew.
    """

    Config: ClassVar[type[Config]]
    inputs: ClassVar[tuple[str, ...]] = ()  # what a subclass takes beside its settings
    evaluation_envs: ClassVar[int] = 1  # episodes that `evaluate` plays at once
    midway = forgot = False

    def __init__(self, env: Any, *, seed: int = 0, config: Any = None, _restored: bool = False, **settings: Any) -> None:
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
            raise ValueError(f"seed must be a whole number >= 0, not {seed!r:.60}")
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
            Tabular and linear agents call back at the first episode end after every multiple of so many steps; deep agents after each
            update, or, where they learn as a program on their device, at the first update after so many (about a hundred times by default).
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
            "finished": len(self.history),  # episodes, also those that the history no longer holds
            "midway": self.midway,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Put the agent into a state that `state_dict` returned; it then goes on bit for bit as that one would have."""
        require_state(self, state)
        self.num_timesteps = whole_in(state["num_timesteps"], 0, 2**62, "num_timesteps")
        seeds.restore(self.rng, state["rng"])
        rows, finished = shaped(state["history"], (None, len(self.history.columns)), np.float64, "history"), state.get("finished")
        self.history.replace(rows, None if finished is None else whole_in(finished, len(rows), 2**62, "finished"))
        self.midway = bool(state.get("midway"))

    @property
    def resume_note(self) -> str:
        """What is not as it would have been after loading, in one sentence; empty where nothing is."""
        where = getattr(self, "env_state", None)
        notes = ["the replay memory is empty, and fills in new episodes: the file came without it"] if self.forgot else []
        return "; ".join(notes + ([f"new episodes begin: {where.missed}"] if where is not None and where.missed else []))

    # Files ------------------------------------------------------------------------------------------------------------

    @checked
    def save(self, path: str | os.PathLike[str], replay: bool = True) -> Path:
        """Save everything to one safetensors file, atomically (see `rlcourse.core.files`).

        `replay`: whether an agent's replay memory goes to a file of its own beside it (``q.safetensors``: ``q.replay.safetensors``).
        Without it the agent predicts as ever, and learns on with an empty memory.
        """
        require_file(path)
        for part in self.contents(path, replay):
            files.write(*part)
        return Path(path)

    def contents(self, path: str | os.PathLike[str], replay: bool = True) -> list[tuple[Path, dict[str, np.ndarray], dict[str, Any]]]:
        """Return what `save` writes, in order: where, arrays and metadata; first the large file, to which the small one refers."""
        state = self.state_dict()
        arrays = {name: value for name, value in state.items() if isinstance(value, np.ndarray)}
        memory = {name: arrays.pop(name) for name in list(arrays) if name.startswith("replay.")}
        moment = hashlib.sha256(json.dumps([self.num_timesteps, state["rng"]], sort_keys=True).encode()).hexdigest()
        about = {
            "replay": moment if memory and replay else None,
            "state": {name: value for name, value in state.items() if name not in arrays and name not in memory},
            "class": type(self).__name__,
            "seed": self.seed,
            "env_id": id_of(self.env),
            "spaces": [spaces.describe(self.observation_space), spaces.describe(self.action_space)],
            "versions": {"python": platform.python_version(), "numpy": np.__version__, "rlcourse": _version()},
        }
        replayed = [(memory_file(path), memory, {"moment": moment})] if memory and replay else []
        return [*replayed, (Path(path), arrays, about)]

    @classmethod
    @checked
    def load(cls, path: str | os.PathLike[str], env: Any = None, whole: bool = False) -> Self:
        """Load an agent of this class.

        Parameters
        ----------
        path : path
        env : optional
            As at construction; where None, the environment's id is taken from the file.
        whole : bool
            Refuse an agent that was saved with a replay memory which is no longer beside it, instead of leaving its memory empty.

        Raises
        ------
        ValueError
            Where the file is of another class, damaged, for other spaces, or names no environment and none is given.
        """
        arrays, metadata_ = files.read(path)
        name = class_in(metadata_, path)
        if name != cls.__name__:
            raise ValueError(f"{path} holds a {name}, not a {cls.__name__}; load it with {name}.load")
        with fitting(path, name):
            values, described, seed, moment = (metadata_[key] for key in ("state", "spaces", "seed", "replay"))
            if moment is not None and not isinstance(moment, str):
                raise Misfit("its replay memory is not named")
            settings = dict(values["config"].items())
            env = environment_in(metadata_) if env is None else env
            require_plausible(path, settings, arrays)
        with of_file(path):
            agent = cls(env, seed=seed, config=build(cls.Config, settings), _restored=True)
        with fitting(path, name):
            mine = [spaces.describe(agent.observation_space), spaces.describe(agent.action_space)]
            if described != mine:
                raise Misfit(f"it was trained on {str(described)[:500]}; this environment has {str(mine)[:500]}")
            agent.load_state_dict({**arrays, **_memory(path, moment, whole), **values})
        return agent


def require_truth(name: str, value: Any) -> None:
    """Refuse what is neither."""
    check(name, bool(value) if isinstance(value, np.bool_) else value, bool)


def require_state(agent: Agent, state: Any) -> None:
    """Raise ValueError where this is no state of an agent, or that of another class."""
    if not isinstance(state, Mapping) or "class" not in state:
        raise Misfit(f"state must be what state_dict() of a {type(agent).__name__} returned, not {state!r:.60}")
    if state["class"] != type(agent).__name__:
        raise Misfit(f"this is the state of a {str(state['class'])[:100]}, not of a {type(agent).__name__}")


def memory_file(path: str | os.PathLike[str]) -> Path:
    """Return the file of the replay memory that is saved beside an agent."""
    return Path(path).with_suffix(f".replay{Path(path).suffix}")


def _memory(path: str | os.PathLike[str], moment: str | None, whole: bool) -> dict[str, np.ndarray]:
    """Return the replay memory that was saved with an agent; nothing where there is none any more, unless it must be whole."""
    file = memory_file(path)
    if moment is None:
        return {}
    if file.exists():
        arrays, metadata_ = files.read(file)
        if metadata_["moment"] == moment:
            return {name: array for name, array in arrays.items() if name.startswith("replay.")}
    if whole:
        way = "go on with rlcourse resume and its folder, which takes an older checkpoint, or begin with its weights, --init-from"
        raise files.DamagedFile(f"{path} lacks its replay memory, {file}: {way}")
    return {}


def check_budget(total_timesteps: Any, episodes: Any, required: bool = True, callback_every: Any = 1, progress_bar: Any = False) -> None:
    """Raise ValueError unless a budget is given and positive, and the other arguments of `Agent.learn` are what they must be."""
    for argument, given, kind in (("callback_every", callback_every, Count), ("progress_bar", progress_bar, bool)):
        check(argument, given, kind)
    for name, value in (("total_timesteps", total_timesteps), ("episodes", episodes)):
        plain = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        if value is not None and not (plain and value % 1 == 0 and 1 <= value <= 2**53):  # beyond, floats are not whole
            raise ValueError(f"{name} must be a whole number >= 1, and at most 2^53, not {value!r:.60}")
    if required and total_timesteps is None and episodes is None:
        raise ValueError("give learn() a budget: total_timesteps or episodes")


def _version() -> str:
    try:
        return metadata.version("rlcourse")
    except metadata.PackageNotFoundError:
        return "unknown"
