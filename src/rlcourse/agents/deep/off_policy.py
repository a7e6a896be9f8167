"""`OffPolicyAgent`: what the agents that replay share - gathering, when and how often they update, and the batch of an update.

Their algorithms have one skeleton: act, store, and once there is enough, take gradient steps on transitions drawn from the memory.
A subclass says how it explores and what a gradient step is, and its `_iterate` puts both into the order of its paper.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor

from rlcourse.agents.deep.base import DeepAgent
from rlcourse.agents.deep.continuous_networks import Bounds
from rlcourse.agents.deep.replay import Replay

__all__ = ["OffPolicyAgent", "Transitions"]


class Transitions(NamedTuple):
    """A `Batch` as tensors on the agent's device; actions are numbers, shape [B], or values within [-1, 1], shape [B, size]."""

    observations: Tensor
    actions: Tensor
    rewards: Tensor
    next_observations: Tensor
    discounts: Tensor
    masks: Tensor | None
    next_masks: Tensor | None


class OffPolicyAgent(DeepAgent):
    """Base of the agents with a replay memory.

    Batch normalisation in an encoder goes by the batch of S where a network learns, and by running statistics in whatever a target needs
    and whatever is only looked through; DQN has a setting for it (`bn_mode`), and CrossQ's encoder sees S and S' in one batch.

    Attributes
    ----------
    replay : Replay
    bounds : Bounds
        Of agents with Box actions; the memory holds theirs within [-1, 1].
    """

    between_callbacks = 1000
    updates_at_start: ClassVar[bool] = False  # the first update comes at step `learning_starts`, or, as in stable-baselines3, after it
    replay: Replay
    bounds: Bounds

    def _gather(self, budget: int) -> int:
        """Act and store, `train_freq` steps in each copy; return how many gradient steps are due."""
        c, before = self.config, self.num_timesteps
        self._collect(self.replay, self._act, budget)
        if self.num_timesteps + self.updates_at_start <= c.learning_starts:
            return 0
        return int(c.gradient_steps) if c.gradient_steps > 0 else self.num_timesteps - before

    @torch.no_grad()
    def _act(self, t: int, observations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return actions to store and actions to take: random ones until `learning_starts`, then those that explore."""
        if self.discrete:
            masks, B = self._masks, len(observations)
            actions = self._random(B, masks) if self._starting else self._policy(self._tensor(observations), False, masks)
            return actions, self._taken(actions)
        actions = self._random(len(observations)) if self._starting else self._explore(self._tensor(observations))
        return actions.reshape(-1, *self.bounds.shape), self.bounds.taken(actions)

    def _explore(self, observations: Tensor) -> np.ndarray:
        """Return the actions that an agent in a Box stores while it learns, within [-1, 1], shape [B, size]."""
        raise NotImplementedError

    @property
    def _masks(self) -> np.ndarray | None:
        """Which actions exist where the copies are, shape [N, A], where the environment says so."""
        return None if self.replay.masks is None else self.replay.masks[self.replay.row]

    @property
    def _starting(self) -> bool:
        """Whether the next step is one of the random ones at the beginning."""
        starting: bool = self.num_timesteps + self.replay.valid < self.config.learning_starts
        return starting

    def _random(self, B: int, masks: np.ndarray | None = None) -> np.ndarray:
        """Return actions to store drawn uniformly, of a Discrete space among those that exist (masks [B, A])."""
        if not self.discrete:
            return self.bounds.random(B, self.rng)
        if masks is None:
            return self.rng.integers(self.n_actions, size=B)
        return np.where(masks, self.rng.random((B, self.n_actions)), -1.0).argmax(1)

    def _replayed(self) -> Transitions:
        """Draw the batch of a gradient step."""
        c = self.config
        batch = self.replay.sample(c.batch_size, self.rng, c.gamma, c.n_steps)
        A, R, discounts = (torch.from_numpy(part).to(self.device) for part in (batch.actions, batch.rewards, batch.discounts))
        A = A if self.discrete else A.reshape(len(A), -1)
        masks = (None if part is None else torch.from_numpy(part).to(self.device) for part in (batch.masks, batch.next_masks))
        return Transitions(self._tensor(batch.observations), A, R, self._tensor(batch.next_observations), discounts, *masks)
