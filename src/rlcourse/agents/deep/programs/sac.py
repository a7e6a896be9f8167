"""SAC as a program: see `rlcourse.agents.deep.sac` for the algorithm; losses and networks are the agent's own."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from rlcourse.agents.deep.continuous_networks import Critics, SquashedActor
from rlcourse.agents.deep.programs.draws import NOISE, UPDATES, Draws
from rlcourse.agents.deep.programs.noise import Held
from rlcourse.agents.deep.programs.off_policy import ReplayProgram
from rlcourse.agents.deep.programs.program import Plan
from rlcourse.agents.deep.programs.ring import Batch
from rlcourse.agents.deep.programs.stack import Stack, StackedAdam, StackedTarget
from rlcourse.agents.deep.q_losses import critic_loss, td_targets
from rlcourse.agents.deep.sac import soft_values, temperature_slope

__all__ = ["SACProgram"]


class SACProgram(ReplayProgram):
    """Acting by samples of the policy, then updates of critics, actor and temperature (Haarnoja et al. 2018, Algorithm 1), of S agents."""

    swept: ClassVar[frozenset[str]] = frozenset(
        {"learning_rate", "gamma", "tau", "ent_coef", "ent_coef_init", "target_entropy", "max_grad_norm"}
    )
    counted: ClassVar[str] = "critic_optimizer"

    def _make_networks(self) -> None:
        agents, c, size = self.agents, self.config, self.actions.shape[-1]
        self.interval = c.target_update_interval
        norm = self.constant("max_grad_norm", float("inf")) if any(agent.config.max_grad_norm for agent in agents) else None
        self.actor = Stack([agent.actor for agent in agents], [agent.actor_optimizer for agent in agents])
        self.critics = Stack([agent.critics for agent in agents], [agent.critic_optimizer for agent in agents])
        self.temperature = Stack([agent.temperature for agent in agents], [agent.temperature_optimizer for agent in agents])
        self.target = StackedTarget(self.critics, [agent._target for agent in agents])
        self.actor_optimizer, self.critic_optimizer = StackedAdam(self.actor, norm), StackedAdam(self.critics, norm)
        self.temperature_optimizer = StackedAdam(self.temperature)
        self.tau = self.constant("tau")
        self.entropy_wanted = torch.tensor([agent.entropy_wanted for agent in agents], device=self.device)
        self._learning = torch.tensor([agent.config.ent_coef is None for agent in agents], device=self.device)  # whose temperature moves
        self._any_learning = bool(self._learning.any())
        self.noise = Held(Draws(self.seeds, self.N, c.train_freq, size, True, self.device, NOISE), c.noise_steps)
        self.numbers = Draws(self.seeds, 1, 2, c.batch_size * size, True, self.device, UPDATES)  # of targets, and of the actor

    def _learned(self) -> list[Any]:
        stacks = [self.actor, self.critics, self.temperature, self.target]
        return [*stacks, self.actor_optimizer, self.critic_optimizer, self.temperature_optimizer]

    def round(self, plan: Plan) -> None:
        """Act and store; then replay."""
        if plan.rows > (random := plan.kind[0]):  # type: ignore[index]
            self.noise(random, plan.rows)
        super().round(plan)

    def _explore(self, t: int, seen: Tensor) -> Tensor:
        """Return a sample of the policy, within [-1, 1], by noise that is kept for `noise_steps`."""
        actions: Tensor = self.actor(SquashedActor.forward, seen, self.noise.out[t].unflatten(0, (self.S, self.N)))[0]
        return actions

    def _update(self, batch: Batch, step: Tensor, special: bool) -> None:
        """Take one gradient step with critics, actor and temperature; the target critics follow in a special one."""
        learning_rate = self.learning_rate.at(step)
        S, A, R, S_, discount = batch[:5]
        alpha = self.temperature.parameters.detach()[:, 0].exp()
        noise = self.numbers().view(2, self.S, len(R[0]), -1)
        with torch.no_grad():
            A_, log_pi_ = self.actor(SquashedActor.forward, S_, noise[0])
            y = self.target(_targets, S_, A_, log_pi_, alpha, R, discount)
        losses = self.critics(_critic_loss, S, A, y)
        self.critic_optimizer.step(losses, learning_rate)

        A_pi, log_pi = self.actor(SquashedActor.forward, S, noise[1])
        actor_losses = self.critics(_actor_loss, S, A_pi, log_pi, alpha, parameters=self.critics.parameters.detach())
        self.actor_optimizer.step(actor_losses, learning_rate)
        if self._any_learning:
            slopes = torch.vmap(temperature_slope)(log_pi.detach(), self.entropy_wanted)
            self.temperature_optimizer.descend(slopes[:, None], learning_rate, self._learning)
        if special:
            self.target.follow(self.tau)
        self.note("critic_loss", losses)
        self.note("actor_loss", actor_losses)
        self.note("ent_coef", alpha)
        self.note("entropy", -log_pi.detach().mean(1))
        self.note("learning_rate", learning_rate)

    def _state(self) -> dict[str, Any]:
        return super()._state() | self.noise.state() | {"numbers": lambda s: self.numbers.drawn[s : s + 1]}


def _targets(critics: Critics, S_: Tensor, A_: Tensor, log_pi_: Tensor, alpha: Tensor, R: Tensor, discount: Tensor) -> Tensor:
    return td_targets(R, discount, soft_values(critics, S_, A_, log_pi_, alpha))


def _critic_loss(critics: Critics, S: Tensor, A: Tensor, y: Tensor) -> Tensor:
    return critic_loss(critics(S, A), y)


def _actor_loss(critics: Critics, S: Tensor, A_pi: Tensor, log_pi: Tensor, alpha: Tensor) -> Tensor:
    return -soft_values(critics, S, A_pi, log_pi, alpha).mean()
