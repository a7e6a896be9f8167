"""PPO: proximal policy optimisation (Schulman et al. 2017).

A policy gradient says in which direction to change the policy, for the policy that gathered the data; after one step the data is
stale. PPO takes many steps on the same rollout by an objective that stops paying once the new policy is too far from the old one:

    L(theta) = E[min(r A, clip(r, 1 - eps, 1 + eps) A)],   r = pi_theta(a|s) / pi_old(a|s)        (Eq. 7)

A is the generalised advantage estimate (Schulman et al. 2016), from a critic that is trained beside the actor. An episode cut by a
time limit bootstraps from the value of its true last observation; one that terminated does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from rlcourse.agents.deep.advantages import advantages, flat_actions, flat_observations, last_observations
from rlcourse.agents.deep.base import DeepAgent
from rlcourse.agents.deep.losses import (
    approximate_kl,
    clip_fraction,
    clipped_surrogate,
    clipped_value_loss,
    normalized,
    value_loss,
)
from rlcourse.agents.deep.modes import Modes
from rlcourse.agents.deep.networks import ActorCritic
from rlcourse.agents.deep.optimizer import FlatAdam
from rlcourse.agents.deep.rollout import Rollout
from rlcourse.core.config import Config, Count, Discount, Interval, NonNegative, Positive, Probability, SomeWidths
from rlcourse.core.schedules import Schedule, value

__all__ = ["PPO", "PPOConfig", "Samples"]


@dataclass(frozen=True)
class PPOConfig(Config):
    """Settings of `PPO`, named as in stable-baselines3."""

    n_envs: Count = 8  # copies of the environment
    n_steps: Count = 128  # steps of each copy per rollout
    batch_size: Count = 256  # samples per gradient step
    n_epochs: Count = 10  # passes over each rollout
    learning_rate: Annotated[Schedule, Interval(0)] = 3e-4  # Adam's; a number or linear(start, end, steps)
    gamma: Discount = 0.99  # discount rate
    gae_lambda: Probability = 0.95  # trace decay of the advantage estimate
    clip_range: Annotated[Schedule, Interval(0)] = 0.2  # epsilon of Eq. 7; a number or linear(start, end, steps)
    clip_range_vf: Annotated[Schedule, Interval(0)] | None = None  # values move at most this far per rollout; depends on their scale
    target_kl: Positive | None = None  # a rollout's epochs end where the policy has moved 1.5 times this far (approximate KL)
    ent_coef: Annotated[Schedule, Interval(0)] = 0.0  # weight of the entropy bonus; a number or linear(start, end, steps)
    vf_coef: NonNegative = 0.5  # weight of the value loss
    max_grad_norm: Positive | None = 0.5  # gradients are clipped to this norm; none: never
    max_grad_value: Positive | None = None  # each element of the gradient is clipped to this magnitude; none: never
    normalize_advantage: bool = True  # per gradient step
    normalize_observations: bool = False  # by running mean and deviation, kept in the agent's file
    normalize_rewards: bool = False  # by the running deviation of the discounted return
    hidden: SomeWidths = (64, 64)  # widths of the hidden layers of actor and of critic
    log_std_init: float = 0.0  # initial log standard deviation of a Gaussian policy
    encoder: str = "auto"  # see rlcourse.encoders
    encoder_mode: Literal["scratch", "frozen", "finetune", "warmstart"] = "scratch"  # taken over: fixed, at a tenth of the rate, or free
    encoder_from: str | None = None  # file of an agent, an autoencoder or a classifier whose encoder is taken over
    device: Literal["auto", "cpu", "cuda"] = "auto"  # auto: the GPU for images where there is one, else the CPU


class Samples(NamedTuple):
    """Samples of a rollout, or some of them: tensors [B, ...]; log-probabilities and values are the old policy's.

    Of an agent whose encoder is frozen, observations are its features.
    """

    observations: Tensor
    actions: Tensor
    log_prob: Tensor
    value: Tensor
    advantage: Tensor
    target: Tensor


class PPO(DeepAgent):
    """PPO with a clipped objective, for Discrete and Box actions on any Gymnasium environment.

    Attributes
    ----------
    metrics : dict of str to float
        Of the last minibatch: policy_loss, value_loss, entropy, approx_kl, clip_fraction, explained_variance; learning_rate; and updates,
        the gradient steps on this rollout (fewer than planned where target_kl ended them).
    policy : ActorCritic
    """

    Config = PPOConfig

    def _make(self) -> None:
        c = self.config
        policy = ActorCritic(self.seen_space, self.action_space, c.hidden, c.encoder, self.generator, c.log_std_init)
        self.policy = self._ready(policy)
        self.modes = Modes(self.policy, self.generator)
        self._frozen = c.encoder_mode == "frozen"  # then every epoch takes the features of the first
        self.optimizer = FlatAdam(self.policy, eps=1e-5, **self._descent())
        self.rollout = Rollout.for_policy(self.venv, c.n_steps)

    def parts(self) -> dict[str, Any]:
        """Return the network and its optimiser."""
        return {"policy": self.policy, "optimizer": self.optimizer}

    def _iterate(self, budget: int) -> None:
        """Run the old policy for n_steps in every copy, then optimise the surrogate (Algorithm 1)."""
        noise = self.policy.noise((self.config.n_steps, self.venv.num_envs), self.generator).to(self.device)
        self._collect(self.rollout, lambda t, observations: self._act(observations, noise[t]), budget)
        self._update()

    @torch.no_grad()
    def _act(self, observations: np.ndarray, noise: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Return actions to store and actions to take."""
        actions = self.policy.choose(self.policy.act(self._tensor(observations)), noise).cpu().numpy()
        return actions.reshape(len(actions), *(self.action_space.shape or ())), self._taken(actions)

    def _policy(self, observations: Tensor, deterministic: bool, masks: np.ndarray | None = None) -> np.ndarray:
        noise = None if deterministic else self.policy.noise((len(observations),), self.generator).to(self.device)
        return self.policy.choose(self.policy.act(observations), noise).cpu().numpy()

    def _update(self) -> None:
        """Optimise the surrogate for n_epochs over the rollout, in minibatches."""
        c, step = self.config, self.num_timesteps
        rollout = self._prepare()
        learning_rate, clip_range, ent_coef = value(c.learning_rate, step), value(c.clip_range, step), value(c.ent_coef, step)
        clip_range_vf = None if c.clip_range_vf is None else value(c.clip_range_vf, step)
        whole = c.batch_size >= self.rollout.valid  # one batch: no shuffling
        updates = 0
        for batch in self._batches(rollout, whole):
            loss, *terms = self.loss(batch, clip_range, clip_range_vf, ent_coef)
            if c.target_kl is not None and approximate_kl(terms[2].detach(), batch.log_prob).item() > 1.5 * c.target_kl:
                break
            self.optimizer.step(loss, learning_rate)
            updates += 1
        self.modes.see(self.policy.encoder, rollout.observations)
        with torch.no_grad():
            policy_term, value_term, log_prob, table, v = terms
            unexplained = (batch.target - v).var(correction=0) / (batch.target.var(correction=0) + 1e-8)
            self.metrics = {
                "policy_loss": policy_term.item(),
                "value_loss": value_term.item(),
                "entropy": self.policy.entropy(table).item(),
                "approx_kl": approximate_kl(log_prob, batch.log_prob).item(),
                "clip_fraction": clip_fraction(log_prob, batch.log_prob, clip_range).item(),
                "explained_variance": 1.0 - unexplained.item(),
                "learning_rate": learning_rate,
                "updates": float(updates),
            }

    def _batches(self, rollout: Samples, whole: bool) -> Iterator[Samples]:
        """Yield the minibatches of all epochs, their advantages normalised."""
        c = self.config
        if whole and c.normalize_advantage:
            rollout = rollout._replace(advantage=normalized(rollout.advantage))
        for _ in range(c.n_epochs):
            if whole:
                yield rollout
                continue
            order = torch.randperm(len(rollout.target), generator=self.generator).to(self.device)
            for chosen in order.split(c.batch_size):
                batch = Samples(*(part[chosen] for part in rollout))
                yield batch._replace(advantage=normalized(batch.advantage)) if c.normalize_advantage else batch

    def loss(self, batch: Samples, clip_range: float, clip_range_vf: float | None = None, ent_coef: float = 0.0) -> tuple[Tensor, ...]:
        """Return the loss (Eq. 9), its policy and value terms, log-probabilities, what the entropy needs, and values."""
        with self.modes.learning():
            parameters, v = self.policy.decide(batch.observations) if self._frozen else self.policy(batch.observations)
        log_prob, table = self.policy.log_prob(parameters, batch.actions)
        policy_term = clipped_surrogate(log_prob, batch.log_prob, batch.advantage, clip_range)
        if clip_range_vf is None:
            value_term = value_loss(v, batch.target)
        else:
            value_term = clipped_value_loss(v, batch.value, batch.target, clip_range_vf)
        loss = torch.add(policy_term, value_term, alpha=self.config.vf_coef)
        if ent_coef:
            loss = loss - ent_coef * self.policy.entropy(table)
        return loss, policy_term, value_term, log_prob, table, v

    @torch.no_grad()
    def _prepare(self) -> Samples:
        """Return the rollout as samples, with what the old policy made of them."""
        c, r, B = self.config, self.rollout, self.rollout.valid
        observations, actions = self._tensor(flat_observations(r)), flat_actions(r, self.device)
        features = self.policy.encoder(observations)
        parameters, values = self.policy.decide(features)
        log_prob, _ = self.policy.log_prob(parameters[:B], actions)
        last = last_observations(r)
        at_cuts = None if last is None else self.policy(self._tensor(last))[1].cpu().numpy()
        estimates = advantages(r, values.cpu().numpy(), at_cuts, self.normalizer, c.gamma, c.gae_lambda)
        advantage = torch.as_tensor(estimates.reshape(-1)[:B], device=self.device)
        return Samples((features if self._frozen else observations)[:B], actions, log_prob, values[:B], advantage, advantage + values[:B])
