"""TD3 as a program, and what DDPG's shares with it: see `rlcourse.agents.deep.td3` for the algorithm; losses are the agent's own."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from rlcourse.agents.deep.continuous_networks import Critics, DeterministicActor
from rlcourse.agents.deep.programs.draws import NOISE, UPDATES, Draws
from rlcourse.agents.deep.programs.noise import Added
from rlcourse.agents.deep.programs.off_policy import ReplayProgram
from rlcourse.agents.deep.programs.program import Plan
from rlcourse.agents.deep.programs.ring import Batch
from rlcourse.agents.deep.programs.stack import Stack, StackedAdam, StackedTarget
from rlcourse.agents.deep.q_losses import critic_loss, td_targets
from rlcourse.agents.deep.td3 import smoothed

__all__ = ["TD3Program"]


class TD3Program(ReplayProgram):
    """Acting with noise, then updates of the critics and, less often, of the actor (Fujimoto et al. 2018, Algorithm 1), of S agents."""

    swept: ClassVar[frozenset[str]] = frozenset(
        {"learning_rate", "gamma", "tau", "action_noise_std", "target_policy_noise", "target_noise_clip", "max_grad_norm"}
    )
    counted: ClassVar[str] = "critic_optimizer"
    critics_name: ClassVar[str] = "critics"

    def _make_networks(self) -> None:
        agents, c = self.agents, self.config
        norm = self.constant("max_grad_norm", float("inf")) if any(agent.config.max_grad_norm for agent in agents) else None
        self.actor = Stack([agent.actor for agent in agents], [agent.actor_optimizer for agent in agents])
        critics = [getattr(agent, self.critics_name) for agent in agents]
        self.critics = Stack(critics, [agent.critic_optimizer for agent in agents])
        self.actor_target = StackedTarget(self.actor, [agent._actor_target for agent in agents])
        self.critic_target = StackedTarget(self.critics, [agent._critic_target for agent in agents])
        self.actor_optimizer, self.critic_optimizer = StackedAdam(self.actor, norm), StackedAdam(self.critics, norm)
        self.tau = self.constant("tau")
        draws = Draws(self.seeds, self.N, c.train_freq, self.actions.shape[-1], True, self.device, NOISE)
        self.noise = Added(draws, c.action_noise == "ornstein_uhlenbeck", self.constant("action_noise_std"))
        self.numbers: Draws | None = None
        self._make_targets()

    def _make_targets(self) -> None:
        """Prepare the noise of target actions, and the delay of the actor."""
        c, agents = self.config, self.agents
        self.interval = c.policy_delay
        if any(agent.config.target_policy_noise for agent in agents):
            self.numbers = Draws(self.seeds, 1, 1, c.batch_size * self.actions.shape[-1], True, self.device, UPDATES)
            self.deviation, self.clip = self.constant("target_policy_noise"), self.constant("target_noise_clip")

    def _learned(self) -> list[Any]:
        return [self.actor, self.critics, self.actor_target, self.critic_target, self.actor_optimizer, self.critic_optimizer]

    def round(self, plan: Plan) -> None:
        """Act and store; then replay."""
        if plan.rows > (random := plan.kind[0]):  # type: ignore[index]
            self.noise(random, plan.rows)
        super().round(plan)

    def _explore(self, t: int, seen: Tensor) -> Tensor:
        """Return the actors' actions with noise, within [-1, 1]."""
        lengths: Any = self.copies.place.lengths
        noise = self.noise.at(t, lengths.view(self.S, self.N) == 0)
        return (self.actor(DeterministicActor.forward, seen) + noise).clamp(-1.0, 1.0)

    def _update(self, batch: Batch, step: Tensor, special: bool) -> None:
        """Take one gradient step with the critics, and in a special one also with the actor; then the targets follow."""
        learning_rate = self.learning_rate.at(step)
        S, A, R, S_, discount = batch[:5]
        with torch.no_grad():
            A_ = self.actor_target(DeterministicActor.forward, S_)
            if self.numbers is not None:
                A_ = torch.vmap(smoothed)(A_, self.numbers().view_as(A_), self.deviation, self.clip)
            y = self.critic_target(_targets, S_, A_, R, discount)
        losses = self.critics(_critic_loss, S, A, y)
        self.critic_optimizer.step(losses, learning_rate)
        self.note("critic_loss", losses)
        self.note("q", y.mean(1))
        self.note("learning_rate", learning_rate)
        if special:
            A_pi = self.actor(DeterministicActor.forward, S)
            actor_losses = self.critics(_actor_loss, S, A_pi, parameters=self.critics.parameters.detach())
            self.actor_optimizer.step(actor_losses, learning_rate)
            self.critic_target.follow(self.tau)
            self.actor_target.follow(self.tau)
            self.note("actor_loss", actor_losses)

    def _state(self) -> dict[str, Any]:
        numbers = self.numbers
        drawn = {} if numbers is None else {"numbers": lambda s: numbers.drawn[s : s + 1]}
        return super()._state() | self.noise.state() | drawn


def _targets(critics: Critics, S_: Tensor, A_: Tensor, R: Tensor, discount: Tensor) -> Tensor:
    return td_targets(R, discount, critics(S_, A_).amin(0))


def _critic_loss(critics: Critics, S: Tensor, A: Tensor, y: Tensor) -> Tensor:
    return 2.0 * critic_loss(critics(S, A), y)


def _actor_loss(critics: Critics, S: Tensor, A_pi: Tensor) -> Tensor:
    return -critics.first(S, A_pi).mean()
