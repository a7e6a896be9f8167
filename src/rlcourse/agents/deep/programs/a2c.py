"""A2C as a program: see `rlcourse.agents.deep.a2c` for the algorithm; loss and networks are the agent's own."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from torch import Tensor

from rlcourse.agents.deep.a2c import policy_gradient
from rlcourse.agents.deep.losses import normalized
from rlcourse.agents.deep.networks import ActorCritic
from rlcourse.agents.deep.programs.experience import Experience
from rlcourse.agents.deep.programs.on_policy import OnPolicyProgram
from rlcourse.agents.deep.programs.program import Plan
from rlcourse.agents.deep.programs.stack import Stack, StackedAdam, StackedOptimizer, StackedRMSprop

__all__ = ["A2CProgram"]


class A2CProgram(OnPolicyProgram):
    """Rollouts of a few steps, and one gradient step with each (Mnih et al. 2016, Algorithm S3), of S agents."""

    swept: ClassVar[frozenset[str]] = frozenset({"learning_rate", "gamma", "gae_lambda", "ent_coef", "vf_coef", "max_grad_norm"})

    def _make_networks(self) -> None:
        agents = self.agents
        self.policy = Stack([agent.policy for agent in agents], [agent.optimizer for agent in agents])
        kind = StackedAdam if self.config.optimizer == "adam" else StackedRMSprop
        self.optimizer: StackedOptimizer = kind(self.policy, self.constant("max_grad_norm", float("inf")))
        self.learning_rate, self.vf_coef = self.pace("learning_rate"), self.constant("vf_coef")
        self.ent_coef = self.pace("ent_coef") if any(agent.config.ent_coef != 0.0 for agent in agents) else None
        self.experience = Experience(self, self.policy, weighed=False)

    def _learned(self) -> list[Any]:
        return [*super()._learned(), self.policy, self.optimizer]

    def round(self, plan: Plan) -> None:
        """Gather a rollout, and take one gradient step with it."""
        self.experience.gather(plan.rows)
        self.experience.estimate(plan)
        self._update(plan)
        self.see(plan.rows)
        self.copies.turn(plan.rows)

    def _update(self, plan: Plan) -> None:
        """Take one gradient step with the rollout."""
        step = self.step + plan.valid
        learning_rate, ent_coef = self.learning_rate.at(step), None if self.ent_coef is None else self.ent_coef.at(step)
        (places,) = self.batches(plan.valid, plan.valid, 1)
        batch = self.experience.samples(places)
        loss_of = partial(_loss, normalize=self.config.normalize_advantage)
        losses, *terms = self.policy(loss_of, batch.observations, batch.actions, batch.advantage, batch.target, ent_coef, self.vf_coef)
        self.optimizer.step(losses, learning_rate)
        unexplained = (batch.target - batch.value).var(1, correction=0) / (batch.target.var(1, correction=0) + 1e-8)
        for name, value in zip(("policy_loss", "value_loss", "entropy"), terms, strict=True):
            self.note(name, value)
        self.note("learning_rate", learning_rate)
        self.note("explained_variance", 1.0 - unexplained)


def _loss(
    policy: ActorCritic,
    observations: Tensor,
    actions: Tensor,
    advantage: Tensor,
    target: Tensor,
    ent_coef: Tensor | None,
    vf_coef: Tensor,
    normalize: bool,
) -> tuple[Tensor, ...]:
    """Return one agent's loss on its samples, and its metrics."""
    parameters, v = policy(observations)
    advantage = normalized(advantage) if normalize else advantage
    loss, policy_term, value_term, table = policy_gradient(policy, parameters, v, actions, advantage, target, ent_coef, vf_coef)
    return loss, policy_term, value_term, policy.entropy(table)
