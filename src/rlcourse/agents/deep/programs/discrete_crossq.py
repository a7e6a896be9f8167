"""Discrete CrossQ as a program: see `rlcourse.agents.deep.discrete_crossq` for the algorithm; loss and network are the agent's own."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from rlcourse.agents.deep.discrete_crossq import TwinQ, joint_loss
from rlcourse.agents.deep.programs.off_policy import ReplayProgram
from rlcourse.agents.deep.programs.pace import Pace
from rlcourse.agents.deep.programs.ring import Batch
from rlcourse.agents.deep.programs.stack import Stack, StackedAdam
from rlcourse.agents.deep.q_losses import best_actions

__all__ = ["DiscreteCrossQProgram"]


class DiscreteCrossQProgram(ReplayProgram):
    """Act by epsilon, store, and go down the loss of one joint pass (after Bhatt et al. 2024), of S agents."""

    swept: ClassVar[frozenset[str]] = frozenset(
        {"learning_rate", "gamma", "exploration_initial_eps", "exploration_final_eps", "exploration_steps", "max_grad_norm"}
    )
    heeds_masks: ClassVar[bool] = True
    updates_at_start: ClassVar[bool] = True

    def _make_networks(self) -> None:
        agents = self.agents
        self.network = Stack([agent.network for agent in agents], [agent.optimizer for agent in agents])
        norm = self.constant("max_grad_norm", float("inf")) if any(agent.config.max_grad_norm for agent in agents) else None
        self.optimizer = StackedAdam(self.network, norm)
        self.epsilon = Pace([agent.epsilon for agent in agents], self.device)

    def _learned(self) -> list[Any]:
        return [self.network, self.optimizer]

    def _explore(self, t: int, seen: Tensor) -> Tensor:
        values = self.network(_acting, seen).flatten(0, 1)
        greedy = best_actions(values, self.allowed(seen.flatten(0, 1))).view(self.S, self.N)
        wish = self.draws.out[t, :, 0].view(self.S, self.N)
        return torch.where(wish < self.epsilon.at(self.step)[:, None], self._random(t, seen).view(self.S, self.N), greedy)

    def _update(self, batch: Batch, step: Tensor, special: bool) -> None:
        both, masks = torch.cat([batch.observations, batch.successors], 1), self.allowed(batch.successors)
        losses, q = self.network(_loss, both, batch.actions, batch.rewards, batch.discounts, masks)
        self.optimizer.step(losses, self.learning_rate.at(step))
        self.note("q_loss", losses)
        self.note("q", q)
        self.note("epsilon", self.epsilon.at(step))


def _acting(network: TwinQ, observations: Tensor) -> Tensor:
    return network(observations, train=False).amin(0)


def _loss(network: TwinQ, both: Tensor, actions: Tensor, rewards: Tensor, discounts: Tensor, masks: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return one agent's loss, and the mean of the taken actions' values."""
    loss, q = joint_loss(network(both, train=True), actions, rewards, discounts, masks)
    return loss, q.detach().mean()
