"""`Copies`: S * N copies of a world as tensors on a device, each with a stream of its own, and what T steps of them write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from rlcourse.agents.deep.programs.launch import Launch, placed
from rlcourse.core.counter import Counter, stream_keys
from rlcourse.core.kernels import RESET, STEP, Outcome, Place

__all__ = ["Copies"]

WORLD = 1  # purpose of a stream, see `stream_keys`


class Copies:
    """Copies of a world that begin their next episode in the step that ended one.

    Parameters
    ----------
    world : World
        Data all the way down.
    limit : int or None
        Time limit of an episode.
    seeds : list of int
        One for each agent.
    n : int
        Copies of each agent; those of agent s are rows s * n to (s + 1) * n.
    rows : int
        Steps T that are kept.
    device : torch.device

    Attributes
    ----------
    observations : Tensor, shape [T + 1, M, ...]
        Row t is what the copies see before step t.
    successors : Tensor, shape [T, M, ...]
        True successors, also where an episode has ended.
    rewards, terminated, ended : Tensor, shape [T, M]
    lengths, scores : Tensor, shape [T, M]
        Steps and return of the episode up to each step.
    actions : Tensor of int64 [M], or of float64 [M, ...]
        What the next step takes.
    """

    def __init__(self, world: Any, limit: int | None, seeds: list[int], n: int, rows: int, device: torch.device) -> None:
        space, M = world.observation_space, len(seeds) * n
        like = world.reset(np.random.default_rng(0))
        shape = np.shape(like)
        seen = torch.as_tensor(np.zeros((), space.dtype)).dtype

        def zeros(*size: int, dtype: torch.dtype) -> Tensor:
            return torch.zeros(size, dtype=dtype, device=device)

        self.observations = zeros(rows + 1, M, *space.shape, dtype=seen)
        self.successors = zeros(rows, M, *space.shape, dtype=seen)
        self.rewards = zeros(rows, M, dtype=torch.float32)
        self.terminated, self.ended = zeros(rows, M, dtype=torch.bool), zeros(rows, M, dtype=torch.bool)
        self.lengths, self.scores = zeros(rows, M, dtype=torch.int64), zeros(rows, M, dtype=torch.float64)
        discrete = isinstance(world.action_space, gym.spaces.Discrete)
        acted: tuple[int, ...] = () if discrete else world.action_space.shape
        self.actions = zeros(M, *acted, dtype=torch.int64 if discrete else torch.float64)
        states = zeros(M, *shape, dtype=torch.float64 if shape else torch.int64)
        self.place = Place(states, zeros(M, dtype=torch.int64), zeros(M, dtype=torch.float64))  # type: ignore[arg-type]
        self.keys = torch.as_tensor(np.concatenate([stream_keys(seed, WORLD, n) for seed in seeds]), device=device)
        self.counts = zeros(M, dtype=torch.int64)
        data, rng = placed(world, device), Counter(self.keys, self.counts, 0)  # type: ignore[arg-type]
        self._world = data, like, rng
        self._reset = Launch(RESET, M, (*self._world, self.place, self.observations[0]), device)
        bound = limit or 2**62
        self._steps = [Launch(STEP, M, (data, like, rng, self.place, self.actions, bound, self._outcome(t)), device) for t in range(rows)]
        self.n = n

    def _outcome(self, t: int) -> Outcome:
        written = (self.rewards, self.terminated, self.ended, self.lengths, self.scores)
        rows: list[Any] = [self.observations[t + 1], self.successors[t], *(part[t] for part in written)]
        return Outcome(*rows)

    def reset(self) -> None:
        """Begin an episode in every copy; row 0 is what they see."""
        self._reset()

    def restarts(self) -> Callable[[Tensor], None]:
        """Return a function that begins new episodes in some copies, bool [M]; row 0 is what all see then."""
        place: Any = self.place
        parts, fresh = (*place, self.observations[0]), [torch.zeros_like(part) for part in (*place, self.observations[0])]
        beside: Any = Place(*fresh[:-1])  # type: ignore[arg-type]
        begin = Launch(RESET, len(self.counts), (*self._world, beside, fresh[-1]), self.counts.device)

        def restart(some: Tensor) -> None:
            begin()  # in all copies, beside where they are
            for mine, new in zip(parts, fresh, strict=True):
                mine.copy_(torch.where(some.view(-1, *[1] * (mine.dim() - 1)), new, mine))

        return restart

    def step(self, t: int) -> None:
        """Take `actions` in every copy, and write row t."""
        self._steps[t]()

    def turn(self, rows: int) -> None:
        """Make the observations after `rows` steps those before the next."""
        self.observations[0].copy_(self.observations[rows])

    def of(self, s: int) -> dict[str, Tensor]:
        """Return views of where agent s is, between two rounds: what `Copies` of the same agent go on from."""
        mine = slice(s * self.n, (s + 1) * self.n)
        place: Any = self.place
        where = {"states": place.states, "lengths": place.lengths, "scores": place.scores, "counts": self.counts}
        return {name: part[mine] for name, part in where.items()} | {"observations": self.observations[0][mine]}
