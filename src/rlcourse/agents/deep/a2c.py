"""A2C: advantage actor-critic, in copies that step together (Mnih et al. 2016, without the asynchrony).

Follow the policy for a few steps in every copy of the environment, look how much better it went than the critic had foreseen, and make
the actions taken more or less probable by that much; then do it again with fresh steps:

    d theta ~ grad log pi(a_t|s_t; theta) A_t + beta grad H(pi(s_t; theta)),   A_t = sum_i gamma^i r_{t+i} + gamma^k V(s_{t+k}) - V(s_t)

(the paper's section 4, n-step returns of all lengths up to the rollout's end: gae_lambda = 1). Every step is used once, for one gradient
step. The paper's threads are copies that share one network here; they decorrelate the data as well, and steps are batched. The optimiser
is the paper's RMSprop. An episode cut by a time limit bootstraps from the value of its true last observation; a terminated one does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import torch
from torch import Tensor

from rlcourse.agents.deep.advantages import advantages, flat_actions, flat_observations, last_observations
from rlcourse.agents.deep.base import DeepAgent
from rlcourse.agents.deep.losses import normalized, policy_gradient_loss, value_loss
from rlcourse.agents.deep.modes import Modes
from rlcourse.agents.deep.networks import ActorCritic
from rlcourse.agents.deep.optimizer import FlatAdam, FlatOptimizer, FlatRMSprop
from rlcourse.agents.deep.rollout import Rollout
from rlcourse.core.config import Config, Count, Discount, Interval, NonNegative, Positive, Probability, SomeWidths
from rlcourse.core.schedules import Schedule, value

__all__ = ["A2C", "A2CConfig", "policy_gradient"]


@dataclass(frozen=True)
class A2CConfig(Config):
    """Settings of `A2C`, named as in stable-baselines3."""

    n_envs: Count = 16  # copies of the environment
    n_steps: Count = 5  # steps of each copy per update (t_max of the paper)
    learning_rate: Annotated[Schedule, Interval(0)] = 7e-4  # a number or linear(start, end, steps)
    gamma: Discount = 0.99  # discount rate
    gae_lambda: Probability = 1.0  # trace decay of the advantage estimate; 1: n-step returns
    ent_coef: Annotated[Schedule, Interval(0)] = 0.0  # weight of the entropy bonus (beta); a number or linear(start, end, steps)
    vf_coef: NonNegative = 0.5  # weight of the value loss
    max_grad_norm: Positive | None = 0.5  # gradients are clipped to this norm; none: never
    max_grad_value: Positive | None = None  # each element of the gradient is clipped to this magnitude; none: never
    optimizer: Literal["rmsprop", "adam"] = "rmsprop"  # rmsprop: the paper's, epsilon within the root
    optimizer_eps: Positive = 1e-5  # epsilon of the optimiser
    rms_decay: Probability = 0.99  # decay of RMSprop's mean square
    normalize_advantage: bool = False  # per gradient step
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


class A2C(DeepAgent):
    """Advantage actor-critic, for Discrete and Box actions on any Gymnasium environment.

    Attributes
    ----------
    metrics : dict of str to float
        policy_loss, value_loss, entropy, learning_rate, explained_variance; of one update in a thousand steps.
    policy : ActorCritic
    """

    Config = A2CConfig
    between_callbacks = 1000  # an update is a matter of 80 steps

    def _make(self) -> None:
        c = self.config
        policy = ActorCritic(self.seen_space, self.action_space, c.hidden, c.encoder, self.generator, c.log_std_init)
        self.policy = self._ready(policy)
        self.modes = Modes(self.policy, self.generator)
        descent: dict[str, Any] = {"eps": c.optimizer_eps, **self._descent()}
        self.optimizer: FlatOptimizer = (
            FlatAdam(self.policy, **descent) if c.optimizer == "adam" else FlatRMSprop(self.policy, decay=c.rms_decay, **descent)
        )
        self.rollout = Rollout.for_policy(self.venv, c.n_steps)

    def parts(self) -> dict[str, Any]:
        """Return the network and its optimiser."""
        return {"policy": self.policy, "optimizer": self.optimizer}

    def _iterate(self, budget: int) -> None:
        """Follow the policy for n_steps in every copy, then one gradient step (the paper's Algorithm S3)."""
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
        """Take one gradient step with the rollout."""
        c = self.config
        learning_rate, ent_coef = value(c.learning_rate, self.num_timesteps), value(c.ent_coef, self.num_timesteps)
        loss, policy_term, value_term, table, v, G = self.loss(ent_coef)
        self.optimizer.step(loss, learning_rate)
        if self.modes.norms:
            self.modes.see(self.policy.encoder, self._tensor(flat_observations(self.rollout))[: self.rollout.valid])
        if self.metrics and self.num_timesteps % self.between_callbacks >= self.rollout.valid:
            return  # nobody looks before the next callback
        with torch.no_grad():
            unexplained = (G - v).var(correction=0) / (G.var(correction=0) + 1e-8)
            self.metrics = {
                "policy_loss": policy_term.item(),
                "value_loss": value_term.item(),
                "entropy": self.policy.entropy(table).item(),
                "learning_rate": learning_rate,
                "explained_variance": 1.0 - unexplained.item(),
            }

    def loss(self, ent_coef: float = 0.0) -> tuple[Tensor, ...]:
        """Return the rollout's loss, its policy and value terms, what the entropy needs, values, and their targets.

        One forward pass serves the loss, the advantages and the bootstrap.
        """
        c, r, B = self.config, self.rollout, self.rollout.valid
        with self.modes.learning():
            parameters, values = self.policy(self._tensor(flat_observations(r)))
        old = values.detach()
        actions = flat_actions(r, self.device)
        estimates = advantages(r, old.cpu().numpy(), self._at_cuts(), self.normalizer, c.gamma, c.gae_lambda)
        advantage = torch.as_tensor(estimates.reshape(-1)[:B], device=self.device)
        target = advantage + old[:B]
        advantage = normalized(advantage) if c.normalize_advantage else advantage
        terms = policy_gradient(self.policy, parameters[:B], values[:B], actions, advantage, target, ent_coef or None, c.vf_coef)
        return *terms, old[:B], target

    @torch.no_grad()
    def _at_cuts(self) -> np.ndarray | None:
        """Return the values of the last observations of the cut episodes, shape [cuts]."""
        last = last_observations(self.rollout)
        return None if last is None else self.policy(self._tensor(last))[1].cpu().numpy()


def policy_gradient(
    policy: ActorCritic,
    parameters: Tensor,
    v: Tensor,
    actions: Tensor,
    advantage: Tensor,
    target: Tensor,
    ent_coef: float | Tensor | None,
    vf_coef: float | Tensor,
) -> tuple[Tensor, ...]:
    """Return the loss, its policy and value terms, and what the entropy needs.

    Parameters
    ----------
    policy : ActorCritic
    parameters, v : Tensor, shape [B, A] and [B]
        What the policy makes of the observations.
    actions, advantage, target : Tensor, shape [B] or [B, A], [B] and [B]
    ent_coef, vf_coef
        See `A2CConfig`; without `ent_coef` the entropy is not computed.
    """
    log_prob, table = policy.log_prob(parameters, actions)
    policy_term, value_term = policy_gradient_loss(log_prob, advantage), value_loss(v, target)
    loss = policy_term + vf_coef * value_term
    if ent_coef is not None:
        loss = loss - ent_coef * policy.entropy(table)
    return loss, policy_term, value_term, table
