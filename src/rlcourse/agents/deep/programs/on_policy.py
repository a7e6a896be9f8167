"""`OnPolicyProgram`: rollouts of S agents, the numbers they draw, and minibatches of what they saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from rlcourse.agents.deep.programs.copies import Copies
from rlcourse.agents.deep.programs.draws import Draws, Shuffles
from rlcourse.agents.deep.programs.moments import Moments
from rlcourse.agents.deep.programs.program import Plan, Program

__all__ = ["OnPolicyProgram"]

_CHUNK = 2**27  # numbers of observations that are valued at a time


class OnPolicyProgram(Program):
    """Base of the programs that learn from rollouts.

    Attributes
    ----------
    draws : Draws
        Numbers that make actions, [T, S * N, A]: uniform ones for Discrete actions, normal ones for a Box.
    rewards, over : Tensor, shape [T, S * N]
        Of the last rollout: rewards as they are learned from, and where episodes end (`ended`).
    moments : Moments
        Of observations and of returns, where the settings ask for them.
    """

    def _make(self) -> None:
        env, rows = self.venv, self._rows()
        self.discrete = isinstance(env.single_action_space, gym.spaces.Discrete)
        self.copies = Copies(env.world, env.max_episode_steps, self.seeds, self.N, rows, self.device)
        self.draws = Draws(self.seeds, self.N, rows, self._numbers(), not self.discrete, self.device)
        self.shuffles = Shuffles(self.seeds, self.device)
        self.moments = Moments(self)
        self.rewards, self.over = self.table(), self.table(torch.bool)
        if not self.discrete:
            space: Any = env.single_action_space
            self.low, self.high = (torch.as_tensor(each, dtype=torch.float64, device=self.device) for each in (space.low, space.high))
        self._make_networks()

    def _rows(self) -> int:
        """Return the steps T of each copy in a rollout."""
        return int(self.config.n_steps)

    def _numbers(self) -> int:
        """Return how many numbers a step of one copy draws."""
        space: Any = self.venv.single_action_space
        return int(space.n) if self.discrete else int(np.prod(space.shape or (1,)))

    def table(self, dtype: torch.dtype = torch.float32, *shape: int) -> Tensor:
        """Return a zero for every step of a rollout, shape [T, S * N, ...]."""
        return torch.zeros(self._rows(), self.S * self.N, *shape, dtype=dtype, device=self.device)

    def _make_networks(self) -> None:
        """Make stacks, optimisers, and buffers for what a rollout keeps."""
        raise NotImplementedError

    def plan(self, budget: int) -> Plan:
        """Return a rollout of all rows, or a shorter last one."""
        rows = min(self._rows(), -(-budget // self.N))
        return Plan(rows, min(rows * self.N, budget))

    def seen(self, observations: Tensor) -> Tensor:
        """Return observations of all agents, shape [S * n, ...], as their networks take them, [S, n, ...]."""
        return self.moments.observations(observations.view(self.S, -1, *observations.shape[1:]))

    def taken(self, actions: Tensor) -> None:
        """Let the next step take these actions, shape [S, N] or [S, N, A]."""
        flat = actions.reshape(self.copies.actions.shape)
        if not self.discrete:
            flat = torch.clamp(flat.double(), self.low, self.high)
            whole = self.venv.single_action_space.dtype.kind != "f"  # type: ignore[union-attr]
            flat = flat.round() if whole else flat
        self.copies.actions.copy_(flat)

    def noise(self) -> Tensor:
        """Return what makes the actions of a rollout, shape [T, S, N, A]: Gumbel's noise for a softmax policy, normal for a Gaussian."""
        noise = self.draws()
        noise = noise.log().neg_().log_().neg_() if self.discrete else noise
        return noise.unflatten(1, (self.S, self.N))

    def batches(self, valid: int, size: int, epochs: int) -> Iterator[Tensor]:
        """Yield the minibatches of all epochs, as positions in the flattened rows of a rollout [T * S * N]: int64 [S, B]."""
        offset = torch.arange(self.S, device=self.device)[:, None] * self.N
        whole = size >= valid
        for _ in range(epochs):
            order = torch.arange(valid, device=self.device).expand(self.S, -1) if whole else self.shuffles(valid)
            places = order // self.N * (self.S * self.N) + offset + order % self.N
            yield from places.split(size, dim=1)

    def ended(self, rows: int, valid: int) -> Tensor:
        """Return where a rollout's episodes end, bool [rows, S * N]; where the following step is not stored, also that of the step."""
        ended = self.copies.ended[:rows]
        if valid < rows * self.N and rows > 1:
            ended = ended.clone()
            ended[rows - 2].view(self.S, self.N)[:, valid - (rows - 1) * self.N :] = True
        return ended

    def reckon(self, plan: Plan) -> None:
        """Write `rewards` and `over` of a rollout; the moments of returns learn from it."""
        self.over[: plan.rows].copy_(self.ended(plan.rows, plan.valid))
        self.rewards[: plan.rows].copy_(self.moments.rewards(self.copies.rewards[: plan.rows], self.over[: plan.rows]))

    def value(self, rows: int, value: Callable[[Tensor], Tensor], out: Tensor) -> None:
        """Write the value of the true successor of every step of a rollout into `out`, shape [T, S * N].

        Parameters
        ----------
        rows : int
        value : callable
            Of observations [S, B, ...], as the copies show them; returns [S, B].
        out : Tensor
        """
        successors = self.copies.successors
        at_once = max(1, _CHUNK // successors[0].numel())
        for t in range(0, rows, at_once):
            some = self._by_agent(successors[t : min(t + at_once, rows)])  # [S, t * N, ...]
            out[t : t + at_once][: rows - t].copy_(value(some).unflatten(1, (-1, self.N)).transpose(0, 1).flatten(1))

    def see(self, rows: int) -> None:
        """Let the moments of observations learn from a rollout, after its last use."""
        self.moments.learn(self._by_agent(self.copies.observations[:rows]))

    def _by_agent(self, table: Tensor) -> Tensor:
        """Return a table [T, S * N, ...] as [S, T * N, ...]."""
        return table.unflatten(1, (self.S, self.N)).transpose(0, 1).flatten(1, 2)

    def _learned(self) -> list[Any]:
        return [self.moments]

    def _state(self) -> dict[str, Any]:
        return {"drawn": lambda s: self.draws.drawn[s : s + 1], "shuffled": lambda s: self.shuffles.drawn[s : s + 1]}
