"""What agents with memory share: actor and critic behind one memory, and the memories of the copies between rollouts."""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from rlcourse.agents.deep.modes import seeded
from rlcourse.agents.deep.networks import ActorCritic
from rlcourse.core.fits import shaped
from rlcourse.encoders import make_memory
from rlcourse.encoders.recurrent import Recurrent, State

__all__ = ["Carried", "RecurrentActorCritic", "Sequences", "check_protocol", "recall"]


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
        given = [shaped(state[str(i)], tuple(part.shape), np.float32, f"memory {i}") for i, part in enumerate(self.state)]
        starts = shaped(state["starts"], self.starts.shape, np.bool_, "starts")
        self.state = tuple(torch.as_tensor(array.copy()).to(part) for array, part in zip(given, self.state, strict=True))
        self.starts = np.array(starts, np.bool_)


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
    like, B = next(memory.parameters()), len(observations)
    arrays, rows, width = memory.shape
    check_protocol(state, [(rows, B, width)] * arrays, episode_start, B)
    before = memory.initial(B) if state is None else tuple(torch.as_tensor(part).to(like) for part in state)
    starts = None if episode_start is None else torch.as_tensor(np.atleast_1d(episode_start).astype(np.bool_)).to(observations.device)
    features, after = memory.step(observations, before, starts)
    return features, tuple(part.cpu().numpy() for part in after)


def check_protocol(state: Any, shapes: list[tuple[int, ...]], episode_start: Any, copies: int) -> None:
    """Refuse a memory of other shapes than those that `predict` returns for B observations, and starts that are not one for each."""
    if state is not None:
        try:
            given = [tuple(np.shape(part)) for part in state]
        except (TypeError, ValueError):  # nothing to go through, or an array of nothing regular
            given = []
        if given != shapes:
            found = _arrays(given) if given else repr(state)
            raise ValueError(f"state must be {_arrays(shapes)}, as predict returned it for {copies} observations, not {found}")
    if episode_start is not None and np.atleast_1d(episode_start).shape not in ((1,), (copies,)):
        raise ValueError(f"episode_start must be one flag for each of {copies} observations, not of shape {np.shape(episode_start)}")


def _arrays(shapes: list[tuple[int, ...]]) -> str:
    return f"{len(shapes)} {'array' if len(shapes) == 1 else 'arrays'} of shape {' and '.join(map(str, dict.fromkeys(shapes)))}"
