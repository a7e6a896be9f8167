"""PQN as a program: see `rlcourse.agents.deep.pqn` for the algorithm; loss and network are the agent's own."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from rlcourse.agents.deep.pqn import NormalizedQ, best_values, squared_error
from rlcourse.agents.deep.programs.launch import Launch
from rlcourse.agents.deep.programs.on_policy import OnPolicyProgram
from rlcourse.agents.deep.programs.pace import Pace
from rlcourse.agents.deep.programs.program import Plan
from rlcourse.agents.deep.programs.stack import Stack, StackedAdam
from rlcourse.agents.deep.q_losses import best_actions
from rlcourse.core.kernels import LAMBDA_RETURNS

__all__ = ["PQNProgram"]


class PQNProgram(OnPolicyProgram):
    """Epsilon-greedy rollouts, then n_epochs of minibatches towards their lambda-returns (Gallici et al. 2024), of S agents.

    Attributes
    ----------
    masks : Tensor of bool, shape [states, A], or None
        Which actions exist in the states of a finite world.
    """

    swept: ClassVar[frozenset[str]] = frozenset(
        {
            "learning_rate",
            "gamma",
            "q_lambda",
            "exploration_initial_eps",
            "exploration_final_eps",
            "exploration_steps",
            "max_grad_norm",
        }
    )
    heeds_masks = True

    def _numbers(self) -> int:
        return 2  # whether to explore, and by which action

    def _make_networks(self) -> None:
        agents, device = self.agents, self.device
        self.network = Stack([agent.network for agent in agents], [agent.optimizer for agent in agents])
        self.optimizer = StackedAdam(self.network, self.constant("max_grad_norm", float("inf")))
        self.learning_rate, self.epsilon = self.pace("learning_rate"), Pace([agent.epsilon for agent in agents], device)
        self.gamma, self.lam = self.constant("gamma", dtype=torch.float64), self.constant("q_lambda", dtype=torch.float64)
        self.actions, self.following, self.targets = self.table(torch.int64), self.table(), self.table()
        self.masks: Tensor | None = None
        if self.venv.action_masks is not None:
            self.masks = torch.as_tensor(self.venv.action_masks, device=device)
            self._choices = torch.argsort(
                self.masks.int(), dim=1, descending=True, stable=True
            )  # [states, A]: first the actions that exist
            self._count = self.masks.sum(1)  # [states] how many they are
        self._befores = torch.arange(self.config.n_steps, device=device)[:, None] * self.N  # [T, 1] steps before each row
        self._returns: dict[int, Launch] = {}

    def _learned(self) -> list[Any]:
        return [*super()._learned(), self.network, self.optimizer]

    def round(self, plan: Plan) -> None:
        """Gather a rollout and fit the values to its lambda-returns (Algorithm 1)."""
        self._rollout(plan.rows)
        self._estimate(plan)
        self._update(plan)
        self.see(plan.rows)
        self.copies.turn(plan.rows)

    @torch.no_grad()
    def _rollout(self, rows: int) -> None:
        """Act epsilon-greedily for some steps in every copy."""
        explores, which = self.draws().unbind(2)  # [T, S * N]; `which` is at most 1 - 2**-24, so that rounding never makes it A
        epsilon = self.epsilon.at(self.step + self._befores)  # [T, S]
        explores = (explores.unflatten(1, (self.S, self.N)) < epsilon[:, :, None]).flatten(1)
        random = None if self.masks is not None else (which * self.agents[0].n_actions).long()
        for t in range(rows):
            observations = self.copies.observations[t]
            q, masks = self.network(_values, self.seen(observations)).flatten(0, 1), self._existing(observations)
            greedy = best_actions(q, masks)
            other = self._among(observations, which[t]) if random is None else random[t]
            self.actions[t].copy_(torch.where(explores[t], other, greedy))
            self.taken(self.actions[t])
            self.copies.step(t)

    def _existing(self, states: Tensor) -> Tensor | None:
        """Return which actions exist in states [...], bool [..., A]."""
        return None if self.masks is None else self.masks[states]

    def _among(self, states: Tensor, uniform: Tensor) -> Tensor:
        """Return one of the actions that exist in states [B], by numbers [B] uniform in (0, 1)."""
        rank = (uniform * self._count[states]).long()
        return self._choices[states, rank]

    @torch.no_grad()
    def _estimate(self, plan: Plan) -> None:
        """Value the true successors, and make the targets."""
        rows = plan.rows

        def best(observations: Tensor) -> Tensor:
            found: Tensor = self.network(best_values, self.moments.observations(observations), self._existing(observations))
            return found

        self.value(rows, best, self.following)
        self.reckon(plan)
        if rows not in self._returns:
            parts = (self.rewards, self.following, self.copies.terminated, self.over)
            arguments = (self.N, *(part[:rows] for part in parts), self.gamma, self.lam, self.targets[:rows])
            self._returns[rows] = Launch(LAMBDA_RETURNS, self.S * self.N, arguments, self.device)
        self._returns[rows]()

    def _update(self, plan: Plan) -> None:
        """Go down the squared error for n_epochs over the rollout, in minibatches; the targets stay."""
        c, step = self.config, self.step + plan.valid
        learning_rate = self.learning_rate.at(step)
        for places in self.batches(plan.valid, c.batch_size, c.n_epochs):
            observations, actions, targets = (
                table.flatten(0, 1)[places] for table in (self.copies.observations, self.actions, self.targets)
            )
            losses, q = self.network(squared_error, self.moments.observations(observations), actions, targets)
            self.optimizer.step(losses, learning_rate)
        self.note("q_loss", losses)
        self.note("q", q.mean(1))
        self.note("epsilon", self.epsilon.at(step))
        self.note("learning_rate", learning_rate)


def _values(network: NormalizedQ, observations: Tensor) -> Tensor:
    values: Tensor = network(observations)
    return values
