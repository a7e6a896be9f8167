"""CrossQ: batch normalisation in deep reinforcement learning (Bhatt et al. 2024).

SAC with three things changed and one removed: batch normalisation, wide critics, Adam with a short first moment - and no target
networks. Batch normalisation had failed in critics because the target Q(S', A') was computed with statistics of (S, A): the memory's
actions and the policy's are distributed differently, so the target network saw inputs that it had never been normalised for. The cure
is to ask for both in one pass,

    [Q_k(S, A); Q_k(S', A')] = one pass of [(S, A); (S', A')], A' ~ pi(.|S'),        k = 1, 2                       (Fig. 1)
    Y = R + gamma (min_k Q_k(S', A') - alpha ln pi(A'|S'))  without gradient;        loss = sum_k (Q_k(S, A) - Y)^2 / 2

so that the statistics are those of the mixture. A network so normalised needs no frozen copy, and learns with one update a step as
fast as others with twenty. The normalisation is batch renormalisation (Ioffe 2017), frozen when acting and while the actor climbs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from rlcourse.agents.deep.batched import BatchedMLP
from rlcourse.agents.deep.continuous_networks import Bounds, encoder_of, squashed
from rlcourse.agents.deep.modes import Modes
from rlcourse.agents.deep.off_policy import OffPolicyAgent
from rlcourse.agents.deep.optimizer import FlatAdam
from rlcourse.agents.deep.q_losses import critic_loss
from rlcourse.agents.deep.replay import Replay
from rlcourse.core.config import Config, Count, Discount, GradientSteps, Interval, Positive, Probability, Widths
from rlcourse.core.schedules import Schedule, value
from rlcourse.encoders.passes import forward_pass

__all__ = ["CrossQ", "CrossQConfig", "JointCritics", "NormalizedActor", "climbing_loss", "joint_loss", "temperature_loss"]


@dataclass(frozen=True)
class CrossQConfig(Config):
    """Settings of `CrossQ`, named as in stable-baselines3's contributions."""

    n_envs: Count = 1  # copies of the environment
    train_freq: Count = 1  # steps of each copy between updates
    gradient_steps: GradientSteps = 1  # gradient steps per update; -1: as many as transitions were gathered
    batch_size: Annotated[int, Interval(2)] = 256  # transitions per update, whose statistics count; the critics see twice as many inputs
    buffer_size: Count = 1_000_000  # transitions in the replay memory
    learning_starts: Annotated[int, Interval(0)] = 100  # steps of random actions before the first update
    learning_rate: Annotated[Schedule, Interval(0)] = 1e-3  # Adam's; a number or linear(start, end, steps)
    adam_beta1: Probability = 0.5  # Adam's decay of the first moment: short, because nothing else slows the targets
    gamma: Discount = 0.99  # discount rate
    n_steps: Count = 1  # steps of a return before it bootstraps
    policy_delay: Count = 3  # updates of the critics per update of the actor
    ent_coef: Positive | None = None  # temperature alpha; none: learned
    ent_coef_init: Positive = 1.0  # where a learned temperature begins
    target_entropy: float | None = None  # of a learned temperature; none: minus the number of action dimensions
    batch_norm_momentum: Probability = 0.01  # how far the running statistics move towards each batch
    renorm_warmup: Count = 100_000  # updates of plain batch normalisation before batch renormalisation
    batch_norm_actor: bool = True  # normalise in the actor too, by statistics of S when it learns
    max_grad_norm: Positive | None = None  # gradients of actor and of critics are clipped to this norm; none: never
    max_grad_value: Positive | None = None  # each element of the gradient is clipped to this magnitude; none: never
    hidden: Widths = (1024, 1024)  # widths of the hidden layers of each critic
    actor_hidden: Widths = (256, 256)  # widths of the hidden layers of the actor
    encoder: str = "auto"  # see rlcourse.encoders; trained by the critics alone
    encoder_mode: Literal["scratch", "frozen", "finetune", "warmstart"] = "scratch"  # taken over: fixed, at a tenth of the rate, or free
    encoder_from: str | None = None  # file of an agent, an autoencoder or a classifier whose encoder is taken over
    device: Literal["auto", "cpu", "cuda"] = "auto"  # auto: the faster of GPU and CPU, measured before learning; without a GPU the CPU
    precision: Literal["float32", "bfloat16"] = "float32"  # of the passes of networks; weights and losses are float32 in any case
    compile: bool = False  # run the passes of networks through torch.compile: the first of each kind then takes a minute


class CrossQ(OffPolicyAgent):
    """CrossQ for bounded Box actions on any Gymnasium environment; for Discrete ones see `DiscreteCrossQ`.

    Attributes
    ----------
    metrics : dict of str to float
        critic_loss, q (mean of the taken actions' values), ent_coef, and of the last update of the actor actor_loss and entropy.
    critics : JointCritics
    actor : NormalizedActor
    """

    Config = CrossQConfig
    actions = (gym.spaces.Box,)
    updates_at_start = True

    def _make(self) -> None:
        c = self.config
        self.bounds = Bounds(self.action_space, "CrossQ")
        self.entropy_wanted = -float(self.bounds.size) if c.target_entropy is None else c.target_entropy
        norm = {"momentum": c.batch_norm_momentum, "warmup": c.renorm_warmup}
        adam: dict[str, Any] = {"betas": (c.adam_beta1, 0.999), **self._descent()}
        critics = JointCritics(self.seen_space, self.bounds.size, c.hidden, c.encoder, norm, self.generator)
        self.critics = self._ready(critics)
        self.modes = Modes(self.critics, self.generator, c.batch_size)
        alpha = c.ent_coef_init if c.ent_coef is None else c.ent_coef
        actor_norm = norm if c.batch_norm_actor else None
        actor = NormalizedActor(self.critics.features_dim, self.bounds.size, c.actor_hidden, actor_norm, alpha, self.generator)
        self.actor = self._ready(actor)
        self.optimizer, self.actor_optimizer = FlatAdam(self.critics, **adam), FlatAdam(self.actor, **adam)
        self.replay = Replay.of(self.venv, c.buffer_size, c.train_freq)

    def parts(self) -> dict[str, Any]:
        """Return actor and critics with their running statistics, both optimisers and the memory."""
        optimizers = {"optimizer": self.optimizer, "actor_optimizer": self.actor_optimizer}
        return {"critics": self.critics, "actor": self.actor, "replay": self.replay, **optimizers}

    def _iterate(self, budget: int) -> None:
        """Act and store; then sample and update (Algorithm 1)."""
        for _ in range(self._gather(budget)):
            self._update()

    def _explore(self, observations: Tensor) -> np.ndarray:
        """Return a sample of the policy, within [-1, 1]."""
        sampled: np.ndarray = self.actor(self.critics.encode(observations), self._noise(len(observations)))[0].cpu().numpy()
        return sampled

    def _policy(self, observations: Tensor, deterministic: bool, masks: np.ndarray | None = None) -> np.ndarray:
        features = self.critics.encode(observations)
        return self.bounds.taken(self.actor.mode(features).cpu().numpy() if deterministic else self._explore(observations))

    def _noise(self, B: int) -> Tensor:
        return torch.randn((B, self.bounds.size), generator=self.generator).to(self.device)

    def _update(self) -> None:
        """Update the critics by one joint pass, and every policy_delay times the actor and the temperature."""
        c = self.config
        learning_rate = value(c.learning_rate, self.num_timesteps)
        s, a, r, s_, discount, *_ = self._replayed()
        alpha = self.actor.log_alpha.detach().exp()
        with self.modes.learning():
            features = self.critics.encode(torch.cat([s, s_]))
        with torch.no_grad():
            a_, log_pi_ = self.actor(features[len(s) :], self._noise(len(s)))
        q = self.critics(features, torch.cat([a, a_]), train=True)
        loss = joint_loss(q, r, discount, alpha * log_pi_)
        self.optimizer.step(loss, learning_rate)
        if self.optimizer.steps % c.policy_delay == 0:
            self._update_actor(features[: len(s)].detach(), alpha, learning_rate)
        self.metrics |= {"critic_loss": loss.detach(), "q": q.detach()[:, : len(s)].mean(), "ent_coef": alpha}

    def _update_actor(self, features: Tensor, alpha: Tensor, learning_rate: float) -> None:
        """Climb the critics, whose statistics stay, and move the temperature towards the entropy that is wanted."""
        self.optimizer.fix(True)
        actions, log_pi = self.actor(features, self._noise(len(features)), train=True)
        total = loss = climbing_loss(self.critics, features, actions, log_pi, alpha)
        if self.config.ent_coef is None:
            total = loss + temperature_loss(self.actor.log_alpha, log_pi, self.entropy_wanted)
        self.actor_optimizer.step(total, learning_rate)
        self.optimizer.fix(False)
        self.metrics |= {"actor_loss": loss.detach(), "entropy": -log_pi.detach().mean()}


class JointCritics(nn.Module):
    """Twin critics with batch renormalisation over one encoder, as one batched network."""

    def __init__(
        self,
        observation_space: Any,
        n_actions: int,
        hidden: tuple[int, ...],
        encoder: str,
        norm: dict[str, Any],
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.encoder = encoder_of(observation_space, encoder, generator)
        self.features_dim = int(self.encoder.features_dim)  # type: ignore[arg-type]
        self.heads = BatchedMLP(2, self.features_dim + n_actions, hidden, 1, generator, norm)

    @forward_pass
    def encode(self, observations: Any) -> Tensor:
        """Return the encoder's features, shape [B, F]."""
        features: Tensor = self.encoder(observations)
        return features

    @forward_pass
    def forward(self, features: Tensor, actions: Tensor, train: bool) -> Tensor:
        """Return both critics' values, shape [2, B], of features [B, F] and actions [B, A]; `train` as in `BatchRenorm.forward`."""
        out: Tensor = self.heads(torch.cat([features, actions], dim=1), train)
        return out.squeeze(2)


class NormalizedActor(nn.Module):
    """SAC's squashed Gaussian with batch renormalisation, and the temperature, which learns in the same rhythm."""

    def __init__(
        self, inputs: int, n_actions: int, hidden: tuple[int, ...], norm: dict[str, Any] | None, alpha: float, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.net = BatchedMLP(1, inputs, hidden, 2 * n_actions, generator, norm)
        self.log_alpha = nn.Parameter(torch.tensor(math.log(alpha)))

    @forward_pass
    def parameters_at(self, features: Tensor, train: bool = False) -> Tensor:
        """Return what `squashed` takes, shape [B, 2 A]; `train` as in `BatchRenorm.forward`."""
        out: Tensor = self.net(features, train)[0]
        return out

    def mode(self, features: Tensor) -> Tensor:
        """Return the actions of the means, shape [B, A]."""
        return torch.tanh(self.parameters_at(features).chunk(2, dim=1)[0])

    def forward(self, features: Tensor, noise: Tensor, train: bool = False) -> tuple[Tensor, Tensor]:
        """Return actions within [-1, 1], shape [B, A], and their log-probabilities, shape [B]; `train` as in `BatchRenorm.forward`."""
        return squashed(self.parameters_at(features, train), noise)


def joint_loss(q: Tensor, rewards: Tensor, discounts: Tensor, penalty: Tensor) -> Tensor:
    """Return half the mean squared error summed over critics, a scalar.

    Parameters
    ----------
    q : Tensor, shape [K, 2 B]
        Values of (S, A), then of (S', A'), from one pass.
    rewards, discounts : Tensor, shape [B]
        A discount is 0 where the episode terminated.
    penalty : Tensor, shape [B]
        alpha ln pi(A'|S').
    """
    now, then = q.chunk(2, dim=1)
    target = torch.addcmul(rewards, discounts, then.detach().amin(0) - penalty)
    return critic_loss(now, target)


def climbing_loss(critics: JointCritics, features: Tensor, actions: Tensor, log_pi: Tensor, alpha: Tensor) -> Tensor:
    """Return alpha times the log-probabilities [B] of actions [B, A] less the smaller critic's values, on average: the actor's loss."""
    return (alpha * log_pi - critics(features, actions, train=False).amin(0)).mean()


def temperature_loss(log_alpha: Tensor, log_pi: Tensor, entropy_wanted: float | Tensor) -> Tensor:
    """Return -log alpha (ln pi(A|S) + entropy wanted), of log-probabilities [B] on average, a scalar."""
    return -log_alpha * (log_pi.detach().mean() + entropy_wanted)
