"""Discrete SAC as a program: see `rlcourse.agents.deep.discrete_sac` for the algorithm; losses and networks are the agent's own."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from rlcourse.agents.deep.discrete_sac import SoftmaxActorCritics, soft_losses, soft_value
from rlcourse.agents.deep.programs.off_policy import ReplayProgram
from rlcourse.agents.deep.programs.ring import Batch
from rlcourse.agents.deep.programs.stack import Stack, StackedAdam, StackedTarget
from rlcourse.agents.deep.q_losses import existing, td_targets

__all__ = ["DiscreteSACProgram"]


class DiscreteSACProgram(ReplayProgram):
    """Acting by samples of the policy, then updates of critics, actor and temperature at once (Christodoulou 2019), of S agents."""

    swept: ClassVar[frozenset[str]] = frozenset(
        {"learning_rate", "gamma", "tau", "ent_coef", "ent_coef_init", "target_entropy", "max_grad_norm"}
    )
    heeds_masks: ClassVar[bool] = True
    updates_at_start: ClassVar[bool] = True

    def _make_networks(self) -> None:
        agents = self.agents
        self.networks = Stack([agent.networks for agent in agents], [agent.optimizer for agent in agents])
        self.target = StackedTarget(self.networks, [agent._target for agent in agents])
        norm = self.constant("max_grad_norm", float("inf")) if any(agent.config.max_grad_norm for agent in agents) else None
        self.optimizer = StackedAdam(self.networks, norm)
        self.tau = self.constant("tau")
        self.entropy_wanted = torch.tensor([agent.entropy_wanted for agent in agents], device=self.device)
        self._learning = torch.tensor([agent.config.ent_coef is None for agent in agents], device=self.device)  # whose temperature moves
        learned = any(parameter.requires_grad for parameter in agents[0].networks.encoder.parameters())
        self._losses = partial(soft_losses, learned_encoder=learned)

    def _learned(self) -> list[Any]:
        return [self.networks, self.target, self.optimizer]

    def _numbers(self) -> int:
        return int(self.venv.single_action_space.n)  # type: ignore[attr-defined]

    def _random(self, t: int, seen: Tensor) -> Tensor:
        """Return uniform actions, [M]: the greatest of uniform numbers, among those that exist."""
        masks = self.allowed(seen.flatten(0, 1))
        u = self.draws.out[t]
        return (u if masks is None else u.masked_fill(~masks, -1.0)).argmax(1)

    def _explore(self, t: int, seen: Tensor) -> Tensor:
        """Return samples of the policy, [M]: the largest logit with Gumbel noise is one."""
        logits = self.networks(SoftmaxActorCritics.logits, seen).flatten(0, 1)
        return (existing(logits, self.allowed(seen.flatten(0, 1))) - self.draws.out[t].log().neg_().log_()).argmax(1)

    def _update(self, batch: Batch, step: Tensor, special: bool) -> None:
        S, A, R, S_, discount = batch[:5]
        alpha = self.networks(_temperature).detach()
        with torch.no_grad():
            log_pi_ = existing(self.networks(SoftmaxActorCritics.logits, S_), self.allowed(S_)).log_softmax(2)
            target = td_targets(R.flatten(), discount.flatten(), torch.vmap(soft_value)(self.target(_values, S_), log_pi_, alpha).flatten())
        given = (S, A, target.view_as(R), self.allowed(S), alpha, self.entropy_wanted, self._learning)
        losses, critic, actor, entropy = self.networks(self._losses, *given)
        self.optimizer.step(losses, self.learning_rate.at(step))
        self.target.follow(self.tau)
        for name, value in {"critic_loss": critic, "actor_loss": actor, "ent_coef": alpha, "entropy": entropy}.items():
            self.note(name, value)


def _temperature(networks: SoftmaxActorCritics) -> Tensor:
    return networks.log_alpha.exp()


def _values(networks: SoftmaxActorCritics, observations: Tensor) -> Tensor:
    values: Tensor = networks(observations)[1]
    return values
