"""REINFORCE as a program: see `rlcourse.agents.deep.reinforce` for the algorithm; loss and networks are the agent's own.

A batch of whole episodes has no fixed length, a round has. So a round is a window of steps, and a batch lies in memory that has room for
its longest: after each window an agent whose episodes are over takes its gradient step, the others stay as they are, and those who took it
begin their next batch, with new episodes in all copies. As on the host the batch is the first K episodes that the copies begin, played by
one policy. The only difference: what is left of the window after a batch's last step is counted and not learned from, also with one copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from rlcourse.agents.deep.networks import ActorCritic
from rlcourse.agents.deep.programs.launch import Launch
from rlcourse.agents.deep.programs.on_policy import OnPolicyProgram
from rlcourse.agents.deep.programs.program import Plan
from rlcourse.agents.deep.programs.stack import Stack, StackedAdam
from rlcourse.agents.deep.reinforce import monte_carlo_loss
from rlcourse.core.kernels import LAMBDA_RETURNS
from rlcourse.core.memory import require_memory

__all__ = ["REINFORCEProgram"]

_WINDOW = 32  # steps of each copy in a round


class REINFORCEProgram(OnPolicyProgram):
    """Whole episodes by one policy, then one gradient step with them (Sutton & Barto, section 13.3), of S agents.

    Attributes
    ----------
    batch : dict of str to Tensor, shape [S, C, N, ...]
        Each agent's batch: observations, actions, rewards, terminated, ended, beyond (the value of what follows a cut), and `chosen`, the
        steps of its K episodes.
    filled : Tensor of int64, shape [S]
        Rows of each batch so far.
    running : Tensor of int64, shape [S, N]
        The episode that each copy is in, from 0 in the order of beginning.
    """

    swept: ClassVar[frozenset[str]] = frozenset({"learning_rate", "gamma", "ent_coef", "vf_coef", "max_grad_norm"})

    @classmethod
    def unfit(cls, agents: Sequence[Any]) -> str:
        """Return in one sentence why these agents cannot learn as a program, or nothing."""
        if reason := super().unfit(agents):
            return reason
        if agents[0].venv.unwrapped.max_episode_steps is None:
            return "REINFORCE on the device needs a time limit (gymnasium.wrappers.TimeLimit): memory has room for its longest batch"
        if agents[0].config.normalize_observations:
            return "REINFORCE on the device does not normalise observations; set normalize_observations=False, or device='cpu'"
        return ""

    def _rows(self) -> int:
        return _WINDOW

    def _make_networks(self) -> None:
        c, S, N, device = self.config, self.S, self.N, self.device
        self.policy = Stack([agent.policy for agent in self.agents], [agent.optimizer for agent in self.agents])
        self.optimizer = StackedAdam(self.policy, self.constant("max_grad_norm", float("inf")))
        self.learning_rate, self.vf_coef = self.pace("learning_rate"), self.constant("vf_coef")
        self.ent_coef = self.pace("ent_coef") if any(agent.config.ent_coef != 0.0 for agent in self.agents) else None
        self.wanted, limit = c.episodes_per_update, self.venv.max_episode_steps or 1
        C = limit * (1 + (self.wanted - 1) // N) + _WINDOW  # episode k begins a limit after episode k - N at most
        self.actions, self.beyond = self.table(torch.int64) if self.discrete else self.table(torch.float32, self._numbers()), self.table()
        self._window = {
            "observations": self.copies.observations[:-1],
            "actions": self.actions,
            "rewards": self.copies.rewards,
            "terminated": self.copies.terminated,
            "ended": self.copies.ended,
            "beyond": self.beyond,
        }
        if device.type == "cpu":  # of each step the batch, whether it is chosen, its return, and the columns that returns are made of
            each = sum(part[0].nbytes for part in self._window.values()) + 15 * S * N
            require_memory(f"batches of {C:,} steps in each copy", C * each, "episodes_per_update")
        self.batch = {name: torch.zeros(S, C, N, *part.shape[2:], dtype=part.dtype, device=device) for name, part in self._window.items()}
        self.batch["chosen"] = torch.zeros(S, C, N, dtype=torch.bool, device=device)
        self.filled = torch.zeros(S, dtype=torch.int64, device=device)
        self.running = torch.arange(N, device=device).repeat(S, 1)
        self.begins = torch.ones(S, dtype=torch.bool, device=device)  # whose next window begins a batch
        self._columns = {name: torch.zeros_like(self._column(self.batch[name])) for name in ("rewards", "beyond", "terminated", "ended")}
        self.returns = torch.zeros(C, S * N, device=device)
        ones, gamma = torch.ones(S, dtype=torch.float64, device=device), self.constant("gamma", dtype=torch.float64)
        arguments = (N, *self._columns.values(), gamma, ones, self.returns)
        self._reckon_returns = Launch(LAMBDA_RETURNS, S * N, arguments, device)  # lambda 1: nothing bootstraps but a cut episode
        self._anew = self.copies.restarts()
        for name in ("policy_loss", "entropy", "mean_return", "learning_rate", *(["value_loss"] if c.baseline == "value" else [])):
            self.note(name, torch.zeros(S, device=device))

    def _column(self, part: Tensor) -> Tensor:
        """Return a part of the batches [S, C, N] as [C, S * N]."""
        return part.transpose(0, 1).flatten(1)

    def _learned(self) -> list[Any]:
        return [*super()._learned(), self.policy, self.optimizer]

    def round(self, plan: Plan) -> None:
        """Play a window; whose batch is complete takes a gradient step."""
        self._begin()
        self._play(plan.rows)
        self._store(plan.rows)
        complete = self.running.amin(1) >= self.wanted
        self._update(plan, complete)
        self.begins.copy_(
            complete if plan.valid == plan.rows * self.N else torch.ones_like(complete)
        )  # a batch that lacks a step is dropped
        self.copies.turn(plan.rows)

    @torch.no_grad()
    def _begin(self) -> None:
        """Begin a batch, with new episodes in all copies, for those whose last one is over."""
        begins = self.begins
        self._anew(begins[:, None].expand(-1, self.N).reshape(-1))
        self.filled.masked_fill_(begins, 0)
        self.running.copy_(torch.where(begins[:, None], torch.arange(self.N, device=self.device), self.running))
        self.batch["chosen"].masked_fill_(begins[:, None, None], False)

    @torch.no_grad()
    def _play(self, rows: int) -> None:
        """Follow the policy for some steps in every copy."""
        noise = self.noise()
        for t in range(rows):
            actions = self.policy(_act, self.seen(self.copies.observations[t]), noise[t])
            self.actions[t].copy_(actions.reshape(self.actions[t].shape))
            self.taken(actions)
            self.copies.step(t)

    @torch.no_grad()
    def _store(self, rows: int) -> None:
        """Append a window to each batch, and note which of its steps belong to the K episodes."""
        S, N, K = self.S, self.N, self.wanted
        if self.config.baseline == "value":
            self.value(rows, lambda seen: self.policy(_value, self.moments.observations(seen)), self.beyond)
        ended = self.copies.ended[:rows].view(rows, S, N).transpose(0, 1)  # [S, T, N]
        order = (
            ended.flatten(1).cumsum(1).view(S, rows, N) + self.running.amax(1)[:, None, None]
        )  # number of the next episode, where it begins
        following = torch.cat([self.running[:, None], torch.where(ended, order, -1)], dim=1).cummax(1).values  # [S, T + 1, N]
        places = torch.arange(S, device=self.device)[:, None], self.filled[:, None] + torch.arange(rows, device=self.device)
        for name, part in self._window.items():
            self.batch[name][places] = part[:rows].unflatten(1, (S, N)).transpose(0, 1)
        self.batch["chosen"][places] = following[:, :-1] < K
        self.running.copy_(following[:, -1])
        self.filled += rows

    def _update(self, plan: Plan, complete: Tensor) -> None:
        """Take one gradient step with each batch that is complete."""
        b, step = self.batch, self.step + plan.valid
        for name, column in self._columns.items():
            column.copy_(self._column(b[name]))
        self._reckon_returns()
        returns = self.returns.unflatten(1, (self.S, self.N)).transpose(0, 1).flatten(1)  # [S, C * N]
        counted = (b["chosen"] & complete[:, None, None]).flatten(1)
        learning_rate, ent_coef = self.learning_rate.at(step), None if self.ent_coef is None else self.ent_coef.at(step)
        loss_of = partial(_loss, baseline=self.config.baseline)
        seen = self.moments.observations(b["observations"].flatten(1, 2))
        losses, *terms = self.policy(loss_of, seen, b["actions"].flatten(1, 2), returns, ent_coef, self.vf_coef, counted)
        self.optimizer.step(losses, learning_rate, complete)
        score = torch.where(counted, b["rewards"].flatten(1), 0.0).sum(1) / self.wanted
        found = {"policy_loss": terms[0], "value_loss": terms[1], "entropy": terms[2], "mean_return": score, "learning_rate": learning_rate}
        for name, kept in self.metrics.items():
            kept.copy_(torch.where(complete, found[name].detach(), kept))

    def _state(self) -> dict[str, Any]:
        parts = self.batch | {"filled": self.filled, "running": self.running, "begins": self.begins}
        return super()._state() | {f"batch.{name}": partial(_row, part) for name, part in parts.items()}


def _row(part: Tensor, s: int) -> Tensor:
    return part[s : s + 1]


def _act(policy: ActorCritic, observations: Tensor, noise: Tensor) -> Tensor:
    return policy.choose(policy.act(observations), noise)


def _value(policy: ActorCritic, observations: Tensor) -> Tensor:
    values: Tensor = policy(observations)[1]
    return values


def _loss(
    policy: ActorCritic,
    observations: Tensor,
    actions: Tensor,
    returns: Tensor,
    ent_coef: Tensor | None,
    vf_coef: Tensor,
    counted: Tensor,
    baseline: str,
) -> tuple[Tensor, ...]:
    """Return one agent's loss on its batch, and its metrics."""
    loss, policy_term, value_term, table = monte_carlo_loss(policy, observations, actions, returns, baseline, ent_coef, vf_coef, counted)
    return loss, policy_term, value_term, policy.entropy(table, counted)
