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

from rlcourse import encoders
from rlcourse.agents.deep.base import DeepAgent
from rlcourse.agents.deep.batched import BatchedMLP
from rlcourse.agents.deep.optimizer import FlatAdam
from rlcourse.agents.deep.replay import Replay
from rlcourse.core.config import Config, Count, Discount, Interval, Positive, Probability
from rlcourse.core.schedules import Schedule, value

__all__ = ["CrossQ", "CrossQConfig", "JointCritics", "SquashedActor", "joint_loss"]


@dataclass(frozen=True)
class CrossQConfig(Config):
    """Settings of `CrossQ`, named as in stable-baselines3's contributions."""

    n_envs: Count = 1  # copies of the environment, stepped once a round
    gradient_steps: Count = 1  # updates a round
    batch_size: Count = 256  # transitions per update; the critics see twice as many inputs
    buffer_size: Count = 1_000_000  # transitions in the replay memory
    learning_starts: Count = 100  # steps of random actions before the first update
    learning_rate: Annotated[Schedule, Interval(0)] = 1e-3  # Adam's; a number or linear(start, end, steps)
    adam_beta1: Probability = 0.5  # Adam's decay of the first moment: short, because nothing else slows the targets
    gamma: Discount = 0.99  # discount rate
    policy_delay: Count = 3  # updates of the critics per update of the actor
    ent_coef: Positive | None = None  # temperature alpha; none: learned
    ent_coef_init: Positive = 1.0  # where a learned temperature begins
    target_entropy: float | None = None  # of a learned temperature; none: minus the number of action dimensions
    batch_norm_momentum: Probability = 0.01  # how far the running statistics move towards each batch
    renorm_warmup: Count = 100_000  # updates of plain batch normalisation before batch renormalisation
    batch_norm_actor: bool = True  # normalise in the actor too, by statistics of S when it learns
    max_grad_norm: Positive | None = None  # gradients of actor and of critics are clipped to this norm; none: never
    max_grad_value: Positive | None = None  # each element of the gradient is clipped to this magnitude; none: never
    hidden: tuple[int, ...] = (1024, 1024)  # widths of the hidden layers of each critic
    actor_hidden: tuple[int, ...] = (256, 256)  # widths of the hidden layers of the actor
    encoder: str = "auto"  # see rlcourse.encoders; trained by the critics alone
    device: Literal["auto", "cpu", "cuda"] = "auto"  # auto: the GPU for images where there is one, else the CPU

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch_size < 2:
            raise ValueError(f"batch_size must be at least 2, not {self.batch_size}: statistics of one transition say nothing")
        if any(width < 1 for width in (*self.hidden, *self.actor_hidden)):
            raise ValueError(f"hidden and actor_hidden must name layer widths >= 1, not {self.hidden!r} and {self.actor_hidden!r}")


class CrossQ(DeepAgent):
    """CrossQ for bounded Box actions on any Gymnasium environment; for Discrete ones see `DiscreteCrossQ`.

    Attributes
    ----------
    metrics : dict of str to float
        critic_loss, q (mean of the taken actions' values), ent_coef, and of the last update of the actor actor_loss and entropy.
    critics : JointCritics
    actor : SquashedActor
    """

    Config = CrossQConfig
    actions = (gym.spaces.Box,)
    between_callbacks = 1000

    def _make(self) -> None:
        c, space = self.config, self.action_space
        assert isinstance(space, gym.spaces.Box)
        if not space.is_bounded():
            raise ValueError(f"CrossQ needs actions with finite bounds, not {space}; wrap it in gymnasium.wrappers.RescaleAction")
        self.n_actions = math.prod(space.shape)
        self.middle, self.half = (space.high / 2.0 + space.low / 2.0), (space.high / 2.0 - space.low / 2.0)
        self.entropy_wanted = -float(self.n_actions) if c.target_entropy is None else c.target_entropy
        norm = {"momentum": c.batch_norm_momentum, "warmup": c.renorm_warmup}
        clip = {"max_grad_norm": c.max_grad_norm, "max_grad_value": c.max_grad_value, "betas": (c.adam_beta1, 0.999)}
        self.critics = JointCritics(self.observation_space, self.n_actions, c.hidden, c.encoder, norm, self.generator).to(self.device)
        alpha = c.ent_coef_init if c.ent_coef is None else c.ent_coef
        self.actor = SquashedActor(
            self.critics.features_dim, self.n_actions, c.actor_hidden, norm if c.batch_norm_actor else None, alpha, self.generator
        ).to(self.device)
        self.optimizer, self.actor_optimizer = FlatAdam(self.critics, **clip), FlatAdam(self.actor, **clip)
        self.replay = Replay.of(self.venv, c.buffer_size)

    def parts(self) -> dict[str, Any]:
        """Return actor and critics with their running statistics, both optimisers and the memory."""
        optimizers = {"optimizer": self.optimizer, "actor_optimizer": self.actor_optimizer}
        return {"critics": self.critics, "actor": self.actor, "replay": self.replay, **optimizers}

    def _iterate(self, budget: int) -> None:
        """Step every copy once, then update (Algorithm 1)."""
        self._collect(self.replay, self._act, budget)
        if self.num_timesteps >= self.config.learning_starts:
            for _ in range(self.config.gradient_steps):
                self._update()

    @torch.no_grad()
    def _act(self, t: int, observations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return actions to store, within [-1, 1], and actions to take."""
        if self.num_timesteps < self.config.learning_starts:
            actions = self.rng.uniform(-1.0, 1.0, (len(observations), *self.middle.shape)).astype(np.float32)
        else:
            actions = self._squashed(self._tensor(observations), False)
        return actions, self._taken(self.middle + self.half * actions)

    def _squashed(self, observations: Tensor, deterministic: bool) -> np.ndarray:
        """Return actions within [-1, 1], shape [B, ...]."""
        noise = None if deterministic else self._noise(len(observations))
        actions: np.ndarray = self.actor(self.critics.encoder(observations), noise)[0].cpu().numpy()
        return actions.reshape(-1, *self.middle.shape)

    def _policy(self, observations: Tensor, deterministic: bool) -> np.ndarray:
        actions: np.ndarray = self.middle + self.half * self._squashed(observations, deterministic)
        return actions.astype(self.action_space.dtype)

    def _noise(self, size: int) -> Tensor:
        return torch.randn((size, self.n_actions), generator=self.generator).to(self.device)

    def _update(self) -> None:
        """Update the critics by one joint pass, and every policy_delay times the actor and the temperature."""
        c = self.config
        learning_rate = value(c.learning_rate, self.num_timesteps)
        batch = self.replay.sample(c.batch_size, self.rng, c.gamma)
        s, s_ = self._tensor(batch.observations), self._tensor(batch.next_observations)
        a, r, discount = (torch.from_numpy(part).to(self.device) for part in (batch.actions, batch.rewards, batch.discounts))
        alpha = self.actor.log_alpha.detach().exp()
        features = self.critics.encoder(torch.cat([s, s_]))
        with torch.no_grad():
            a_, log_pi_ = self.actor(features[len(s) :], self._noise(len(s)))
        q = self.critics(features, torch.cat([a.reshape(len(s), -1), a_]), train=True)
        loss = joint_loss(q, r, discount, alpha * log_pi_)
        self.optimizer.step(loss, learning_rate)
        if self.optimizer.steps % c.policy_delay == 0:
            self._update_actor(features[: len(s)].detach(), alpha, learning_rate)
        self.metrics |= {"critic_loss": loss.detach(), "q": q.detach()[:, : len(s)].mean(), "ent_coef": alpha}

    def _update_actor(self, features: Tensor, alpha: Tensor, learning_rate: float) -> None:
        """Climb the critics, whose statistics stay, and move the temperature towards the entropy that is wanted."""
        self.critics.requires_grad_(False)
        actions, log_pi = self.actor(features, self._noise(len(features)), train=True)
        loss = (alpha * log_pi - self.critics(features, actions, train=False).amin(0)).mean()
        total = loss
        if self.config.ent_coef is None:
            total = loss - self.actor.log_alpha * (log_pi.detach().mean() + self.entropy_wanted)
        self.actor_optimizer.step(total, learning_rate)
        self.critics.requires_grad_(True)
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
        with torch.random.fork_rng(devices=[]):  # encoders initialise from torch's global generator
            torch.manual_seed(int(torch.randint(2**62, (1,), generator=generator)))
            self.encoder = encoders.make(encoder, observation_space)
        self.features_dim = int(self.encoder.features_dim)  # type: ignore[arg-type]
        self.heads = BatchedMLP(2, self.features_dim + n_actions, hidden, 1, generator, norm)

    def forward(self, features: Tensor, actions: Tensor, train: bool) -> Tensor:
        """Return both critics' values, shape [2, B], of features [B, F] and actions [B, A]; `train` as in `BatchRenorm.forward`."""
        out: Tensor = self.heads(torch.cat([features, actions], dim=1), train)
        return out.squeeze(2)


class SquashedActor(nn.Module):
    """A Gaussian squashed by tanh (Haarnoja et al. 2018), and the temperature, which learns in the same rhythm."""

    def __init__(
        self, inputs: int, n_actions: int, hidden: tuple[int, ...], norm: dict[str, Any] | None, alpha: float, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.net = BatchedMLP(1, inputs, hidden, 2 * n_actions, generator, norm)
        self.log_alpha = nn.Parameter(torch.tensor(math.log(alpha)))

    def forward(self, features: Tensor, noise: Tensor | None, train: bool = False) -> tuple[Tensor, Tensor]:
        """Return actions within [-1, 1], shape [B, A], and their log-probabilities, shape [B]; without noise the mode."""
        mean, log_std = self.net(features, train)[0].chunk(2, dim=1)
        if noise is None:
            return torch.tanh(mean), torch.zeros(len(mean))
        log_std = log_std.clamp(-20.0, 2.0)
        u = torch.addcmul(mean, noise, log_std.exp())
        # ln(1 - tanh(u)^2) = 2 (ln 2 - u - softplus(-2 u)), which does not round to ln 0
        log_slope = 2.0 * (math.log(2.0) - u - nn.functional.softplus(-2.0 * u))
        log_prob = -(0.5 * noise * noise + log_std + log_slope).sum(1) - 0.5 * math.log(2.0 * math.pi) * noise.shape[1]
        return torch.tanh(u), log_prob


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
    return 0.5 * (now - target).square().mean(1).sum()
