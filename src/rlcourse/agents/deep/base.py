"""`DeepAgent`: what the deep agents share - device, generators, copies of the environment, the loop of budgets, and the file.

A subclass writes `_make` (its networks), `_iterate` (one round of its paper's algorithm), `_policy` (acting) and `parts` (what is
saved); everything else of an agent's face is here.
"""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Protocol, Self, TypeVar

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from rlcourse.agents.deep.boundary import PackedVectorEnv, check_spaces, device_for, within
from rlcourse.agents.deep.normalize import Normalizer
from rlcourse.agents.deep.optimizer import FlatOptimizer
from rlcourse.agents.deep.transfer import encoders_of, pace_of, take_over
from rlcourse.core import spaces
from rlcourse.core.agent import Agent, check_budget
from rlcourse.core.callbacks import Callback, make_callback
from rlcourse.core.copies import as_vector
from rlcourse.core.masks import given_masks
from rlcourse.core.memory import must_fit, require_for_weights
from rlcourse.core.packing import packed
from rlcourse.core.vector import WorldVectorEnv

__all__ = ["Act", "DeepAgent"]

Network = TypeVar("Network", bound=torch.nn.Module)
Act = Callable[[int, np.ndarray], tuple[np.ndarray, np.ndarray]]  # (t, observations) -> actions to store, actions to take


class Memory(Protocol):
    """Where experience goes: a `Rollout` or a `Replay`."""

    valid: int  # steps stored by the last `collect`
    rewards: np.ndarray

    def collect(self, env: Any, observation: np.ndarray, act: Act, budget: int) -> tuple[np.ndarray, np.ndarray]:
        """Step the copies at most `budget` steps; return the observation after them, and the finished episodes."""


class DeepAgent(Agent):
    """Base of the agents with a network.

    Attributes
    ----------
    metrics : dict of str to float
        Of the last update; tensors of one element, while it learns, so that nothing waits for them.
    venv : VectorEnv
        The copies that it learns in; one compiled call steps them where the environment is one of ours or has a twin among them.
    seen_space : gymnasium.Space
        What its networks see: the observation space, or vectors that stand for observations of several parts (`rlcourse.core.packing`).
    device : torch.device
    generator : torch.Generator
        Draws initial weights and the policy's samples.
    n_actions : int
        Of a Discrete space; 0 in a Box.
    """

    actions: ClassVar[tuple[type[gym.Space[Any]], ...]] = (gym.spaces.Discrete, gym.spaces.Box)
    between_callbacks: ClassVar[int] = 1  # steps at least between callbacks; 1: one after each update
    heeds_masks: ClassVar[bool] = False  # whether it takes only actions that exist, where ``info["action_mask"]`` says which
    recurrent: ClassVar[bool] = False  # whether `predict` returns a state that the next call wants
    evaluation_envs = 16

    def _build(self) -> None:
        name, c = type(self).__name__, self.config
        check_spaces(name, self.actions, self.observation_space, self.action_space, c)
        self.device = device_for(c.device, self.observation_space)
        self.generator = torch.Generator().manual_seed(int(self.rng.integers(2**62)))
        require_for_weights(c)
        with must_fit("n_envs"):
            self.venv = as_vector(self.env, c.n_envs)
        self.packing = packed(self.observation_space)
        self.seen_space = self.observation_space if self.packing is None else self.packing
        if self.packing is not None and self.venv.single_observation_space != self.packing:  # a world of ours packs them itself
            self.venv = PackedVectorEnv(self.venv, self.packing)
        self.discrete = isinstance(self.action_space, gym.spaces.Discrete)
        self._start = int(self.action_space.start) if isinstance(self.action_space, gym.spaces.Discrete) else 0
        self.n_actions = int(self.action_space.n) if isinstance(self.action_space, gym.spaces.Discrete) else 0
        self.normalizer = Normalizer(
            getattr(c, "normalize_observations", False),
            getattr(c, "normalize_rewards", False),
            self.seen_space.shape or (),
            self.venv.num_envs,
            c.gamma,
        )
        self.metrics: dict[str, Any] = {}
        self._observation: np.ndarray | None = None
        self._stopped = False
        with must_fit(", ".join(name for name in ("hidden", "memory_size", "n_envs", "buffer_size") if hasattr(c, name))):
            self._make()
        networks = [part for part in self.parts().values() if isinstance(part, torch.nn.Module)]
        if c.encoder_mode != "scratch" and not any(map(encoders_of, networks)):
            raise ValueError(f"encoder_mode {c.encoder_mode!r}: encoder {c.encoder!r} has no weights to take over here; set it to scratch")

    # What a subclass writes -------------------------------------------------------------------------------------------

    @abstractmethod
    def _make(self) -> None:
        """Make networks, optimisers and memory."""

    def _ready(self, network: Network) -> Network:
        """Return a network on the device of the agent, in eval mode, its encoder taken over from where the settings say."""
        take_over(network, self.config, self._restored, self.env)
        return network.to(self.device).eval()

    def _descent(self) -> dict[str, Any]:
        """Return what the optimisers of all agents share: how gradients are clipped, and the pace of an encoder."""
        c = self.config
        return {"max_grad_norm": c.max_grad_norm, "max_grad_value": c.max_grad_value, "encoder_pace": pace_of(c)}

    @abstractmethod
    def _iterate(self, budget: int) -> None:
        """Gather experience, at most `budget` steps of it, and learn from it: one round of the algorithm."""

    @abstractmethod
    def _policy(self, observations: Tensor, deterministic: bool, masks: np.ndarray | None = None) -> np.ndarray:
        """Return actions for observations [B, ...]: numbers from 0, shape [B], or values within the Box, shape [B, ...].

        An agent that heeds masks takes actions that exist only (masks [B, A]).
        """

    @abstractmethod
    def parts(self) -> dict[str, Any]:
        """Return what learning depends on, by name: anything with `state_dict` and `load_state_dict`; a memory is named "replay"."""

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
        """Learn; see `Agent.learn`."""
        check_budget(total_timesteps, episodes)
        call, finish = make_callback(self, callback, progress_bar, total_timesteps, episodes)
        last_step = self.num_timesteps + (total_timesteps or 2**62)
        last_episode = len(self.history) + (episodes or 2**62)
        every = min(self.between_callbacks, callback_every)
        following = (self.num_timesteps // every + 1) * every
        self._stopped = False
        try:
            if self._observation is None:
                self._begin(*self.venv.reset(seed=int(self.rng.integers(2**31))))
            while self.num_timesteps < last_step and len(self.history) < last_episode and not self._stopped:
                self._iterate(last_step - self.num_timesteps)
                if self.num_timesteps >= min(following, last_step):
                    following = (self.num_timesteps // every + 1) * every
                    self._check_finite()
                    self.metrics = {name: float(number) for name, number in self.metrics.items()}
                    if call(self) is False:
                        break
        finally:
            finish()
        return self

    def _begin(self, observation: np.ndarray, infos: Any) -> None:
        """Note that new episodes begin in all copies; a replay memory notes it too."""
        self._observation = observation
        if self.discrete and "action_mask" in infos and not self.heeds_masks:
            warnings.warn(f"{type(self).__name__} takes no notice of info['action_mask']; DQN respects it", stacklevel=3)
        memory = self.parts().get("replay")
        if memory is not None:
            memory.begin(observation, infos)

    def _collect(self, memory: Memory, act: Act, budget: int) -> None:
        """Fill a memory with experience, and count it."""
        assert self._observation is not None
        self._observation, episodes = memory.collect(self.venv, self._observation, act, budget)
        if len(episodes):
            episodes[:, -1] += self.num_timesteps
            self.history.extend(episodes)
        self.num_timesteps += memory.valid
        self._memory = memory

    def _check_finite(self) -> None:
        if not np.isfinite(self._memory.rewards).all():
            raise FloatingPointError(f"the environment gave a reward that is no finite number before step {self.num_timesteps}: mend it")
        for part in self.parts().values():
            if isinstance(part, FlatOptimizer) and not torch.isfinite(part.parameters.sum()):
                advice = "lower learning_rate, or mend observations that are no numbers"
                raise FloatingPointError(f"the weights are no longer finite at step {self.num_timesteps}: {advice}")

    def stop(self, at_episode_end: bool = False) -> None:
        """End `learn` after the current update, from any thread."""
        self._stopped = True

    # Acting -----------------------------------------------------------------------------------------------------------

    def _tensor(self, observations: np.ndarray) -> Tensor:
        """Return observations as the networks take them."""
        observations = self.normalizer.observations(observations)
        if observations.dtype == np.float64:
            observations = observations.astype(np.float32)
        return torch.from_numpy(observations).to(self.device)

    def _taken(self, actions: np.ndarray) -> np.ndarray:
        """Return actions as the environment takes them."""
        if self.discrete:
            return actions + self._start if self._start else actions
        return within(self.action_space, actions)

    @torch.no_grad()
    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True, action_masks: Any = None
    ) -> tuple[Any, Any]:
        """Return the policy's action, or one as the agent explores; see `Agent.predict`.

        Parameters
        ----------
        action_masks : array of bool, shape [A] or [B, A], optional
            Actions that exist; where a table of the environment tells them by the observation, they need not be given.
        """
        batch, inputs = self._batch(observation)
        inputs, state = self._remember(inputs, state, episode_start)
        table = getattr(self.venv.unwrapped, "action_masks", None) if self.heeds_masks else None
        if action_masks is None and table is not None:
            action_masks = table[np.asarray(observation) - int(self.observation_space.start)]  # type: ignore[attr-defined]
        if action_masks is not None and not self.heeds_masks:
            raise ValueError(f"action_masks: {type(self).__name__} takes no notice of masks; DQN heeds them")
        masks = None if action_masks is None else given_masks(action_masks, len(inputs), self.n_actions)
        return self._unbatch(self._policy(inputs, deterministic, masks), batch), state

    def _remember(self, observations: Tensor, state: Any, episode_start: Any) -> tuple[Tensor, Any]:
        """Return what the policy looks at, and the memory after it: an agent without one looks at the observations."""
        return observations, state

    def _batch(self, observation: Any) -> tuple[bool, Tensor]:
        """Return whether an observation is a batch, and the batch."""
        if self.packing is not None:
            batch = self.packing.is_batch(observation)
            return batch, self._tensor(self.packing.pack_batch(observation) if batch else self.packing.pack(observation)[None])
        batch = spaces.is_batch(self.observation_space, observation)
        observations = np.asarray(observation, dtype=self.observation_space.dtype)
        return batch, self._tensor(observations if batch else observations[None])

    def _unbatch(self, actions: np.ndarray, batch: bool) -> Any:
        taken = self._taken(actions)
        return taken if batch else int(taken[0]) if self.discrete else taken[0]

    # State ------------------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return weights, moments, memory, generators, and where the copies are if they are a world's; see `Agent.state_dict`."""
        state = super().state_dict() | {"generator": self.generator.get_state().numpy().copy()}
        env = self.venv.unwrapped
        parts = self.parts() | {"normalizer": self.normalizer}
        if isinstance(env, WorldVectorEnv) and self._observation is not None:
            parts["env"] = env
        for name, part in parts.items():
            state |= {f"{name}.{key}": _plain(value) for key, value in part.state_dict().items()}
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a state; copies of a foreign environment begin new episodes, because their state is their own.

        A state without a replay memory leaves the memory empty, and the copies begin new episodes too.
        """
        super().load_state_dict(state)
        self.generator.set_state(torch.from_numpy(state["generator"].copy()))
        for name, part in (self.parts() | {"normalizer": self.normalizer}).items():
            mine = _of(state, name)
            if isinstance(part, torch.nn.Module):
                mine = {key: torch.from_numpy(np.asarray(value)) for key, value in mine.items()}
            if mine or name != "replay":
                part.load_state_dict(mine)
        self._observation = None
        env, where = self.venv.unwrapped, _of(state, "env")
        complete = "replay" not in self.parts() or bool(_of(state, "replay"))
        if where and complete and isinstance(env, WorldVectorEnv):
            env.load_state_dict(where)
            self._observation = env.observations


def _of(state: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the values of one part, under the names that it gave them."""
    return {key.removeprefix(f"{name}."): value for key, value in state.items() if key.startswith(f"{name}.")}


def _plain(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().cpu().numpy().copy()
    return value.copy() if isinstance(value, np.ndarray) else value
