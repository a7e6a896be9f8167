"""`Experience`: rollouts of S actor-critics, and what the policy that gathered them makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor

from rlcourse.agents.deep.networks import ActorCritic
from rlcourse.agents.deep.ppo import Samples
from rlcourse.agents.deep.programs.launch import Launch
from rlcourse.agents.deep.programs.on_policy import OnPolicyProgram
from rlcourse.agents.deep.programs.program import Plan
from rlcourse.agents.deep.programs.stack import Stack
from rlcourse.core.kernels import ADVANTAGES

__all__ = ["Experience"]


class Experience:
    """What the copies of a program have done in a rollout, and generalised advantage estimates of it.

    Parameters
    ----------
    program : OnPolicyProgram
    policy : Stack
        Of `ActorCritic` networks.
    weighed : bool
        Whether log-probabilities of the taken actions are kept, for ratios to those of later policies.

    Attributes
    ----------
    actions : Tensor, shape [T, S * N] or [T, S * N, A]
    values, following, log_probs, advantages : Tensor, shape [T, S * N]
        Values of observations and of their true successors, log-probabilities of the actions, and advantages.
    """

    def __init__(self, program: OnPolicyProgram, policy: Stack, weighed: bool) -> None:
        self.program, self.policy = program, policy
        table = program.table
        self.values, self.following, self.log_probs, self.advantages = table(), table(), table(), table()
        self.actions = table(torch.int64) if program.discrete else table(torch.float32, program._numbers())
        self._act = partial(_act, weighed=weighed)
        self._gamma, self._lam = (program.constant(name, dtype=torch.float64) for name in ("gamma", "gae_lambda"))
        self._estimates: dict[int, Launch] = {}

    @torch.no_grad()
    def gather(self, rows: int) -> None:
        """Follow the policy for some steps in every copy."""
        program, noise = self.program, self.program.noise()
        for t in range(rows):
            self._step(t, *self.policy(self._act, program.seen(program.copies.observations[t]), noise[t]))

    def _step(self, t: int, actions: Tensor, values: Tensor, *log_prob: Tensor) -> None:
        """Keep what the policy makes of step t, tensors [S, N, ...], and take it."""
        self.actions[t].copy_(actions.reshape(self.actions[t].shape))
        self.values[t].copy_(values.reshape(-1))
        for each in log_prob:
            self.log_probs[t].copy_(each.reshape(-1))
        self.program.taken(actions)
        self.program.copies.step(t)

    @torch.no_grad()
    def estimate(self, plan: Plan) -> None:
        """Value the true successors, and estimate advantages."""
        program, rows = self.program, plan.rows
        self._follow(rows)
        program.reckon(plan)
        if rows not in self._estimates:
            parts = (program.rewards, self.values, self.following, program.copies.terminated, program.over)
            arguments = (program.N, *(part[:rows] for part in parts), self._gamma, self._lam, self.advantages[:rows])
            self._estimates[rows] = Launch(ADVANTAGES, program.S * program.N, arguments, program.device)
        self._estimates[rows]()

    def _follow(self, rows: int) -> None:
        """Value the true successor of every step."""
        program = self.program
        program.value(rows, lambda seen: self.policy(_value, program.moments.observations(seen)), self.following)

    def minibatches(self, plan: Plan) -> Iterator[Callable[[], tuple[Any, ...]]]:
        """Yield what makes the minibatches of all epochs, each when it is called."""
        c = self.program.config
        for places in self.program.batches(plan.valid, c.batch_size, c.n_epochs):
            yield partial(self.samples, places)

    def turn(self, rows: int) -> None:
        """Begin anew after a rollout of so many rows."""
        self.program.copies.turn(rows)

    def samples(self, places: Tensor) -> Samples:
        """Return the samples at places [S, B] of the rollout (`OnPolicyProgram.batches`), with what the policy made of them."""

        def at(table: Tensor) -> Tensor:
            return table.flatten(0, 1)[places]

        seen = self.program.moments.observations(at(self.program.copies.observations))
        advantage, value = at(self.advantages), at(self.values)
        return Samples(seen, at(self.actions), at(self.log_probs), value, advantage, advantage + value)


def _act(policy: ActorCritic, observations: Tensor, noise: Tensor, weighed: bool) -> tuple[Tensor, ...]:
    """Return actions and values at observations [N, ...] of one agent, and log-probabilities where they are wanted."""
    parameters, values = policy(observations)
    actions = policy.choose(parameters, noise)
    return (actions, values, policy.log_prob(parameters, actions)[0]) if weighed else (actions, values)


def _value(policy: ActorCritic, observations: Tensor) -> Tensor:
    values: Tensor = policy(observations)[1]
    return values
