"""`DeepAgent`: what the deep agents share - device, generators, copies of the environment, the loop of budgets, and the file.

A subclass writes `_make` (networks), `_iterate` (a round of its paper's algorithm), `_policy` (acting) and `parts` (what is saved).
"""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Protocol, Self

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from rlcourse.agents.deep.boundary import Network, PackedVectorEnv, check_spaces, device_for, prepared, within
from rlcourse.agents.deep.measure import settle
from rlcourse.agents.deep.normalize import Normalizer
from rlcourse.agents.deep.optimizer import FlatOptimizer
from rlcourse.agents.deep.ranks import Ranks
from rlcourse.agents.deep.state import gathered, place_of, restored
from rlcourse.agents.deep.transfer import encoders_of, pace_of, take_over
from rlcourse.core import seeds, spaces
from rlcourse.core.agent import Agent, check_budget, require_truth
from rlcourse.core.callbacks import Callback, make_callback
from rlcourse.core.copies import as_vector
from rlcourse.core.faults import Watched
from rlcourse.core.masks import given_masks
from rlcourse.core.memory import must_fit, require_for_weights
from rlcourse.core.packing import packed

__all__ = ["Act", "DeepAgent"]

Act = Callable[[int, np.ndarray], tuple[np.ndarray, np.ndarray]]  # (t, observations) -> actions to store, actions to take


class Memory(Protocol):
    """Where experience goes: a `Rollout` or a `Replay`."""

    valid: int  # steps stored by the last `collect`

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
        With ``device="auto"`` the CPU until the first `learn` decides (`rlcourse.agents.deep.measure`).
    settled : str or None
        Device that "auto" was measured to be best.
    generator : torch.Generator
        Draws initial weights and the policy's samples.
    n_actions : int
        Of a Discrete space; 0 in a Box.
    program : tuple of (Program, int), or None
        With which it learned last entirely on its device, and its place there (`rlcourse.agents.deep.programs`).
    resident : dict of str to ndarray
        Where that program, or the one of the file that it was loaded from, had come to; empty where there was none.
    """

    actions: ClassVar[tuple[type[gym.Space[Any]], ...]] = (gym.spaces.Discrete, gym.spaces.Box)
    between_callbacks: ClassVar[int] = 1  # steps at least between callbacks; 1: one after each update
    heeds_masks: ClassVar[bool] = False  # whether it takes only actions that exist, where ``info["action_mask"]`` says which
    recurrent: ClassVar[bool] = False  # whether `predict` returns a state that the next call wants
    data_parallel: ClassVar[bool] = False  # whether several processes can train it together (`rlcourse.agents.deep.ranks`)
    evaluation_envs = 16

    def _build(self) -> None:
        name, c = type(self).__name__, self.config
        check_spaces(name, self.actions, self.observation_space, self.action_space, c)
        self.settled: str | None = None
        self._build_on(device_for(c.device, self._restored))

    def _build_on(self, device: torch.device) -> None:
        self.device, c = device, self.config
        self.generator = torch.Generator().manual_seed(int(self.rng.integers(2**62)))
        self.ranks = Ranks.of(self)
        require_for_weights(c)
        with must_fit("n_envs"):
            self.venv = as_vector(self.env, self.ranks.part(c.n_envs, "n_envs"))
        self.packing = packed(self.observation_space)
        self.seen_space = self.observation_space if self.packing is None else self.packing
        if self.packing is not None and self.venv.single_observation_space != self.packing:  # a world of ours packs them itself
            self.venv = PackedVectorEnv(self.venv, self.packing)
        self.env_state = place_of(self.venv)
        self._watched = Watched(self.venv)
        self.discrete = isinstance(self.action_space, gym.spaces.Discrete)
        self._start = int(self.action_space.start) if isinstance(self.action_space, gym.spaces.Discrete) else 0
        self.n_actions = int(self.action_space.n) if isinstance(self.action_space, gym.spaces.Discrete) else 0
        seen, paid = (getattr(c, f"normalize_{what}", False) for what in ("observations", "rewards"))
        self.normalizer = Normalizer(seen, paid, self.seen_space.shape or (), self.venv.num_envs, c.gamma, self.ranks.gather)
        self.metrics: dict[str, Any] = {}
        self._observation: np.ndarray | None = None
        self._stopped = False
        self.program: Any = None
        self.resident: dict[str, np.ndarray] = {}
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
        return prepared(network, self.config, self.device)

    def _descent(self) -> dict[str, Any]:
        """Return what the optimisers of all agents share: how gradients are clipped, and the pace of an encoder."""
        c = self.config
        limits = {"max_grad_norm": c.max_grad_norm, "max_grad_value": c.max_grad_value}
        return {**limits, "encoder_pace": pace_of(c), "all_reduce": self.ranks.add}

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
        """Learn; see `Agent.learn`. On a GPU, in a world that is data, as a program (`rlcourse.agents.deep.programs`).

        An agent that has learned as a program, also before it was saved, goes on as one, on the CPU too.
        """
        check_budget(total_timesteps, episodes, callback_every=callback_every, progress_bar=progress_bar)
        settle([self])
        resides = self.device.type == "cuda" or self.program is not None or bool(self.resident)
        if resides and total_timesteps is not None and episodes is None and not self._hindrance():
            from rlcourse.agents.deep.programs.together import learn_together

            learn_together([self], total_timesteps, callback=callback, callback_every=callback_every, progress_bar=progress_bar)
            return self
        self.program, self.resident = None, {}
        call, finish = make_callback(self, callback, progress_bar, total_timesteps, episodes)
        last_step = self.num_timesteps + (total_timesteps or 2**62)
        last_episode = len(self.history) + (episodes or 2**62)
        every = min(self.between_callbacks, callback_every)
        following = (self.num_timesteps // every + 1) * every
        self._stopped = False
        try:
            if self._observation is None:
                self._begin(*seeds.begin_copies(self._watched, self.rng))
            while self.num_timesteps < last_step and len(self.history) < last_episode and not self.ranks.any(self._stopped):
                self._iterate(last_step - self.num_timesteps)
                if self.num_timesteps >= min(following, last_step):
                    following = (self.num_timesteps // every + 1) * every
                    self.check_weights()
                    self.metrics = {name: float(number) for name, number in self.metrics.items()}
                    if self.ranks.any(call(self) is False):
                        break
            self.check_weights()  # also where it was stopped between two callbacks: who asked for that will save it
        finally:
            finish()
        return self

    def _hindrance(self) -> str:
        """Return in one sentence why this agent cannot learn entirely on its device, or nothing."""
        from rlcourse.agents.deep.programs.together import hindrance

        return hindrance([self])

    def _begin(self, observation: np.ndarray, infos: Any) -> None:
        """Note that new episodes begin in all copies; a replay memory notes it too."""
        self._observation = observation
        if self.discrete and "action_mask" in infos and not self.heeds_masks:
            warnings.warn(f"{type(self).__name__} takes no notice of info['action_mask']; DQN respects it", stacklevel=3)
        if (memory := self.parts().get("replay")) is not None:
            memory.begin(observation, infos)

    def _collect(self, memory: Memory, act: Act, budget: int) -> None:
        """Fill a memory with experience, and count it."""
        assert self._observation is not None
        self._watched.steps = self.num_timesteps
        try:
            self._observation, episodes, steps = self.ranks.collect(memory, self._watched, self._observation, act, budget)
        except FloatingPointError as error:  # an action
            raise FloatingPointError(f"at step {self._watched.steps + 1:,} {error}") from error
        if len(episodes):
            episodes[:, -1] += self.num_timesteps
            self.history.extend(episodes)
        self.num_timesteps += steps

    def check_weights(self) -> None:
        """Raise FloatingPointError, in one sentence, where learning has diverged."""
        parts = [part for part in self.parts().values() if isinstance(part, FlatOptimizer)]
        sums = [("weights are", part.parameters.sum()) for part in parts] + [("gradient is", part.gradient.sum()) for part in parts]
        losses = [(f"{name} is", number) for name, number in self.metrics.items() if "loss" in name]  # clipped, its gradient can be finite
        for what, number in sums + losses:
            if not np.isfinite(float(number)):
                advice = "lower learning_rate, or mend observations that are no numbers"
                raise FloatingPointError(f"the {what} no longer finite at step {self.num_timesteps}: {advice}")

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
        return actions + self._start if self.discrete else within(self.action_space, actions)

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
        require_truth("deterministic", deterministic)
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
        if self.packing is None:
            batch = spaces.is_batch(self.observation_space, observation)
            seen = np.asarray(observation, dtype=self.observation_space.dtype)[... if batch else None]
        else:
            with spaces.of_parts(self.observation_space, observation):
                batch = self.packing.is_batch(observation)
                seen = self.packing.pack_batch(observation) if batch else self.packing.pack(observation)[None]
        spaces.require_finite(seen)  # once more: float32 holds less than was given
        return batch, self._tensor(seen)

    def _unbatch(self, actions: np.ndarray, batch: bool) -> Any:
        taken = self._taken(actions)
        return taken if batch else int(taken[0]) if self.discrete else taken[0]

    # State ------------------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return weights, moments, memory, generators, and where the copies are; see `Agent.state_dict`."""
        return super().state_dict() | gathered(self)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a state; without a replay memory in it that is empty, and the copies begin new episodes (see `resume_note`)."""
        super().load_state_dict(state)
        restored(self, state)
