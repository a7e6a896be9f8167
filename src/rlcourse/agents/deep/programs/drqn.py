"""DRQN as a program: see `rlcourse.agents.deep.drqn` for the algorithm; network and losses are the agent's own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from rlcourse.agents.deep.drqn import RecurrentQNetwork, errors_of
from rlcourse.agents.deep.losses import mean_of
from rlcourse.agents.deep.programs.off_policy import ReplayProgram
from rlcourse.agents.deep.programs.pace import Pace
from rlcourse.agents.deep.programs.program import Plan
from rlcourse.agents.deep.programs.sequence_ring import SequenceRing
from rlcourse.agents.deep.programs.stack import Stack, StackedAdam, StackedTarget
from rlcourse.agents.deep.sequences import Start, first_counted, first_memory

__all__ = ["DRQNProgram"]


class DRQNProgram(ReplayProgram):
    """Act and store, memories included; replay windows; now and then move the target networks; of S agents.

    Attributes
    ----------
    memory : Tensor, shape [S, arrays, layers, N, width]
        Of the copies, after what they have seen.
    begun : Tensor of bool, shape [S * N]
        Whether an episode begins with the next step of a round.
    """

    swept: ClassVar[frozenset[str]] = frozenset(
        {"learning_rate", "gamma", "exploration_initial_eps", "exploration_final_eps", "exploration_steps", "max_grad_norm", "tau"}
    )

    def _make_networks(self) -> None:
        agents, c, M = self.agents, self.config, self.S * self.N
        self.network = Stack([agent.network for agent in agents], [agent.optimizer for agent in agents])
        self.optimizer = StackedAdam(self.network, self.constant("max_grad_norm", float("inf")))
        self.target = StackedTarget(self.network, [agent._target for agent in agents])
        self.tau, self.epsilon = self.constant("tau"), Pace([agent.epsilon for agent in agents], self.device)
        self._later = torch.arange(c.train_freq, device=self.device)[:, None] * self.N  # steps of an agent before each row of a round
        arrays, layers, width = agents[0].network.memory.shape
        self.memory = torch.zeros(self.S, arrays, layers, self.N, width, device=self.device)
        self.begun = torch.ones(M, dtype=torch.bool, device=self.device)
        self._states = torch.zeros(c.train_freq, M, arrays, layers, width, device=self.device)
        given = (self.copies, self.seeds, c.buffer_size, c.batch_size, self.gamma, c.n_steps, self.actions)
        self.ring: SequenceRing = SequenceRing(*given, c.burn_in, c.sequence_length, self._states)
        self._valued = partial(_valued, start=c.start)
        self._filled = -1  # rows of the replay memory, on the host; not known before the first plan

    def _bytes(self) -> int:
        return super()._bytes() + 4 * math.prod(self.agents[0].network.memory.shape)

    def _learned(self) -> list[Any]:
        return [self.network, self.optimizer, self.target]

    @classmethod
    def unfit(cls, agents: Sequence[Any]) -> str:
        """Return in one sentence why these agents cannot learn as a program, or nothing."""
        if reason := super().unfit(agents):
            return reason
        if agents[0].config.normalize_observations:
            return "DRQN on the device does not normalise observations; set normalize_observations to false, or take device='cpu'"
        return ""

    def plan(self, budget: int) -> Plan:
        """Return the next round; its kind says also whether the target networks move after it. Without a whole window none learns."""
        if self._filled < 0:
            self._filled = int(self.ring.filled)
        c, plan = self.config, super().plan(budget)
        kind: Any = plan.kind
        random, updates, *rest = kind
        rows = min(self._filled + plan.rows, self.ring.rows)
        moves = (self.timesteps + plan.valid) // c.target_update_interval > self.timesteps // c.target_update_interval
        return plan._replace(kind=(random, updates if rows >= c.burn_in + c.sequence_length else 0, *rest, moves))

    def done(self, plan: Plan) -> None:
        """Count steps, gradient steps and rows of a round."""
        super().done(plan)
        self._filled = min(self._filled + plan.rows, self.ring.rows)

    def round(self, plan: Plan) -> None:
        """Act, store, replay, and move the target networks."""
        kind: Any = plan.kind
        random, updates, *_, moves = kind
        with torch.no_grad():
            self.draws()
            self.epsilons = torch.where(self._later < random * self.N, 1.0, self.epsilon.at(self.step + self._later))
            for t in range(plan.rows):
                acted = self._explore(t, self.seen(self.copies.observations[t].unflatten(0, (self.S, self.N))))
                self.actions[t].copy_(acted.flatten())
                self._take(self.actions[t])
                self.copies.step(t)
            self.begun.copy_(self.copies.ended[plan.rows - 1])
            self.ring.keep(plan.rows, plan.valid)
        for _ in range(updates):
            self._update(self.ring.windows(), self.step + plan.valid)
        if moves:
            self.target.follow(self.tau)
        self.copies.turn(plan.rows)

    def _explore(self, t: int, seen: Tensor) -> Tensor:
        begun = (self.copies.ended[t - 1] if t else self.begun).view(self.S, 1, 1, self.N, 1)
        before = self.memory.masked_fill(begun, 0.0)
        self._states[t].copy_(before.permute(0, 3, 1, 2, 4).flatten(0, 1))
        values, after = self.network(_step, seen, before)
        self.memory.copy_(after)
        wish, which = self.draws.out[t].view(self.S, self.N, 2).unbind(2)
        return torch.where(wish < self.epsilons[t][:, None], (which * self.agents[0].n_actions).long(), values.argmax(2))

    def _update(self, windows: Any, step: Tensor, special: bool = False) -> None:
        c, w = self.config, windows.window  # of tensors
        inputs = [self.seen(windows.warm), w.warm_starts, self.seen(windows.observations), w.starts]
        inputs = [part.transpose(0, 1) for part in inputs]
        values = self.network(self._valued, *inputs, windows.states)
        with torch.no_grad():
            following = self.target(self._valued, *inputs, windows.states)
        rows = [values.transpose(0, 1), following.transpose(0, 1), w.at, windows.actions, w.rewards, w.discounts, w.after]
        values, following, at, actions, rewards, discounts, after = (part.flatten(1, 2) for part in rows)
        errors, taken = errors_of(values, following, at, actions, rewards, discounts, after, None, c.double, c.loss)
        late = first_counted(c.sequence_length, c.half_masked)
        each, counted = errors[late:].unflatten(1, (self.S, -1)), w.counted[late:]
        losses = torch.stack([mean_of(each[:, s], counted[:, s]) for s in range(self.S)])
        learning_rate = self.learning_rate.at(step)
        self.optimizer.step(losses, learning_rate)
        self.note("loss", losses)
        self.note("q", taken.unflatten(1, (self.S, -1)).mean((0, 2)))
        self.note("epsilon", self.epsilon.at(step))
        self.note("learning_rate", learning_rate)

    def _state(self) -> dict[str, Any]:
        return super()._state() | {
            "memory": lambda s: self.memory[s],
            "begun": lambda s: self.begun[s * self.N : (s + 1) * self.N],
        }


def _step(network: RecurrentQNetwork, observations: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """Return values at observations [N, ...] of one agent, and the memories after them."""
    features, after = network.memory.step(observations, state.unbind(0))
    return network.heads.plain(features), torch.stack(after)


def _valued(
    network: RecurrentQNetwork, warm: Tensor, warm_starts: Tensor, seen: Tensor, starts: Tensor, state: Tensor, start: Start
) -> Tensor:
    """Return the values of the rows of one agent's windows, [K, B, A]."""
    features, _ = network.memory(seen, first_memory(network.memory, start, state.unbind(0), (warm, warm_starts)), starts)
    return network.heads.plain(features.flatten(0, 1)).view(*features.shape[:2], -1)
