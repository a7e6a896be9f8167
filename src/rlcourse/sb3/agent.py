"""`SB3Agent`: a model of stable-baselines3 behind the face of our agents.

The model learns as it always does, in copies that we make (compiled where the environment is one of ours or has a twin among them);
a callback of its own keeps our history, metrics, budgets and callbacks. Files are ours: safetensors and JSON, nothing is pickled.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Self

import gymnasium as gym
import numpy as np
import torch
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from rlcourse.core.agent import Agent, check_budget, require_truth
from rlcourse.core.callbacks import Callback, make_callback
from rlcourse.core.copies import as_vector
from rlcourse.core.env_state import EnvState
from rlcourse.core.faults import Watched
from rlcourse.core.packing import Packed
from rlcourse.core.schedules import value
from rlcourse.core.spaces import require_finite
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.sb3 import state
from rlcourse.sb3.bridge import Bridge, Enough
from rlcourse.sb3.generators import Generators
from rlcourse.sb3.vec_env import to_vec_env

__all__ = ["SB3Agent"]

_OURS = {"n_envs", "policy", "hidden", "encoder", "device", "noise_std"}  # settings that are no parameters of the model
_NO_LIMIT = 2**62
_ROLLOUT = 128  # steps from which an update is worth a callback of its own


class SB3Agent(Agent):
    """Base of the agents that `rlcourse.sb3.agent_class` makes.

    Parameters
    ----------
    env : Env, VectorEnv, World or str
    seed : int
    config, **settings
        The model's own, by its names; beside them `n_envs`, `hidden`, `encoder`, `noise_std`.

    Attributes
    ----------
    model : stable_baselines3.common.base_class.BaseAlgorithm
        The model itself.
    metrics : dict of str to float
        What it logged in its last update.

    Notes
    -----
    A model takes whole rollouts: `num_timesteps` says how many steps were really taken, which may be more than were asked for.
    """

    model_class: ClassVar[Any]
    comments: ClassVar[dict[str, str]] = {}
    evaluation_envs = 16

    def _build(self) -> None:
        name, space = type(self).__name__, self.action_space
        if isinstance(self.observation_space, Packed):  # copies of a world: the model sees the parts, as `to_vec_env` shows them
            self.observation_space = self.observation_space.original
        for role, each in (("actions", space), ("observations", self.observation_space)):
            if isinstance(each, gym.spaces.Discrete) and each.start != 0:
                raise ValueError(f"{name}: {role} {each} begin at {each.start}; stable-baselines3 counts from 0: take an agent of ours")
        self.venv = as_vector(self.env, self.config.n_envs)
        self.env_state = None if isinstance(self.venv, WorldVectorEnv) else EnvState(self.venv)
        self._watched = Watched(self.venv)
        self.generators = Generators(self.seed)
        self.metrics: dict[str, float] = {}
        self._metric_names: list[str] = []
        self._asked_to_stop = ""
        try:
            with self.generators.installed():
                self.model = self._make()
        except (AssertionError, ValueError, NotImplementedError, TypeError) as error:
            raise ValueError(f"{name}: {' '.join(str(error).split())}") from error
        self.off_policy = isinstance(self.model, OffPolicyAlgorithm)

    def _make(self) -> Any:
        """Make the model, seeded as ``seed=`` would."""
        settings = {name: self._given(each) for name, each in vars(self.config).items() if name not in _OURS}
        noise = getattr(self.config, "noise_std", 0.0)
        if noise:
            shape = self.action_space.shape or ()
            settings["action_noise"] = NormalActionNoise(np.zeros(shape), np.full(shape, noise))
        model = self.model_class(
            self._policy_name(),
            to_vec_env(self._watched),
            seed=None,  # it would seed the global generators: ours are in their place
            device=self._device(),
            policy_kwargs=self._policy_kwargs(),
            **settings,
        )
        model.set_logger(Logger(folder=None, output_formats=[]))
        model.action_space.seed(self.seed)
        model.env.seed(self.seed)
        return model

    def _given(self, setting: Any) -> Any:
        """Return a setting as the model takes it: a schedule follows the steps that were taken, also over several calls of `learn`."""
        if hasattr(setting, "at"):
            return lambda progress: value(setting, self.model.num_timesteps if hasattr(self, "model") else 0)
        if isinstance(setting, str):
            try:
                return float(setting)
            except ValueError:
                return setting
        return setting

    def _policy_name(self) -> str:
        if self.config.policy != "auto":
            name: str = self.config.policy
            return name
        space = self.observation_space
        image = isinstance(space, gym.spaces.Box) and len(space.shape) == 3 and space.dtype == np.uint8
        begins = "MultiInput" if isinstance(space, gym.spaces.Dict) else "Cnn" if image and not self.config.encoder else "Mlp"
        names = [name for name in self.model_class.policy_aliases if name.startswith(begins)]
        if not names:
            raise ValueError(f"{self.model_class.__name__} has no policy for {space}; it has {', '.join(self.model_class.policy_aliases)}")
        return names[0]

    def _policy_kwargs(self) -> dict[str, Any]:
        kwargs: dict[str, Any] = {}
        if self.config.hidden:
            kwargs["net_arch"] = list(self.config.hidden)
        if self.config.encoder:
            from rlcourse.encoders import make

            encoder = self.config.encoder
            kwargs["features_extractor_class"] = lambda space, **options: make(encoder, space, **options)
        return kwargs

    def _device(self) -> str:
        if self.config.device == "cuda" and not torch.cuda.is_available():
            raise ValueError("device 'cuda': no CUDA device is available here; take device='cpu'")
        if self.config.device == "auto":
            return "cuda" if torch.cuda.is_available() and len(self.observation_space.shape or ()) == 3 else "cpu"
        return str(self.config.device)

    # Learning ---------------------------------------------------------------------------------------------------------

    def learn(
        self,
        total_timesteps: int | None = None,
        *,
        episodes: int | None = None,
        callback: Callback | Iterable[Callback] | None = None,
        callback_every: int = 1_000_000,
        progress_bar: bool = False,
    ) -> Self:
        """Learn for `total_timesteps`, rounded up to whole rollouts, or until so many episodes have ended; see `Agent.learn`."""
        check_budget(total_timesteps, episodes, callback_every=callback_every, progress_bar=progress_bar)
        call, finish = make_callback(self, callback, progress_bar, total_timesteps, episodes)
        whole = not self.off_policy and self.model.n_steps * self.model.n_envs >= _ROLLOUT  # else updates follow one another at once
        bridge = Bridge(self, call, min(1 if whole else 1000, callback_every), len(self.history) + (episodes or _NO_LIMIT))
        self._asked_to_stop, self._watched.steps = "", self.num_timesteps
        try:
            with self.generators.installed():
                self.model.learn(int(total_timesteps or _NO_LIMIT), callback=bridge, log_interval=None, reset_num_timesteps=False)
                bridge.finish()
        except Enough:
            pass
        finally:
            self.num_timesteps = self.model.num_timesteps
            self.midway = self._asked_to_stop == "step" and not self.off_policy  # a rollout was thrown away
            finish()
        return self

    def take_metrics(self) -> None:
        """Take what the model logged in its last update; the names stay those of the first time, so that a table has fixed columns."""
        logged = {name.removeprefix("train/"): number for name, number in self.model.logger.name_to_value.items() if "train/" in name}
        if not self._metric_names and self.model._n_updates >= 2 * getattr(self.model, "policy_delay", 1):
            self._metric_names = sorted(name for name, number in logged.items() if isinstance(number, int | float | np.number))
        self.metrics = {name: float(logged.get(name, np.nan)) for name in self._metric_names}

    def check_finite(self) -> None:
        """Raise FloatingPointError where a weight is no longer finite."""
        with torch.no_grad():
            total = sum(parameter.sum() for parameter in self.model.policy.parameters())
        if not np.isfinite(float(total)):
            raise FloatingPointError(f"the weights are no longer finite at step {self.num_timesteps}: lower learning_rate")

    def stop(self, at_episode_end: bool = False) -> None:
        """End `learn` soon, from any thread: after the next update, or at the next step."""
        self._asked_to_stop = "update" if at_episode_end else "step"

    # Acting -----------------------------------------------------------------------------------------------------------

    def predict(self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True) -> tuple[Any, Any]:
        """Return the model's action; see `Agent.predict`."""
        require_truth("deterministic", deterministic)
        seen = observation if isinstance(observation, dict) else np.asarray(observation)
        for part in seen.values() if isinstance(seen, dict) else [seen]:
            require_finite(np.asarray(part))
        if deterministic:
            action, state = self.model.predict(seen, state, episode_start, deterministic=True)
        else:
            with self.generators.installed():
                action, state = self.model.predict(seen, state, episode_start, deterministic=False)
        return (int(action) if np.ndim(action) == 0 else action), state

    # State ------------------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return weights, optimisers, memory, generators and counters; see `Agent.state_dict`."""
        model = state.of_model(self.model, self.env_state or self.venv)
        return super().state_dict() | model | state.prefixed("generators/", self.generators.state_dict())

    @property
    def resume_note(self) -> str:
        """What is not as it would have been after loading; see `Agent.resume_note`."""
        exact = "stable-baselines3 resumes exactly between two updates"
        lost = "steps since the last update of an on-policy model are taken again, and gSDE draws a new exploration matrix"
        return "; ".join(part for part in (super().resume_note, f"{exact}: {lost}") if part)

    def load_state_dict(self, state_: dict[str, Any]) -> None:
        """Take over a state; see `resume_note` for what is not exactly as it was."""
        super().load_state_dict(state_)
        self.generators.load_state_dict(state.below("generators/", state_))
        remembers = getattr(self.model, "replay_buffer", None) is not None
        self.forgot = remembers and self.num_timesteps > 0 and not state.below("replay.", state_)
        with self.generators.installed():
            state.into_model(self.model, self.env_state or self.venv, state_)
        if self.model._last_obs is None and self.num_timesteps:  # other episodes than those of the beginning
            self.model.env.seed(int(np.random.SeedSequence([self.seed, self.num_timesteps]).generate_state(1)[0] % 2**31))
