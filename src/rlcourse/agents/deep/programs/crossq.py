"""CrossQ as a program: see `rlcourse.agents.deep.crossq` for the algorithm; losses and networks are the agent's own."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from rlcourse.agents.deep.crossq import JointCritics, NormalizedActor, climbing_loss, joint_loss, temperature_loss
from rlcourse.agents.deep.programs.draws import NOISE, UPDATES, Draws
from rlcourse.agents.deep.programs.noise import Held
from rlcourse.agents.deep.programs.off_policy import ReplayProgram
from rlcourse.agents.deep.programs.program import Plan
from rlcourse.agents.deep.programs.ring import Batch
from rlcourse.agents.deep.programs.stack import Stack, StackedAdam

__all__ = ["CrossQProgram"]


class CrossQProgram(ReplayProgram):
    """Acting by samples of the policy, then joint updates of the critics, and every `policy_delay` times of the actor, of S agents."""

    swept: ClassVar[frozenset[str]] = frozenset({"learning_rate", "gamma", "ent_coef", "ent_coef_init", "target_entropy", "max_grad_norm"})
    updates_at_start: ClassVar[bool] = True

    def _make_networks(self) -> None:
        agents, c, size = self.agents, self.config, self.actions.shape[-1]
        self.interval = c.policy_delay
        norm = self.constant("max_grad_norm", float("inf")) if any(agent.config.max_grad_norm for agent in agents) else None
        self.critics = Stack([agent.critics for agent in agents], [agent.optimizer for agent in agents])
        self.actor = Stack([agent.actor for agent in agents], [agent.actor_optimizer for agent in agents])
        self.optimizer, self.actor_optimizer = StackedAdam(self.critics, norm), StackedAdam(self.actor, norm)
        self.entropy_wanted = torch.tensor([agent.entropy_wanted for agent in agents], device=self.device)
        self._learning = torch.tensor([float(agent.config.ent_coef is None) for agent in agents], device=self.device)
        self.noise = Held(Draws(self.seeds, self.N, c.train_freq, size, True, self.device, NOISE), 1)
        self.numbers = Draws(self.seeds, 1, 2, c.batch_size * size, True, self.device, UPDATES)  # of targets, and of the actor

    def _learned(self) -> list[Any]:
        return [self.critics, self.actor, self.optimizer, self.actor_optimizer]

    def round(self, plan: Plan) -> None:
        """Act and store; then replay."""
        if plan.rows > (random := plan.kind[0]):  # type: ignore[index]
            self.noise(random, plan.rows)
        super().round(plan)

    def _explore(self, t: int, seen: Tensor) -> Tensor:
        """Return a sample of the policy, within [-1, 1]."""
        features = self.critics(JointCritics.encode, seen)
        actions: Tensor = self.actor(NormalizedActor.forward, features, self.noise.out[t].unflatten(0, (self.S, self.N)))[0]
        return actions

    def _update(self, batch: Batch, step: Tensor, special: bool) -> None:
        """Update the critics by one joint pass, and in a special step the actor and the temperature."""
        learning_rate, B = self.learning_rate.at(step), batch.rewards.shape[1]
        noise = self.numbers().view(2, self.S, B, -1)
        alpha = self.actor(_log_alpha).detach().exp()
        features = self.critics(JointCritics.encode, torch.cat([batch.observations, batch.successors], 1))
        with torch.no_grad():
            A_, log_pi_ = self.actor(NormalizedActor.forward, features[:, B:], noise[0])
        actions, penalty = torch.cat([batch.actions, A_], 1), alpha[:, None] * log_pi_
        losses, q = self.critics(_joint_loss, features, actions, batch.rewards, batch.discounts, penalty)
        self.optimizer.step(losses, learning_rate)
        if special:
            self._update_actor(features[:, :B].detach(), alpha, noise[1], learning_rate)
        self.note("critic_loss", losses)
        self.note("q", q)
        self.note("ent_coef", alpha)

    def _update_actor(self, features: Tensor, alpha: Tensor, noise: Tensor, learning_rate: Tensor) -> None:
        """Climb the critics, whose statistics stay, and move the temperature towards the entropy that is wanted."""
        actions, log_pi = self.actor(_trained, features, noise)
        losses = self.critics(climbing_loss, features, actions, log_pi, alpha, parameters=self.critics.parameters.detach())
        terms = torch.vmap(temperature_loss)(self.actor(_log_alpha), log_pi, self.entropy_wanted)
        self.actor_optimizer.step(losses + self._learning * terms, learning_rate)
        self.note("actor_loss", losses)
        self.note("entropy", -log_pi.detach().mean(1))

    def _state(self) -> dict[str, Any]:
        return super()._state() | self.noise.state() | {"numbers": lambda s: self.numbers.drawn[s : s + 1]}


def _log_alpha(actor: NormalizedActor) -> Tensor:
    return actor.log_alpha * 1.0  # what a stack returns is new


def _trained(actor: NormalizedActor, features: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    return actor(features, noise, train=True)


def _joint_loss(
    critics: JointCritics, features: Tensor, actions: Tensor, rewards: Tensor, discounts: Tensor, penalty: Tensor
) -> tuple[Tensor, Tensor]:
    """Return one agent's loss, and the mean of the taken actions' values."""
    q = critics(features, actions, train=True)
    return joint_loss(q, rewards, discounts, penalty), q.detach()[:, : len(rewards)].mean()
