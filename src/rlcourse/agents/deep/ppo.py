"""PPO: proximal policy optimisation (Schulman et al. 2017).

A policy gradient says in which direction to change the policy, for the policy that gathered the data; after one step the data is
stale. PPO takes many steps on the same rollout by an objective that stops paying once the new policy is too far from the old one:

    L(theta) = E[min(r A, clip(r, 1 - eps, 1 + eps) A)],   r = pi_theta(a|s) / pi_old(a|s)        (Eq. 7)

A is the generalised advantage estimate (Schulman et al. 2016), from a critic that is trained beside the actor. An episode cut by a
time limit bootstraps from the value of its true last observation; one that terminated does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import torch

from rlcourse.agents.deep.advantages import advantages, flat_actions, flat_observations, last_observations
from rlcourse.agents.deep.base import DeepAgent
from rlcourse.agents.deep.losses import clipped_surrogate, normalized, value_loss
from rlcourse.agents.deep.networks import ActorCritic
from rlcourse.agents.deep.optimizer import FlatAdam
from rlcourse.agents.deep.rollout import Rollout
from rlcourse.core.config import Config, Count, Discount, Interval, NonNegative, Positive, Probability
from rlcourse.core.schedules import Schedule, value

__all__ = ["PPO", "PPOConfig"]


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
    ent_coef: NonNegative = 0.0  # weight of the entropy bonus
    vf_coef: NonNegative = 0.5  # weight of the value loss
    max_grad_norm: Positive | None = 0.5  # gradients are clipped to this norm; none: never
    max_grad_value: Positive | None = None  # each element of the gradient is clipped to this magnitude; none: never
    normalize_advantage: bool = True  # per gradient step
    normalize_observations: bool = False  # by running mean and deviation, kept in the agent's file
    normalize_rewards: bool = False  # by the running deviation of the discounted return
    hidden: tuple[int, ...] = (64, 64)  # widths of the hidden layers of actor and of critic
    log_std_init: float = 0.0  # initial log standard deviation of a Gaussian policy
    encoder: str = "auto"  # see rlcourse.encoders
    device: Literal["auto", "cpu", "cuda"] = "auto"  # auto: the GPU for images where there is one, else the CPU

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.hidden or any(width < 1 for width in self.hidden):
            raise ValueError(f"hidden must name at least one layer width >= 1, not {self.hidden!r}")


class PPO(DeepAgent):
    """PPO with a clipped objective, for Discrete and Box actions on any Gymnasium environment.

    Attributes
    ----------
    metrics : dict of str to float
        policy_loss, value_loss, entropy, learning_rate, explained_variance.
    policy : ActorCritic
    """

    Config = PPOConfig

    def _make(self) -> None:
        c = self.config
        self.policy = ActorCritic(self.observation_space, self.action_space, c.hidden, c.encoder, self.generator, c.log_std_init).to(
            self.device
        )
        self.optimizer = FlatAdam(self.policy, max_grad_norm=c.max_grad_norm, max_grad_value=c.max_grad_value, eps=1e-5)
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
    def _act(self, observations: np.ndarray, noise: torch.Tensor | None) -> tuple[np.ndarray, np.ndarray]:
        """Return actions to store and actions to take."""
        actions = self.policy.choose(self.policy.act(self._tensor(observations)), noise).cpu().numpy()
        return actions.reshape(len(actions), *(self.action_space.shape or ())), self._taken(actions)

    def _policy(self, observations: torch.Tensor, deterministic: bool) -> np.ndarray:
        noise = None if deterministic else self.policy.noise((len(observations),), self.generator).to(self.device)
        return self.policy.choose(self.policy.act(observations), noise).cpu().numpy()

    def _update(self) -> None:
        """Optimise the surrogate for n_epochs over the rollout, in minibatches."""
        c = self.config
        observations, actions, old_log_prob, advantage, target = self._prepare()
        learning_rate, clip_range = value(c.learning_rate, self.num_timesteps), value(c.clip_range, self.num_timesteps)
        whole = c.batch_size >= len(advantage)  # one batch: no shuffling, and one normalisation for all epochs
        normalise_each = c.normalize_advantage and not whole
        if c.normalize_advantage and whole:
            advantage = normalized(advantage)
        policy_term = value_term = entropy = torch.zeros(())
        for _ in range(c.n_epochs):
            order = None if whole else torch.randperm(len(advantage), generator=self.generator).to(self.device)
            for batch in (None,) if order is None else order.split(c.batch_size):
                samples = (observations, actions, old_log_prob, advantage, target)
                s, a, old, A, G = samples if batch is None else tuple(sample[batch] for sample in samples)
                A = normalized(A) if normalise_each else A
                parameters, v = self.policy(s)
                log_prob, table = self.policy.log_prob(parameters, a)
                policy_term, value_term = clipped_surrogate(log_prob, old, A, clip_range), value_loss(v, G)
                loss = torch.add(policy_term, value_term, alpha=c.vf_coef)
                if c.ent_coef:
                    entropy = self.policy.entropy(table)
                    loss = loss - c.ent_coef * entropy
                self.optimizer.step(loss, learning_rate)
        with torch.no_grad():
            unexplained = (G - v).var(correction=0) / (G.var(correction=0) + 1e-8)
            entropy = entropy if c.ent_coef else self.policy.entropy(table)
        self.metrics = {
            "policy_loss": policy_term.item(),
            "value_loss": value_term.item(),
            "entropy": entropy.item(),
            "learning_rate": learning_rate,
            "explained_variance": 1.0 - unexplained.item(),
        }

    @torch.no_grad()
    def _prepare(self) -> tuple[torch.Tensor, ...]:
        """Return observations, actions, their log-probabilities, advantages and value targets, flattened to [B, ...]."""
        c, r, B = self.config, self.rollout, self.rollout.valid
        observations, actions = self._tensor(flat_observations(r)), flat_actions(r, self.device)
        parameters, values = self.policy(observations)
        log_prob, _ = self.policy.log_prob(parameters[:B], actions)
        last = last_observations(r)
        at_cuts = None if last is None else self.policy(self._tensor(last))[1].cpu().numpy()
        estimates = advantages(r, values.cpu().numpy(), at_cuts, self.normalizer, c.gamma, c.gae_lambda)
        advantage = torch.as_tensor(estimates.reshape(-1)[:B], device=self.device)
        return observations[:B], actions, log_prob, advantage, advantage + values[:B]
