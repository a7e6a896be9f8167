"""PPO as a program: see `rlcourse.agents.deep.ppo` for the algorithm; loss and networks are the agent's own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from rlcourse.agents.deep.losses import approximate_kl, clip_fraction, normalized, variance_of
from rlcourse.agents.deep.networks import ActorCritic
from rlcourse.agents.deep.ppo import Samples, surrogate
from rlcourse.agents.deep.programs.experience import Experience
from rlcourse.agents.deep.programs.on_policy import OnPolicyProgram
from rlcourse.agents.deep.programs.program import Plan
from rlcourse.agents.deep.programs.stack import Stack, StackedAdam

__all__ = ["PPOProgram", "judged"]


class PPOProgram(OnPolicyProgram):
    """Rollouts by the old policy, then n_epochs of minibatches (Schulman et al. 2017, Algorithm 1), of S agents."""

    swept: ClassVar[frozenset[str]] = frozenset(
        {"learning_rate", "gamma", "gae_lambda", "clip_range", "ent_coef", "vf_coef", "max_grad_norm"}
    )

    def _make_networks(self) -> None:
        agents = self.agents
        optimizers = [agent.optimizer for agent in agents]
        self.policy = Stack([agent.policy for agent in agents], optimizers)
        self.optimizer = StackedAdam(self.policy, self.constant("max_grad_norm", float("inf")))
        self.learning_rate, self.clip_range = self.pace("learning_rate"), self.pace("clip_range")
        self.clip_range_vf = None if self.config.clip_range_vf is None else self.pace("clip_range_vf")
        bonus = any(agent.config.ent_coef != 0.0 for agent in agents)
        self.ent_coef = self.pace("ent_coef") if bonus else None
        self.vf_coef = self.constant("vf_coef")
        self.experience = Experience(self, self.policy, weighed=True)
        self._loss: Callable[..., tuple[Tensor, ...]] = partial(_loss, normalize=self.config.normalize_advantage)

    def _learned(self) -> list[Any]:
        return [*super()._learned(), self.policy, self.optimizer]

    def round(self, plan: Plan) -> None:
        """Gather a rollout and optimise the surrogate on it."""
        self.experience.gather(plan.rows)
        self.experience.estimate(plan)
        self._update(plan)
        self.see(plan.rows)
        self.experience.turn(plan.rows)

    def _update(self, plan: Plan) -> None:
        """Take the gradient steps of all epochs; an agent whose policy has moved too far (target_kl) stays as it is."""
        c, step = self.config, self.step + plan.valid
        learning_rate, clip_range = self.learning_rate.at(step), self.clip_range.at(step)
        clip_range_vf = None if self.clip_range_vf is None else self.clip_range_vf.at(step)
        ent_coef = None if self.ent_coef is None else self.ent_coef.at(step)
        alive, updates = None, torch.zeros(self.S, device=self.device)
        if c.target_kl is not None:
            alive = torch.ones(self.S, dtype=torch.bool, device=self.device)
        every = list(self.experience.minibatches(plan))
        for k, batch in enumerate(every):
            loss_of = partial(self._loss, measured=alive is not None or k == len(every) - 1)
            losses, *terms = self.policy(loss_of, *batch(), clip_range, clip_range_vf, ent_coef, self.vf_coef)
            if alive is not None:
                alive = alive & (terms[2].detach() <= 1.5 * c.target_kl)
            self.optimizer.step(losses, learning_rate, alive)
            updates = updates + (1.0 if alive is None else alive)
        names = ("policy_loss", "value_loss", "approx_kl", "clip_fraction", "entropy", "explained_variance")
        for name, value in zip(names, terms, strict=True):
            self.note(name, value)
        self.note("learning_rate", learning_rate)
        self.note("updates", updates)


def _loss(
    policy: ActorCritic,
    observations: Tensor,
    actions: Tensor,
    log_prob: Tensor,
    value: Tensor,
    advantage: Tensor,
    target: Tensor,
    clip_range: Tensor,
    clip_range_vf: Tensor | None,
    ent_coef: Tensor | None,
    vf_coef: Tensor,
    normalize: bool,
    measured: bool,
) -> tuple[Tensor, ...]:
    """Return one agent's loss on its samples, and its metrics where they are measured: each operation costs time on a GPU."""
    batch = Samples(observations, actions, log_prob, value, normalized(advantage) if normalize else advantage, target)
    parameters, v = policy(observations)
    return judged(policy, parameters, v, batch, clip_range, clip_range_vf, ent_coef, vf_coef, measured=measured)


def judged(
    policy: ActorCritic,
    parameters: Tensor,
    v: Tensor,
    batch: Samples,
    clip_range: Tensor,
    clip_range_vf: Tensor | None,
    ent_coef: Tensor | None,
    vf_coef: Tensor,
    *,
    measured: bool,
    counted: Tensor | None = None,
) -> tuple[Tensor, ...]:
    """Return one agent's loss on samples, those that count, and its metrics where they are measured; see `surrogate`."""
    settings = (clip_range, clip_range_vf, ent_coef, vf_coef)
    loss, policy_term, value_term, new, table, _ = surrogate(policy, parameters, v, batch, *settings, counted)
    if not measured:
        return (loss,)
    unexplained = variance_of(batch.target - v, counted) / (variance_of(batch.target, counted) + 1e-8)
    kl, outside = approximate_kl(new, batch.log_prob, counted), clip_fraction(new, batch.log_prob, clip_range, counted)
    return loss, policy_term, value_term, kl, outside, policy.entropy(table, counted), 1.0 - unexplained
