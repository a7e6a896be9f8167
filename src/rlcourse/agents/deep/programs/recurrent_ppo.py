"""Recurrent PPO as a program: see `rlcourse.agents.deep.recurrent_ppo` for the algorithm; loss and networks are the agent's own.

Where a sequence begins, which steps count and which sequences there are depends on the length of a rollout alone, so that a plan settles
it; only which sequences make a minibatch is drawn. Memories run in plain operations (`Recurrent.unrolled`), where the agent alone takes
torch's fused kernels: the results agree up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from rlcourse.agents.deep.losses import normalized
from rlcourse.agents.deep.memories import RecurrentActorCritic
from rlcourse.agents.deep.ppo import Samples
from rlcourse.agents.deep.programs.experience import Experience
from rlcourse.agents.deep.programs.on_policy import OnPolicyProgram
from rlcourse.agents.deep.programs.ppo import PPOProgram, judged
from rlcourse.agents.deep.programs.program import Plan
from rlcourse.agents.deep.programs.stack import Stack
from rlcourse.agents.deep.sequences import Start, first_counted, first_memory, tile

__all__ = ["RecurrentPPOProgram"]

_CHUNK = 2**27  # numbers of memories and observations that are valued at a time


class Cut(NamedTuple):
    """How a rollout is cut into H sequences, those in which no step counts left out.

    Attributes
    ----------
    at : Tensor of int64, shape [W + L, H]
        The row of each step among those of past and rollout; W of them warm the memory up.
    rows : Tensor of int64, shape [L, H]
        The row of each step in the rollout; of a step that does not count, one that exists.
    columns : Tensor of int64, shape [H]
        The copy of an agent.
    counted : Tensor of bool, shape [L, H], or None
        None: every step counts.
    """

    at: Tensor
    rows: Tensor
    columns: Tensor
    counted: Tensor | None


class Lived(Experience):
    """What the copies have done and remembered in a rollout, and the sequences that are made of it.

    Parameters
    ----------
    program : RecurrentPPOProgram
    policy : Stack
        Of `RecurrentActorCritic` networks.

    Attributes
    ----------
    states : Tensor, shape [P + T + 1, S, arrays, layers, N, width]
        The memories before each row of the past, before each step of the rollout, and after it.
    starts : Tensor of bool, shape [P + T + 1, S * N]
        Whether an episode begins there. Before the first step all begin, so that rows which never were have no influence.
    past : Tensor, shape [P, S * N, ...]
        The observations before the rollout on which its first sequences look back.
    """

    def __init__(self, program: OnPolicyProgram, policy: Stack) -> None:
        super().__init__(program, policy, weighed=True)
        c, self.S, self.N, self.device = program.config, program.S, program.N, program.device
        arrays, layers, width = program.agents[0].policy.memory.shape
        self.P = c.burn_in + first_counted(c.sequence_length or c.n_steps, c.half_masked)
        rows, observations = self.P + c.n_steps + 1, program.copies.observations
        self.states = torch.zeros(rows, self.S, arrays, layers, self.N, width, device=self.device)
        self.starts = torch.ones(rows, self.S * self.N, dtype=torch.bool, device=self.device)
        self.past = torch.zeros(self.P, *observations.shape[1:], dtype=observations.dtype, device=self.device)
        self.entrance: dict[str, Any] = {"burn_in": c.burn_in, "start": c.start}
        self._agent = torch.arange(self.S, device=self.device)[:, None]
        self._cuts: dict[Plan, Cut] = {}

    @torch.no_grad()
    def gather(self, rows: int) -> None:
        """Follow the policy and its memory for some steps in every copy."""
        copies, noise = self.program.copies, self.program.noise()
        for t in range(rows):
            r, seen = self.P + t, self.program.seen(copies.observations[t])
            after, *done = self.policy(_act, seen, self.states[r], self.starts[r].view(self.S, self.N), noise[t])
            self.states[r + 1].copy_(after)
            self._step(t, *done)
            self.starts[r + 1].copy_(copies.ended[t])

    def _follow(self, rows: int) -> None:
        """Value the true successor of every step, in the memory that there is after it."""
        after, successors, program = self.states[self.P + 1 :], self.program.copies.successors, self.program
        at_once = max(1, _CHUNK // (after[0].numel() + successors[0].numel()))
        for t in range(0, rows, at_once):
            some = slice(t, min(t + at_once, rows))
            seen = program.moments.observations(program._by_agent(successors[some]))
            memories = after[some].permute(1, 2, 3, 0, 4, 5).flatten(3, 4)  # [S, arrays, layers, t * N, width]
            self.following[some].copy_(self.policy(_value, seen, memories).unflatten(1, (-1, self.N)).transpose(0, 1).flatten(1))

    @torch.no_grad()
    def turn(self, rows: int) -> None:
        """Begin anew after a rollout, and keep what the next one's sequences look back on."""
        if self.P:
            self.past.copy_(self._observed(rows)[rows:])
        for part in (self.states, self.starts):
            part[: self.P + 1].copy_(part[rows : rows + self.P + 1].clone())
        super().turn(rows)

    def _observed(self, rows: int) -> Tensor:
        """Return the observations of past and rollout, shape [P + rows, S * N, ...]."""
        observations = self.program.copies.observations[:rows]
        return torch.cat([self.past, observations]) if self.P else observations

    # Sequences --------------------------------------------------------------------------------------------------------

    def _cut(self, plan: Plan) -> Cut:
        """Return how the rollouts of a plan are cut; numbers of the host, so that they are made once."""
        if plan not in self._cuts:
            c, T, N = self.program.config, plan.rows, self.N
            tiles = tile(T, c.sequence_length or T, c.burn_in, c.half_masked)
            rows = tiles.rows[c.burn_in :].clip(0, T - 1)
            stored = (rows[:, :, None] * N + np.arange(N) < plan.valid) & tiles.counted[:, :, None]  # [L, n, N]
            held = np.flatnonzero(stored.any(0))
            window, columns = held // N, held % N
            at, counted = tiles.rows[:, window].clip(-self.P, T - 1) + self.P, stored.reshape(len(rows), -1)[:, held]
            placed = [torch.as_tensor(part, device=self.device) for part in (at, rows[:, window], columns, counted)]
            self._cuts[plan] = Cut(placed[0], placed[1], placed[2], None if counted.all() else placed[3])
        return self._cuts[plan]

    def minibatches(self, plan: Plan) -> Iterator[Callable[[], tuple[Any, ...]]]:
        """Yield what makes the minibatches of all epochs, each when it is called: some of the H sequences."""
        c, cut = self.program.config, self._cut(plan)
        length, H = c.sequence_length or c.n_steps, len(cut.columns)
        size = max(1, c.batch_size // (length - first_counted(length, c.half_masked)))
        every = torch.arange(H, device=self.device).expand(self.S, -1)
        observations = self._observed(plan.rows)
        old = self._entered(cut, every, observations)
        for _ in range(c.n_epochs):
            order = every if size >= H else self.program.shuffles(H).clone()
            for some in order.split(size, dim=1):
                yield partial(self._sequences, cut, some, observations, old)

    @torch.no_grad()
    def _entered(self, cut: Cut, every: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Return the old log-probabilities and values of all sequences, [S, L, H]: those of acting, or of windows as they are entered."""
        acted = self._at(self.log_probs, cut.rows, cut, every), self._at(self.values, cut.rows, cut, every)
        if self.program.config.whole:
            return acted
        actions = self._at(self.actions, cut.rows, cut, every)
        old, values = self.policy(partial(_judge, **self.entrance), *self._enter(cut, every, seen), actions)
        return old.view_as(acted[0]), values.view_as(acted[1])

    def _sequences(self, cut: Cut, some: Tensor, observations: Tensor, old: tuple[Tensor, Tensor]) -> tuple[Any, ...]:
        """Return the sequences [S, B], and what the old policy made of them: tensors [S, L, B, ...]."""
        actions, advantage, values = (self._at(table, cut.rows, cut, some) for table in (self.actions, self.advantages, self.values))
        mine = some[:, None].expand(-1, len(cut.rows), -1)
        old_log_prob, old_value = (table.gather(2, mine) for table in old)
        counted = None if cut.counted is None else cut.counted[:, some].transpose(0, 1)
        return *self._enter(cut, some, observations), actions, old_log_prob, old_value, advantage, advantage + values, counted

    def _enter(self, cut: Cut, some: Tensor, observations: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return observations and starts of some sequences, burn-in first, and the memory before them [S, arrays, layers, B, width]."""
        seen, starts = self._at(observations, cut.at, cut, some), self._at(self.starts, cut.at, cut, some)
        seen = self.program.moments.observations(seen.flatten(1, 2)).unflatten(1, seen.shape[1:3])
        begin = self.states[cut.at[0][some], self._agent, :, :, cut.columns[some]]
        return seen, starts, begin.permute(0, 2, 3, 1, 4)

    def _at(self, table: Tensor, rows: Tensor, cut: Cut, some: Tensor) -> Tensor:
        """Return what a table [R, S * N, ...] holds of some sequences at their rows [L, H]: [S, L, B, ...]."""
        places = rows[:, some] * (self.S * self.N) + (cut.columns[some] + self._agent * self.N)  # [L, S, B]
        return table.flatten(0, 1)[places.transpose(0, 1)]

    def state(self) -> dict[str, Callable[[int], Tensor]]:
        """Return views of what agent s goes on from; see `Program._state`."""
        kept = self.P + 1

        def mine(table: Tensor) -> Callable[[int], Tensor]:
            return lambda s: table[:kept, s * self.N : (s + 1) * self.N]

        return {"memories": lambda s: self.states[:kept, s], "starts": mine(self.starts), "past": mine(self.past)}


class RecurrentPPOProgram(PPOProgram):
    """Rollouts by the old policy and its memory, then n_epochs of minibatches of whole sequences, of S agents."""

    def _make_networks(self) -> None:
        super()._make_networks()
        self.experience: Lived = Lived(self, self.policy)
        self._loss = partial(_loss, normalize=self.config.normalize_advantage, **self.experience.entrance)

    def _state(self) -> dict[str, Any]:
        return super()._state() | self.experience.state()


def _act(policy: RecurrentActorCritic, observations: Tensor, state: Tensor, starts: Tensor, noise: Tensor) -> tuple[Tensor, ...]:
    """Return memories, actions, values and log-probabilities at observations [N, ...] of one agent."""
    features, after = policy.memory.step(observations, state.unbind(0), starts)
    parameters, values = policy.heads(features)
    actions = policy.heads.choose(parameters, noise)
    return torch.stack(after), actions, values, policy.heads.log_prob(parameters, actions)[0]


def _value(policy: RecurrentActorCritic, observations: Tensor, state: Tensor) -> Tensor:
    values: Tensor = policy.heads(policy.memory.step(observations, state.unbind(0))[0])[1]
    return values


def _run(policy: RecurrentActorCritic, seen: Tensor, starts: Tensor, begin: Tensor, burn_in: int, start: Start) -> tuple[Tensor, Tensor]:
    """Return the distribution's parameters, [L * B, A], and the values, [L * B], of one agent's sequences."""
    state = first_memory(policy.memory, start, begin.unbind(0), (seen[:burn_in], starts[:burn_in]))
    parameters, values = policy(seen[burn_in:], state, starts[burn_in:])
    return parameters, values


def _judge(
    policy: RecurrentActorCritic, seen: Tensor, starts: Tensor, begin: Tensor, actions: Tensor, burn_in: int, start: Start
) -> tuple[Tensor, Tensor]:
    """Return log-probabilities of actions and values, [L * B] both."""
    parameters, values = _run(policy, seen, starts, begin, burn_in, start)
    return policy.heads.log_prob(parameters, actions.flatten(0, 1))[0], values


def _loss(
    policy: RecurrentActorCritic,
    seen: Tensor,
    starts: Tensor,
    begin: Tensor,
    actions: Tensor,
    log_prob: Tensor,
    value: Tensor,
    advantage: Tensor,
    target: Tensor,
    counted: Tensor | None,
    *settings: Any,
    burn_in: int,
    start: Start,
    normalize: bool,
    measured: bool,
) -> tuple[Tensor, ...]:
    """Return one agent's loss on sequences, and its metrics where they are measured."""
    parameters, v = _run(policy, seen, starts, begin, burn_in, start)
    counted = None if counted is None else counted.flatten()
    actions, log_prob, value, advantage, target = (part.flatten(0, 1) for part in (actions, log_prob, value, advantage, target))
    batch = Samples(parameters, actions, log_prob, value, normalized(advantage, counted) if normalize else advantage, target)
    return judged(policy.heads, parameters, v, batch, *settings, counted=counted, measured=measured)
