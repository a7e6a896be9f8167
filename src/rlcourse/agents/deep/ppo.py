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
    value_loss,
)
from rlcourse.agents.deep.modes import Modes
from rlcourse.agents.deep.networks import ActorCritic
from rlcourse.agents.deep.optimizer import FlatAdam
from rlcourse.agents.deep.rollout import Rollout
from rlcourse.core.config import Config, Count, Discount, Interval, NonNegative, Positive, Probability, SomeWidths
from rlcourse.core.schedules import Schedule, value

__all__ = ["PPO", "PPOConfig", "Samples", "surrogate"]


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
    device: Literal["auto", "cpu", "cuda"] = "auto"  # auto: the faster of GPU and CPU, measured before learning; without a GPU the CPU
    precision: Literal["float32", "bfloat16"] = "float32"  # of the passes of networks; weights and losses are float32 in any case
    compile: bool = False  # run the passes of networks through torch.compile: the first of each kind then takes a minute


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
    data_parallel = True

    def _make(self) -> None:
        c = self.config
        policy = ActorCritic(self.seen_space, self.action_space, c.hidden, c.encoder, self.generator, c.log_std_init)
        self.policy = self._ready(policy)
        self.modes = Modes(self.policy, self.generator)
        self._frozen = c.encoder_mode == "frozen"  # then every epoch takes the features of the first
        self.optimizer = FlatAdam(self.policy, eps=1e-5, **self._descent())
        self.rollout = Rollout.for_policy(self.venv, c.n_steps)
        self.ranks.part(c.batch_size, "batch_size")

    def _begin(self, observation: np.ndarray, infos: Any) -> None:
        super()._begin(observation, infos)
        fixed = [parameter for parameter in self.policy.parameters() if not parameter.requires_grad]
        self.ranks.alike(self.optimizer.parameters, *fixed, *self.policy.buffers())

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
        updates = 0
        for batch, share in self._batches(rollout):
            loss, *terms = self.loss(batch, clip_range, clip_range_vf, ent_coef)
            if c.target_kl is not None:
                kl = self.ranks.means({"kl": approximate_kl(terms[2].detach(), batch.log_prob).item()}, share)["kl"]
                if kl > 1.5 * c.target_kl:
                    break
            self.optimizer.step(loss, learning_rate, share)
            updates += 1
        self.modes.see(self.policy.encoder, rollout.observations)
        self.ranks.alike(*(part for norm in self.modes.norms for part in norm.buffers()))
        with torch.no_grad():
            policy_term, value_term, log_prob, table, v = terms
            unexplained = (batch.target - v).var(correction=0) / (batch.target.var(correction=0) + 1e-8)
            metrics = {
                "policy_loss": policy_term.item(),
                "value_loss": value_term.item(),
                "entropy": self.policy.entropy(table).item(),
                "approx_kl": approximate_kl(log_prob, batch.log_prob).item(),
                "clip_fraction": clip_fraction(log_prob, batch.log_prob, clip_range).item(),
                "explained_variance": 1.0 - unexplained.item(),
                "learning_rate": learning_rate,
                "updates": float(updates),
            }
            self.metrics = self.ranks.means(metrics, share)

    def _batches(self, rollout: Samples) -> Iterator[tuple[Samples, float]]:
        """Yield the minibatches of all epochs, their advantages normalised, or what this rank has of each, and its share."""
        c, ranks = self.config, self.ranks
        whole = ranks.whole(c.batch_size)  # one batch: no shuffling
        if whole and c.normalize_advantage:
            rollout = rollout._replace(advantage=ranks.normalized(rollout.advantage))
        for _ in range(c.n_epochs):
            if whole:
                yield rollout, ranks.share(0, c.batch_size)
                continue
            order = torch.randperm(len(rollout.target), generator=self.generator).to(self.device)
            for k, chosen in enumerate(ranks.split(order, c.batch_size)):
                batch = Samples(*(part[chosen] for part in rollout))
                batch = batch._replace(advantage=ranks.normalized(batch.advantage)) if c.normalize_advantage else batch
                yield batch, ranks.share(k, c.batch_size)

    def loss(self, batch: Samples, clip_range: float, clip_range_vf: float | None = None, ent_coef: float = 0.0) -> tuple[Tensor, ...]:
        """Return the loss (Eq. 9), its policy and value terms, log-probabilities, what the entropy needs, and values."""
        with self.modes.learning():
            parameters, v = self.policy.decide(batch.observations) if self._frozen else self.policy(batch.observations)
        return surrogate(self.policy, parameters, v, batch, clip_range, clip_range_vf, ent_coef or None, self.config.vf_coef)

    @torch.no_grad()
    def _prepare(self) -> Samples:
        """Return the rollout as samples, with what the old policy made of them."""
        c, r, B = self.config, self.rollout, self.rollout.valid
        observations, actions = self._tensor(flat_observations(r)), flat_actions(r, self.device)
        features = self.policy.encode(observations)
        parameters, values = self.policy.decide(features)
        log_prob, _ = self.policy.log_prob(parameters[:B], actions)
        last = last_observations(r)
        at_cuts = None if last is None else self.policy(self._tensor(last))[1].cpu().numpy()
        estimates = advantages(r, values.cpu().numpy(), at_cuts, self.normalizer, c.gamma, c.gae_lambda)
        advantage = torch.as_tensor(estimates.reshape(-1)[:B], device=self.device)
        return Samples((features if self._frozen else observations)[:B], actions, log_prob, values[:B], advantage, advantage + values[:B])


def surrogate(
    policy: ActorCritic,
    parameters: Tensor,
    v: Tensor,
    batch: Samples,
    clip_range: float | Tensor,
    clip_range_vf: float | Tensor | None,
    ent_coef: float | Tensor | None,
    vf_coef: float | Tensor,
    counted: Tensor | None = None,
) -> tuple[Tensor, ...]:
    """Return the loss (Eq. 9), its policy and value terms, log-probabilities, what the entropy needs, and values.

    Parameters
    ----------
    policy : ActorCritic
    parameters, v : Tensor, shape [B, A] and [B]
        What the policy makes of the batch's observations.
    batch : Samples
    clip_range, clip_range_vf, ent_coef, vf_coef
        See `PPOConfig`; without `ent_coef` the entropy is not computed.
    counted : Tensor of bool, shape [B], optional
        Samples that there are; all by default.
    """
    log_prob, table = policy.log_prob(parameters, batch.actions)
    policy_term = clipped_surrogate(log_prob, batch.log_prob, batch.advantage, clip_range, counted)
    if clip_range_vf is None:
        value_term = value_loss(v, batch.target, counted)
    else:
        value_term = clipped_value_loss(v, batch.value, batch.target, clip_range_vf, counted)
    loss = policy_term + vf_coef * value_term
    if ent_coef is not None:
        loss = loss - ent_coef * policy.entropy(table, counted)
    return loss, policy_term, value_term, log_prob, table, v
