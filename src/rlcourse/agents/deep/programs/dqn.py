"""DQN as a program: see `rlcourse.agents.deep.dqn` for the algorithm; networks, targets and losses are the agent's own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from rlcourse.agents.deep.programs.draws import NOISE, UPDATES, Draws
from rlcourse.agents.deep.programs.off_policy import ReplayProgram
from rlcourse.agents.deep.programs.pace import Pace
from rlcourse.agents.deep.programs.prioritized import PrioritizedRing
from rlcourse.agents.deep.programs.program import Plan
from rlcourse.agents.deep.programs.ring import Batch, Ring
from rlcourse.agents.deep.programs.stack import Stack, StackedAdam, StackedTarget
from rlcourse.agents.deep.q_losses import Prediction, best_actions, pick
from rlcourse.agents.deep.q_network import QNetwork
from rlcourse.core.schedules import Linear

__all__ = ["DQNProgram"]


class DQNProgram(ReplayProgram):
    """Act, store, replay, and now and then move the target networks (Mnih et al. 2015, Algorithm 1), of S agents."""

    swept: ClassVar[frozenset[str]] = frozenset(
        {"learning_rate", "gamma", "exploration_initial_eps", "exploration_final_eps", "exploration_steps", "max_grad_norm", "tau"}
    )
    heeds_masks: ClassVar[bool] = True

    def _make_networks(self) -> None:
        agents, c = self.agents, self.config
        self.prediction: Prediction = agents[0].prediction
        self.network = Stack([agent.network for agent in agents], [agent.optimizer for agent in agents])
        self.optimizer = StackedAdam(self.network, self.constant("max_grad_norm", float("inf")))
        self.target = StackedTarget(self.network, [agent._target for agent in agents]) if c.target_network else None
        self.tau = self.constant("tau", dtype=torch.float64)
        self.epsilon = Pace([agent.epsilon for agent in agents], self.device)
        self._later = torch.arange(c.train_freq, device=self.device)[:, None] * self.N  # steps of an agent before each row of a round
        self.epsilons = self.epsilon.at(self.step + self._later)  # [T, S]
        self.beta = Pace([Linear(agent.config.priority_beta, 1.0, agent.config.priority_beta_steps) for agent in agents], self.device)
        self.noise: tuple[Draws, Draws] | None = None  # of the steps of a round, and of the two networks of an update
        if size := agents[0].network.noises:
            sizes = ((c.train_freq, NOISE), (2, UPDATES))
            acting, learning = (Draws(self.seeds, 1, rows, size, True, self.device, purpose) for rows, purpose in sizes)
            self.noise = acting, learning

    def _bytes(self) -> int:
        return super()._bytes() + (8 if self.config.prioritized else 0)

    def _make_ring(self, kind: Callable[..., Ring] = Ring) -> Ring:
        c = self.config
        return super()._make_ring(partial(PrioritizedRing, alpha=c.priority_alpha) if c.prioritized else kind)

    def _learned(self) -> list[Any]:
        return [self.network, self.optimizer, *([] if self.target is None else [self.target])]

    def plan(self, budget: int) -> Plan:
        """Return the next round: its kind says also how often the target networks move after it."""
        plan, interval = super().plan(budget), self.config.target_update_interval
        moves = (self.timesteps + plan.valid) // interval - self.timesteps // interval
        return plan._replace(kind=(*plan.kind, moves if self.target is not None else 0))  # type: ignore[misc]

    def round(self, plan: Plan) -> None:
        """Act, store, replay, and move the target networks."""
        if self.noise is None:
            self.epsilons = self.epsilon.at(self.step + self._later)
        if isinstance(self.ring, PrioritizedRing):
            self.ring.beta = self.beta.at(self.step + plan.valid)
        if self.noise is not None:
            self.noise[0]()
        super().round(plan)
        moves = plan.kind[3]  # type: ignore[index]
        if self.target is not None and moves:
            self.target.follow((1.0 - (1.0 - self.tau) ** moves).float())

    def _explore(self, t: int, seen: Tensor) -> Tensor:
        outputs = self.network(_outputs, seen, None if self.noise is None else self.noise[0].out[t])
        greedy = best_actions(self.prediction.values(outputs.flatten(0, 1)), self.allowed(seen.flatten(0, 1))).view(self.S, self.N)
        if self.noise is not None:
            return greedy
        wish = self.draws.out[t, :, 0].view(self.S, self.N)
        return torch.where(wish < self.epsilons[t][:, None], self._random(t, seen).view(self.S, self.N), greedy)

    def _update(self, batch: Batch, step: Tensor, special: bool) -> None:
        noise, other = (None, None) if self.noise is None else self.noise[1]()
        targets = self._targets(batch, noise, other)
        predicted = pick(self.network(_outputs, batch.observations, noise).flatten(0, 1), batch.actions.flatten())
        each = self.prediction.losses(predicted, targets).view(self.S, -1)
        learning_rate = self.learning_rate.at(step)
        self.optimizer.step((each if batch.weights is None else batch.weights * each).mean(1), learning_rate)
        expected = self.config.distributional == "none"
        if isinstance(self.ring, PrioritizedRing):
            self.ring.correct((predicted - targets).detach().view_as(each) if expected else each.detach())
        self.note("loss", each.mean(1))
        self.note("epsilon", torch.zeros_like(learning_rate) if self.noise is not None else self.epsilon.at(step))
        self.note("learning_rate", learning_rate)
        if expected:
            self.note("q", predicted.view_as(each).mean(1))

    @torch.no_grad()
    def _targets(self, batch: Batch, noise: Tensor | None, other: Tensor | None) -> Tensor:
        """Return targets of all agents' transitions, one under another, [S * B] or [S * B, K].

        Parameters
        ----------
        batch : Batch
        noise, other : Tensor, shape [S, noises], or None
            Normal numbers of the networks' noise, and of the target networks'.
        """
        S_, double = batch.successors, self.config.double and self.target is not None
        following = (self.target or self.network)(_outputs, S_, noise if self.target is None else other).flatten(0, 1)
        chooser = self.network(_outputs, S_, noise).flatten(0, 1) if double else None
        rewards, discounts, masks = batch.rewards.flatten(), batch.discounts.flatten(), self.allowed(S_.flatten(0, 1))
        return self.prediction.targets(rewards, discounts, following, chooser, masks)

    def _state(self) -> dict[str, Any]:
        drawn = {} if self.noise is None else {"noise": self.noise[0].drawn, "numbers": self.noise[1].drawn}
        return super()._state() | {name: (lambda s, of=of: of[s : s + 1]) for name, of in drawn.items()}


def _outputs(network: QNetwork, observations: Tensor, noise: Tensor | None) -> Tensor:
    outputs: Tensor = network.plain(observations, noise)
    return outputs
