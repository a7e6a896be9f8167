"""`Ring`: the replay memory of S agents as tensors on their device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from rlcourse.agents.deep.programs.copies import Copies
from rlcourse.agents.deep.programs.draws import REPLAY
from rlcourse.agents.deep.programs.launch import Launch
from rlcourse.core.counter import stream_keys
from rlcourse.core.replay_kernels import SAMPLE, Sampled, Stored

__all__ = ["Batch", "Ring"]


class Batch(NamedTuple):
    """Transitions of S agents, tensors [S, B, ...]: observations and successors as the copies have them, rewards of up to n steps.

    Importance weights are there where transitions are not drawn uniformly.
    """

    observations: Tensor
    actions: Tensor
    rewards: Tensor
    successors: Tensor
    discounts: Tensor
    slots: Tensor
    weights: Tensor | None = None


class Ring:
    """R rows of S * N transitions, with their true successors; the oldest rows are overwritten.

    A row in which a budget ended holds the first transitions only; each of them is then drawn a little more often than those of whole
    rows, because rows are drawn uniformly.

    Parameters
    ----------
    copies : Copies
        Whose rows are stored.
    seeds : list of int
        One for each agent.
    capacity : int
        Transitions of each agent.
    batch_size : int
    gamma : Tensor of float64, shape [S]
        Discount rates.
    n : int
        Steps of a transition.

    Attributes
    ----------
    observations, successors : Tensor, shape [R, M, ...]
    actions : Tensor, shape [R, M, ...]
        As the subclass of `ReplayProgram` stores them: see `keep`.
    """

    def __init__(self, copies: Copies, seeds: list[int], capacity: int, batch_size: int, gamma: Tensor, n: int, actions: Tensor) -> None:
        T = len(copies.ended)
        self.copies, self.rows, self.actions_kept = copies, max(T, -(-capacity // copies.n)), actions
        device = self._device = copies.ended.device

        def ring(like: Tensor) -> Tensor:
            return torch.zeros(self.rows, *like.shape[1:], dtype=like.dtype, device=device)

        def number(value: int) -> Tensor:
            return torch.tensor([value], device=device)

        self.observations, self.successors, self.actions = ring(copies.observations), ring(copies.successors), ring(actions)
        self.rewards, self.terminated, self.ended = ring(copies.rewards), ring(copies.terminated), ring(copies.ended)
        self.newest, self.filled, self.counts = number(-1), number(0), torch.zeros(self.rows, dtype=torch.int64, device=device)
        self._index = torch.arange(T, device=device)
        S = len(seeds)
        self.drawn = torch.zeros(S, dtype=torch.int64, device=device)
        keys = self._keys = torch.as_tensor(np.concatenate([stream_keys(seed, REPLAY, 1) for seed in seeds]), device=device)
        slots = [torch.zeros(S, batch_size, dtype=torch.int64, device=device) for _ in range(2)]
        numbers = [torch.zeros(S, batch_size, device=device) for _ in range(2)]
        self.sampled = Sampled(*slots, *numbers)  # type: ignore[arg-type]
        read: list[Any] = [self.newest, self.filled, self.counts, self.rewards, self.terminated, self.ended]
        self._stored = Stored(*read)
        self._sample = Launch(SAMPLE, S * batch_size, (keys, self.drawn, self._stored, gamma, n, self.sampled), device)

    def keep(self, rows: int, valid: int) -> None:
        """Store the first rows of the copies, of which `valid` transitions of each agent count, and `actions_kept` with them."""
        c, n = self.copies, self.copies.n
        index = (self.newest + 1 + self._index[:rows]) % self.rows
        pairs = (
            (self.observations, c.observations),
            (self.successors, c.successors),
            (self.actions, self.actions_kept),
            (self.rewards, c.rewards),
            (self.terminated, c.terminated),
            (self.ended, c.ended),
        )
        for mine, theirs in pairs:
            mine.index_copy_(0, index, theirs[:rows])
        self.counts.index_copy_(0, index, (valid - self._index[:rows] * n).clamp(0, n))
        self.newest.copy_(index[-1:])
        self.filled.add_(rows).clamp_(max=self.rows)

    def sample(self) -> Batch:
        """Draw a batch for each agent."""
        self._sample()
        self.drawn += 2 * self.sampled.first.shape[1]
        return self.take()

    def take(self) -> Batch:
        """Return the transitions that are in `sampled`."""
        first: Any = self.sampled.first
        last: Any = self.sampled.last

        def at(table: Tensor, slots: Tensor) -> Tensor:
            return table.flatten(0, 1)[slots]

        rewards: Any = self.sampled.rewards
        discounts: Any = self.sampled.discounts
        return Batch(at(self.observations, first), at(self.actions, first), rewards, at(self.successors, last), discounts, first)

    def state(self) -> dict[str, Callable[[int], Tensor]]:
        """Return views of what agent s goes on from; see `Program._state`."""
        n = self.copies.n

        def mine(table: Tensor) -> Callable[[int], Tensor]:
            return lambda s: table[:, s * n : (s + 1) * n]

        names = ("observations", "successors", "actions", "rewards", "terminated", "ended")
        tables = {f"replay.{name}": mine(getattr(self, name)) for name in names}
        shared = {f"replay.{name}": (lambda s, name=name: getattr(self, name)) for name in ("newest", "filled", "counts")}
        return tables | shared | {"sampled": lambda s: self.drawn[s : s + 1]}
