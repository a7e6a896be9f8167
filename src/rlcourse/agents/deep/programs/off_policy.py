"""`ReplayProgram`: what the programs of agents that replay share - acting, storing, and when they update."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from rlcourse.agents.deep.programs.copies import Copies
from rlcourse.agents.deep.programs.draws import Draws
from rlcourse.agents.deep.programs.program import Plan, Program
from rlcourse.agents.deep.programs.ring import Batch, Ring
from rlcourse.core.memory import require_memory

__all__ = ["ReplayProgram"]


class ReplayProgram(Program):
    """Base of the programs of agents with a replay memory; see `OffPolicyAgent` for when they act at random, and when they update.

    Attributes
    ----------
    ring : Ring
    actions : Tensor, shape [train_freq, S * N] of int64, or [train_freq, S * N, A] of float32 within [-1, 1]
        What the steps of a round store.
    updates : int
        Gradient steps so far: the same number for all agents, on the host.
    interval : int
        Of so many gradient steps one, the last, is a special one: in it moves what moves less often. Set by the subclass.
    """

    updates_at_start: ClassVar[bool] = False
    counted: ClassVar[str] = "optimizer"  # the agents' optimiser whose steps are counted
    interval = 1

    def _make(self) -> None:
        c, env, space = self.config, self.venv, self.venv.single_action_space
        self.discrete = isinstance(space, gym.spaces.Discrete)
        T, M = c.train_freq, self.S * self.N
        if self.device.type == "cpu":
            require_memory(f"replay memories of {c.buffer_size:,} transitions", c.buffer_size * self.S * self._bytes(), "buffer_size")
        self.copies = Copies(env.world, env.max_episode_steps, self.seeds, self.N, T, self.device)
        width = int(np.prod(space.shape or (1,)))
        shape = (T, M) if self.discrete else (T, M, width)
        self.actions = torch.zeros(shape, dtype=torch.int64 if self.discrete else torch.float32, device=self.device)
        self.gamma = self.constant("gamma", dtype=torch.float64)
        self.ring = self._make_ring()
        self.draws = Draws(self.seeds, self.N, T, self._numbers(), False, self.device)
        self.masks = None if env.action_masks is None else torch.as_tensor(env.action_masks, device=self.device)  # [states, A]
        self.learning_rate = self.pace("learning_rate")
        self.updates: int = getattr(self.agents[0], self.counted).steps
        if not self.discrete:
            bounds, space = self.agents[0].bounds, self.venv.single_action_space
            arrays = (bounds.middle, bounds.half, space.low, space.high)  # type: ignore[attr-defined]
            self._middle, self._half, self._low, self._high = (torch.as_tensor(each, device=self.device) for each in arrays)
        self._make_networks()

    def _bytes(self) -> int:
        """Return how many bytes a transition takes in the replay memory."""
        seen, action = self.venv.single_observation_space, self.venv.single_action_space
        acted = 8 if self.discrete else 4 * int(np.prod(action.shape or (1,)))
        return 2 * int(np.prod(seen.shape or (1,))) * np.dtype(seen.dtype).itemsize + acted + 6  # 6: a reward and two flags

    def _make_ring(self, kind: Callable[..., Ring] = Ring) -> Ring:
        """Make the replay memory."""
        c = self.config
        return kind(self.copies, self.seeds, c.buffer_size, c.batch_size, self.gamma, c.n_steps, self.actions)

    @abstractmethod
    def _make_networks(self) -> None:
        """Make stacks, optimisers, and further buffers."""

    def _numbers(self) -> int:
        """Return how many uniform numbers a step of one copy draws: a wish to explore, and an action; or the numbers of an action."""
        return 2 if self.discrete else int(np.prod(self.venv.single_action_space.shape or (1,)))

    @abstractmethod
    def _explore(self, t: int, seen: Tensor) -> Tensor:
        """Return what the agents store and take at step t of a round, where they see `seen` [S, N, ...]: [S, N], or [S, N, A]."""

    @abstractmethod
    def _update(self, batch: Batch, step: Tensor, special: bool) -> None:
        """Take one gradient step on a batch.

        Parameters
        ----------
        batch : Batch
            Its observations are as the networks take them.
        step : Tensor of int64, shape [1]
            The count of steps by which schedules go.
        special : bool
            Whether it is the last of `interval` ones.
        """

    def _take(self, actions: Tensor) -> None:
        """Let the next step take stored actions, [M], or [M, A] within [-1, 1]; see `Bounds.taken`."""
        if self.discrete:
            self.copies.actions.copy_(actions)
            return
        taken = torch.addcmul(self._middle, self._half, actions.view(self.copies.actions.shape))
        taken = torch.clamp(taken, self._low, self._high)
        whole = self.venv.single_action_space.dtype.kind != "f"  # type: ignore[union-attr]
        self.copies.actions.copy_(taken.round() if whole else taken)

    @classmethod
    def unfit(cls, agents: Sequence[Any]) -> str:
        """Return in one sentence why these agents cannot learn as a program, or nothing."""
        if reason := super().unfit(agents):
            return reason
        if len({getattr(agent, cls.counted).steps for agent in agents}) > 1:
            return "agents that learn together have taken the same number of gradient steps"
        return ""

    def plan(self, budget: int) -> Plan:
        """Return the next round: its kind says how many rows act at random, how many gradient steps follow, and which are special."""
        c = self.config
        rows = min(c.train_freq, -(-budget // self.N))
        valid = min(rows * self.N, budget)
        random = min(rows, max(0, -(-(c.learning_starts - self.timesteps) // self.N)))
        due = self.timesteps + valid + self.updates_at_start > c.learning_starts
        updates = 0 if not due else c.gradient_steps if c.gradient_steps > 0 else valid
        special = tuple(i for i in range(updates) if (self.updates + i + 1) % self.interval == 0)
        return Plan(rows, valid, (random, updates, special))

    def done(self, plan: Plan) -> None:
        """Count steps and gradient steps of a round."""
        super().done(plan)
        self.updates += plan.kind[1]  # type: ignore[index]

    def round(self, plan: Plan) -> None:
        """Act and store; then replay."""
        random, updates, special = plan.kind[:3]  # type: ignore[index]
        with torch.no_grad():
            if self.discrete or random:
                self.draws()
            for t in range(plan.rows):
                seen = self.seen(self.copies.observations[t].unflatten(0, (self.S, self.N)))
                acted = self._random(t, seen) if t < random else self._explore(t, seen)
                self.actions[t].copy_(acted.reshape(self.actions[t].shape))
                self._take(self.actions[t])
                self.copies.step(t)
            self.ring.keep(plan.rows, plan.valid)
        for i in range(updates):
            batch = self.ring.sample()
            batch = batch._replace(observations=self.seen(batch.observations), successors=self.seen(batch.successors))
            self._update(batch, self.step + plan.valid, i in special)
        self.copies.turn(plan.rows)

    def _random(self, t: int, seen: Tensor) -> Tensor:
        """Return uniform actions to store, [M] or [M, A], among those that exist."""
        u = self.draws.out[t]
        if not self.discrete:
            return 2.0 * u - 1.0
        masks = self.allowed(seen.flatten(0, 1))
        if masks is None:
            return (u[:, 1] * self.venv.single_action_space.n).long()  # type: ignore[attr-defined]
        rank = masks.cumsum(1)  # an action is the first one of its rank
        return (rank > (u[:, 1:] * rank[:, -1:]).long()).byte().argmax(1)

    def allowed(self, seen: Tensor) -> Tensor | None:
        """Return which actions exist at observations of a finite world, bool [..., A], where the environment says so."""
        return None if self.masks is None else self.masks[seen]

    def seen(self, observations: Tensor) -> Tensor:
        """Return observations as the networks take them."""
        return observations.float() if observations.dtype == torch.float64 else observations

    def _state(self) -> dict[str, Any]:
        return self.ring.state() | {"drawn": lambda s: self.draws.drawn[s : s + 1]}
