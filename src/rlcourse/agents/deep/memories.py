"""What agents with memory share: actor and critic behind one memory, and the memories of the copies between rollouts."""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from rlcourse.agents.deep.modes import seeded
from rlcourse.agents.deep.networks import ActorCritic
from rlcourse.encoders import make_memory
from rlcourse.encoders.recurrent import Recurrent, State

__all__ = ["Carried", "RecurrentActorCritic", "Sequences", "recall"]


class Sequences(NamedTuple):
    """A rollout as sequences, or the windows that it is cut into: tensors [T, B, ...], log-probabilities and values the old policy's.

    Attributes
    ----------
    stored : Tensor of bool
        What counts: all but the last steps of some copies, where a budget ends within a vector step, and what a window leaves out.
    begin : tuple of Tensor, each [layers, B, memory_size]
        The memory that acted before the first step, or before the first row of the burn-in.
    warm : (Tensor, Tensor of bool), shapes [W, B, ...] and [W, B]
        Observations and starts of the burn-in, where there is one.
    complete : bool
        Whether every step counts.
    """

    observations: Tensor
    starts: Tensor
    actions: Tensor
    log_prob: Tensor
    value: Tensor
    advantage: Tensor
    target: Tensor
    stored: Tensor
    begin: State
    warm: tuple[Tensor, ...] = ()
    complete: bool = True

    def of(self, some: Tensor) -> Sequences:
        """Return some of the sequences."""
        begin, warm = (tuple(part[:, some] for part in parts) for parts in (self.begin, self.warm))
        return Sequences(*(sample[:, some] for sample in self[:8]), begin, warm, self.complete)  # type: ignore[call-arg, arg-type]


class RecurrentActorCritic(nn.Module):
    """Actor and critic behind one memory."""

    def __init__(self, observation_space: gym.Space[Any], action_space: gym.Space[Any], c: Any, generator: torch.Generator) -> None:
        super().__init__()
        with seeded(generator):
            self.memory = make_memory(c.memory, observation_space, c.memory_size, c.encoder, c.memory_layers)
        features = gym.spaces.Box(-np.inf, np.inf, (c.memory_size,))
        self.heads = ActorCritic(features, action_space, c.hidden, "flatten", generator, c.log_std_init)

    def forward(self, observations: Tensor, state: State, starts: Tensor) -> tuple[Tensor, Tensor]:
        """Return the distribution's parameters, shape [T * B, A], and the values, [T * B], of sequences [T, B, ...]."""
        features, _ = self.memory(observations, state, starts)
        parameters, values = self.heads(features.flatten(0, 1))
        return parameters, values


class Carried:
    """What lasts from one rollout to the next: the memory of every copy, and whether an episode starts there.

    Attributes
    ----------
    state : tuple of Tensor, each [layers, N, memory_size]
    starts : ndarray of bool, shape [N]
    """

    def __init__(self, state: State, copies: int) -> None:
        self.state, self.starts = state, np.ones(copies, np.bool_)

    def state_dict(self) -> dict[str, Any]:
        """Return the arrays of the memory by number, and the starts."""
        return {str(i): part for i, part in enumerate(self.state)} | {"starts": self.starts}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take them over."""
        self.state = tuple(torch.as_tensor(state[str(i)].copy()).to(part) for i, part in enumerate(self.state))
        self.starts = np.array(state["starts"], np.bool_)


def recall(memory: Recurrent, observations: Tensor, state: Any, episode_start: Any) -> tuple[Tensor, tuple[np.ndarray, ...]]:
    """Return the features [B, width] of observations [B, ...], and the memory after them, by stable-baselines3's protocol.

    Parameters
    ----------
    memory : Recurrent
    observations : Tensor, shape [B, ...]
    state : tuple of ndarray, each [layers, B, width], or None
        None: empty.
    episode_start : array_like of bool, shape [B], or None
        Where an episode starts the state does not count.
    """
    device = observations.device
    before = memory.initial(len(observations)) if state is None else tuple(torch.as_tensor(part).to(device) for part in state)
    starts = None if episode_start is None else torch.as_tensor(np.atleast_1d(episode_start).astype(np.bool_)).to(device)
    features, after = memory.step(observations, before, starts)
    return features, tuple(part.cpu().numpy() for part in after)
