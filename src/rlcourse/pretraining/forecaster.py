"""`Forecaster`: a memory that forecasts a bit at every step of a stream, scored by the logarithm of the probability that it gave.

    minimise E[-Y log p(h) - (1 - Y) log(1 - p(h))],    h_t = f(h_{t-1}, o_t)

The log-score is proper: what minimises it is the conditional probability of Y_t given what the memory holds. `fit_forecaster` learns
from windows of streams, by the mechanism that the agents with memory share (`rlcourse.agents.deep.sequences`); in an environment
whose action is such a probability, as DelayedBits is one, a forecaster acts by `predict`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, get_args

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from rlcourse.agents.deep.memories import recall
from rlcourse.agents.deep.sequences import Start, check_half, first_counted, first_memory, tile
from rlcourse.core import spaces
from rlcourse.core.arguments import checked
from rlcourse.core.config import Natural, Positive, whole
from rlcourse.encoders import make_memory
from rlcourse.encoders.recurrent import State
from rlcourse.pretraining import files
from rlcourse.pretraining.fitting import as_tensor

__all__ = ["Forecaster", "fit_forecaster"]

Streams = tuple[np.ndarray, np.ndarray]  # observations [T, B, ...], and bits or their probabilities [T, B]


class Forecaster(nn.Module):
    """A memory, and a linear layer whose one output is the logit of the forecast.

    Parameters
    ----------
    observation_space : gymnasium.Space
    encoder : str
        What an observation goes through before the memory: a name for `rlcourse.encoders.make`.
    memory, memory_size, memory_layers
        See `rlcourse.encoders.make_memory`.
    seed : int
        Of the initial weights.
    """

    @checked
    def __init__(
        self,
        observation_space: gym.Space[Any],
        encoder: str = "auto",
        memory: str = "lstm",
        memory_size: int = 32,
        memory_layers: int = 1,
        seed: int = 0,
    ) -> None:
        super().__init__()
        whole("memory_size", memory_size, 1, 2**16)
        whole("memory_layers", memory_layers, 1, 64)
        whole("seed", seed, 0)
        self.observation_space, self.name, self.seed = observation_space, encoder, seed
        self.options = {"memory": memory, "memory_size": memory_size, "memory_layers": memory_layers}
        with torch.random.fork_rng(devices=[]):  # layers initialise from torch's global generator
            torch.manual_seed(seed)
            self.memory = make_memory(memory, observation_space, memory_size, encoder, memory_layers)
            self.head = nn.Linear(memory_size, 1)

    def forward(self, observations: Tensor, state: State, starts: Tensor | None = None) -> tuple[Tensor, State]:
        """Return logits, shape [T, B], for sequences of observations [T, B, ...], and the memory after them."""
        features, after = self.memory(observations, state, starts)
        logits: Tensor = self.head(features)
        return logits.squeeze(2), after

    @torch.no_grad()
    def predict(self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True) -> tuple[np.ndarray, Any]:
        """Return the probability as an action, shape [1] or [B, 1], and the memory that the next call wants; see `Agent.predict`."""
        batch = spaces.is_batch(self.observation_space, observation)
        seen = np.asarray(observation, dtype=self.observation_space.dtype)
        features, state = recall(self.memory, as_tensor(seen if batch else seen[None]), state, episode_start)
        actions = torch.sigmoid(self.head(features)).numpy()
        return actions if batch else actions[0], state

    def save(self, path: str | os.PathLike[str], settings: dict[str, Any] | None = None) -> Path:
        """Save to one safetensors file (see `rlcourse.core.files`): arrays ``memory.*`` and ``head.*``."""
        return files.save(path, self, self.options, settings)

    @classmethod
    def load(cls, path: str | os.PathLike[str], observation_space: gym.Space[Any] | None = None) -> Self:
        """Load what `save` wrote; see `rlcourse.pretraining.load`."""
        return files.load(path, observation_space, cls)


@checked
def fit_forecaster(
    model: Forecaster,
    draw: Callable[[np.random.Generator], Streams],
    *,
    updates: int = 1_000,
    sequence_length: int = 20,
    burn_in: int = 0,
    start: Start = "stored",
    half_masked: bool = False,
    learning_rate: Positive = 1e-2,
    seed: Natural = 0,
) -> list[float]:
    """Train a forecaster by Adam, one update for each window of the streams, all streams side by side.

    The forecaster reads the streams as it would act in them; the memories that it then has are the stored ones, each made by the weights
    of its time. Where a stream ends new ones are drawn, and begin empty.

    Parameters
    ----------
    model : Forecaster
    draw : callable
        ``draw(rng)`` returns observations [T, B, ...] and, as bits or as probabilities of a 1, what is to be forecast [T, B].
    updates : int
    sequence_length, burn_in, start, half_masked
        How streams are cut into windows, how those begin, and which of their steps count: see `rlcourse.agents.deep.sequences`.
    learning_rate : float
        It falls to zero in a straight line.
    seed : int
        Of what is drawn.

    Returns
    -------
    list of float
        The loss of each update, nats.
    """
    if not isinstance(model, Forecaster) or not callable(draw):
        raise ValueError(f"model must be a Forecaster and draw a function, not {type(model).__name__} and {type(draw).__name__}")
    for name, number, least in (("updates", updates, 1), ("sequence_length", sequence_length, 1), ("burn_in", burn_in, 0)):
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < least:
            raise ValueError(f"{name} must be a whole number of at least {least}, not {number!r}")
    if start not in get_args(Start):
        raise ValueError(f"start must be 'stored' or 'zero', not {start!r}")
    if not 0.0 < learning_rate < 1e30:
        raise ValueError(f"learning_rate must be a number above 0 and below 1e30, not {learning_rate!r}")
    check_half(sequence_length, half_masked)
    rng, losses = np.random.default_rng(seed), list[Tensor]()
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    late = first_counted(sequence_length, half_masked)
    while len(losses) < updates:
        observations, targets = (as_tensor(part) for part in _checked(model.observation_space, draw(rng)))
        tiles = tile(len(targets), sequence_length, burn_in, half_masked)
        whole = [rows for rows in tiles.rows.T if rows[-1] < len(targets)]  # what is left at the end is no window
        if not whole:
            raise ValueError(f"sequence_length must be at most the length of the streams, {len(targets)}, not {sequence_length}")
        stored, at = model.memory.initial(targets.shape[1]), 0  # the memory before row `at`
        for rows in whole[: updates - len(losses)]:
            first, rows = max(0, int(rows[0])), rows.clip(0)
            if first > at:
                stored, at = _read(model, observations[at:first], stored), first
            x, starts = observations[rows], torch.from_numpy(rows == 0)[:, None].expand(-1, targets.shape[1])
            state = first_memory(model.memory, start, stored, (x[:burn_in], starts[:burn_in]))
            logits, _ = model(x[burn_in:], state, starts[burn_in:])
            loss = binary_cross_entropy_with_logits(logits[late:], targets[rows[burn_in + late :]].float())
            optimizer.param_groups[0]["lr"] = learning_rate * (1 - len(losses) / updates)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
    return torch.stack(losses).tolist()


def _checked(space: gym.Space[Any], drawn: Any) -> Streams:
    """Return what was drawn as two arrays; raise where they are no streams of a space with something to forecast."""
    if not isinstance(drawn, tuple | list) or len(drawn) != 2:
        raise ValueError(f"draw must return two arrays, observations and targets, not {type(drawn).__name__}")
    observations, targets = map(np.asarray, drawn)
    bounds = _bounds(space)
    inner = observations.shape[2:] if bounds is None else bounds[0].shape
    if targets.ndim != 2 or not targets.size or observations.shape != (*targets.shape, *inner):
        shown = ", ".join(["T", "B", *map(str, inner)])
        raise ValueError(
            f"draw must return observations [{shown}] and targets [T, B] of the same T and B, not of shapes "
            f"{observations.shape} and {targets.shape}"
        )
    if not np.all((targets >= 0) & (targets <= 1)):
        raise ValueError(f"targets must be bits, or probabilities from 0 to 1, not from {targets.min()} to {targets.max()}")
    if bounds is not None:
        low, high = bounds
        seen = observations.astype(low.dtype) if low.dtype.kind == "f" else observations  # 0.7 as a float64 is above 0.7 as a float32
        if not np.all((seen >= low) & (seen <= high)):
            raise ValueError(f"observations must be in the model's space, {space}, but go from {seen.min()} to {seen.max()}")
    return observations, targets


def _bounds(space: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the least and the greatest observation of a space of numbers."""
    if isinstance(space, gym.spaces.Box):
        return space.low, space.high
    if isinstance(space, gym.spaces.Discrete):
        return np.asarray(space.start), np.asarray(space.start + space.n - 1)
    if isinstance(space, gym.spaces.MultiDiscrete):
        return space.start, space.start + space.nvec - 1
    if isinstance(space, gym.spaces.MultiBinary):
        return np.zeros(space.shape), np.ones(space.shape)
    return None


@torch.no_grad()
def _read(model: Forecaster, observations: Tensor, state: State) -> State:
    """Return the memory after the forecaster has read some rows."""
    after: State = model.memory(observations, state, None)[1]
    return after
