"""Discrete CrossQ: Q-learning with batch normalisation in the place of target networks (after Bhatt et al. 2024).

CrossQ (`rlcourse.agents.deep.crossq`) shows for continuous actions that batch normalisation stabilises bootstrapping once the values of
S, A and of S', A' come from one forward pass: the statistics are then those of the mixture, and the target is in distribution for the
very network that is learning, so no frozen copy of it is needed. With finitely many actions no actor is needed either:

    [Q_k(S, .); Q_k(S', .)] = one pass of [S; S'], a batch of 2B,        k = 1, 2
    Y = R + gamma max_a min_k Q_k(S', a)  without gradient;        loss = sum_k (Q_k(S, A) - Y)^2 / 2

A max over one live network chases its own noise upwards, so there are twin critics and their minimum (Fujimoto et al. 2018); both are one
batched network. The behaviour is epsilon-greedy as DQN's. A soft policy as in discrete SAC would also do; it was left out because it
needs an actor or a temperature, and the point here is how little is left: one network, one pass, one optimiser, one update a step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from rlcourse.agents.deep.batched import BatchedMLP
from rlcourse.agents.deep.continuous_networks import encoder_of
from rlcourse.agents.deep.modes import Modes
from rlcourse.agents.deep.off_policy import OffPolicyAgent
from rlcourse.agents.deep.optimizer import FlatAdam
from rlcourse.agents.deep.q_losses import best_actions, critic_loss, existing, taken
from rlcourse.agents.deep.replay import Replay
from rlcourse.core.config import Config, Count, Discount, GradientSteps, Interval, Positive, Probability, Widths
from rlcourse.core.schedules import Linear, Schedule, value
from rlcourse.encoders.passes import forward_pass

__all__ = ["DiscreteCrossQ", "DiscreteCrossQConfig", "TwinQ", "joint_loss"]


@dataclass(frozen=True)
class DiscreteCrossQConfig(Config):
    """Settings of `DiscreteCrossQ`."""

    n_envs: Count = 1  # copies of the environment
    train_freq: Count = 1  # steps of each copy between updates
    gradient_steps: GradientSteps = 1  # gradient steps per update; -1: as many as transitions were gathered
    batch_size: Annotated[int, Interval(2)] = 128  # transitions per update, whose statistics count; the network sees twice as many
    buffer_size: Count = 100_000  # transitions in the replay memory
    learning_starts: Annotated[int, Interval(0)] = 1_000  # steps of random actions before the first update
    learning_rate: Annotated[Schedule, Interval(0)] = 1e-3  # Adam's; a number or linear(start, end, steps)
    adam_beta1: Probability = 0.5  # Adam's decay of the first moment: short, because nothing else slows the targets
    gamma: Discount = 0.99  # discount rate
    n_steps: Count = 1  # steps of a return before it bootstraps
    exploration_initial_eps: Probability = 1.0  # probability of a random action at the beginning
    exploration_final_eps: Probability = 0.05  # probability of a random action after exploration_steps
    exploration_steps: Count = 10_000  # steps over which the probability falls, on a straight line
    n_critics: Count = 2  # networks whose minimum is bootstrapped from
    batch_norm_momentum: Probability = 0.01  # how far the running statistics move towards each batch
    renorm_warmup: Count = 100_000  # updates of plain batch normalisation before batch renormalisation
    max_grad_norm: Positive | None = None  # gradients are clipped to this norm; none: never
    max_grad_value: Positive | None = None  # each element of the gradient is clipped to this magnitude; none: never
    hidden: Widths = (256, 256)  # widths of the hidden layers
    encoder: str = "auto"  # see rlcourse.encoders
    encoder_mode: Literal["scratch", "frozen", "finetune", "warmstart"] = "scratch"  # taken over: fixed, at a tenth of the rate, or free
    encoder_from: str | None = None  # file of an agent, an autoencoder or a classifier whose encoder is taken over
    device: Literal["auto", "cpu", "cuda"] = "auto"  # auto: the faster of GPU and CPU, measured before learning; without a GPU the CPU
    precision: Literal["float32", "bfloat16"] = "float32"  # of the passes of networks; weights and losses are float32 in any case
    compile: bool = False  # run the passes of networks through torch.compile: the first of each kind then takes a minute


class DiscreteCrossQ(OffPolicyAgent):
    """CrossQ for Discrete actions on any Gymnasium environment.

    Attributes
    ----------
    metrics : dict of str to float
        q_loss, q (mean of the taken actions' values), epsilon.
    network : TwinQ
    """

    Config = DiscreteCrossQConfig
    actions = (gym.spaces.Discrete,)
    heeds_masks = True
    updates_at_start = True

    def _make(self) -> None:
        c = self.config
        self.epsilon = Linear(c.exploration_initial_eps, c.exploration_final_eps, c.exploration_steps)
        norm = {"momentum": c.batch_norm_momentum, "warmup": c.renorm_warmup}
        network = TwinQ(self.seen_space, self.n_actions, c.hidden, c.encoder, c.n_critics, norm, self.generator)
        self.network = self._ready(network)
        self.modes = Modes(self.network, self.generator, c.batch_size)
        self.optimizer = FlatAdam(self.network, betas=(c.adam_beta1, 0.999), **self._descent())
        self.replay = Replay.of(self.venv, c.buffer_size, c.train_freq)

    def parts(self) -> dict[str, Any]:
        """Return the network with its running statistics, the optimiser and the memory."""
        return {"network": self.network, "optimizer": self.optimizer, "replay": self.replay}

    def _iterate(self, budget: int) -> None:
        """Act and store; then sample and update (Algorithm 1 without its actor)."""
        for _ in range(self._gather(budget)):
            self._update()

    def _policy(self, observations: Tensor, deterministic: bool, masks: np.ndarray | None = None) -> np.ndarray:
        allowed = None if masks is None else torch.from_numpy(masks).to(self.device)
        greedy: np.ndarray = best_actions(self.network(observations, train=False).amin(0), allowed).cpu().numpy()
        if deterministic:
            return greedy
        random = self.rng.random(len(greedy)) < self.epsilon.at(self.num_timesteps)
        return np.where(random, self._random(len(greedy), masks), greedy)

    def _update(self) -> None:
        """Go one step down the joint loss; this is all that moves the running statistics."""
        c = self.config
        s, a, r, s_, discount, _, masks_ = self._replayed()
        with self.modes.learning():
            both = self.network(torch.cat([s, s_]), train=True)
        loss, q = joint_loss(both, a, r, discount, masks_)
        self.optimizer.step(loss, value(c.learning_rate, self.num_timesteps))
        self.metrics = {"q_loss": loss.detach(), "q": q.detach().mean(), "epsilon": self.epsilon.at(self.num_timesteps)}


class TwinQ(nn.Module):
    """Critics with batch renormalisation over one encoder, as one batched network."""

    def __init__(
        self,
        observation_space: Any,
        n_actions: int,
        hidden: tuple[int, ...],
        encoder: str,
        n_critics: int,
        norm: dict[str, Any],
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.encoder = encoder_of(observation_space, encoder, generator)
        self.heads = BatchedMLP(n_critics, int(self.encoder.features_dim), hidden, n_actions, generator, norm)  # type: ignore[arg-type]

    @forward_pass
    def forward(self, observations: Tensor, train: bool) -> Tensor:
        """Return the critics' values, shape [K, B, A]; `train` as in `BatchRenorm.forward`."""
        out: Tensor = self.heads(self.encoder(observations), train)
        return out


def joint_loss(q: Tensor, actions: Tensor, rewards: Tensor, discounts: Tensor, masks: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return half the mean squared error summed over critics, a scalar, and the taken actions' values, shape [K, B].

    Parameters
    ----------
    q : Tensor, shape [K, 2 B, A]
        Values of the observations, then of their successors, from one pass.
    actions : Tensor of int, shape [B]
    rewards, discounts : Tensor, shape [B]
        A discount is 0 where the episode terminated.
    masks : Tensor of bool, shape [B, A], optional
        Actions that exist at the successors.
    """
    now, then = q.chunk(2, dim=1)
    values = taken(now, actions)
    target = torch.addcmul(rewards, discounts, existing(then.detach().amin(0), masks).amax(1))
    return critic_loss(values, target), values
