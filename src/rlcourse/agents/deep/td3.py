"""TD3: twin delayed deep deterministic policy gradient (Fujimoto et al. 2018).

DDPG's actor climbs one critic, and finds where that critic errs upwards. TD3 mends it in three places: two critics of which the smaller
counts, a target action with clipped noise so that values are smooth in the action, and an actor that moves less often than the critics:

    A' = clip(pi_target(S') + clip(noise, -c, c), -1, 1),    y = R + gamma min_k Q_target_k(S', A')          (Eqs. 10, 14)
    minimise sum_k (Q_k(S, A) - y)^2;   every `policy_delay` updates: maximise Q_1(S, pi(S)), and move the targets by tau

It explores by noise added to its deterministic actions. With one critic, no target noise and no delay it is DDPG.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from rlcourse.agents.deep.action_noise import ActionNoise
from rlcourse.agents.deep.continuous_networks import Bounds, Critics, DeterministicActor
from rlcourse.agents.deep.modes import Modes
from rlcourse.agents.deep.off_policy import OffPolicyAgent
from rlcourse.agents.deep.optimizer import FlatAdam
from rlcourse.agents.deep.q_losses import critic_loss, td_targets
from rlcourse.agents.deep.replay import Replay
from rlcourse.agents.deep.target_network import Target
from rlcourse.core.config import Config, Count, Discount, GradientSteps, Interval, NonNegative, Positive, StepSize, Widths
from rlcourse.core.schedules import Schedule, value

__all__ = ["TD3", "TD3Config", "smoothed"]


@dataclass(frozen=True)
class TD3Config(Config):
    """Settings of `TD3`, named as in stable-baselines3."""

    n_envs: Count = 1  # copies of the environment
    learning_rate: Annotated[Schedule, Interval(0)] = 1e-3  # Adam's, of actor and critics; a number or linear(start, end, steps)
    buffer_size: Count = 1_000_000  # transitions in the replay memory
    learning_starts: Annotated[int, Interval(0)] = 100  # steps of random actions before the first update
    batch_size: Count = 256  # transitions per gradient step
    tau: StepSize = 0.005  # how far the targets move at each of their updates
    gamma: Discount = 0.99  # discount rate
    train_freq: Count = 1  # steps of each copy between updates
    gradient_steps: GradientSteps = 1  # gradient steps per update; -1: as many as transitions were gathered
    n_steps: Count = 1  # steps of a return before it bootstraps
    policy_delay: Count = 2  # updates of the critics per update of the actor and of the targets
    target_policy_noise: NonNegative = 0.2  # deviation of the noise in target actions
    target_noise_clip: NonNegative = 0.5  # that noise is clipped to this magnitude
    action_noise: Literal["normal", "ornstein_uhlenbeck"] = "normal"  # exploration: independent at each step, or a process
    action_noise_std: NonNegative = 0.1  # deviation of that noise, in units of half the range of an action
    max_grad_norm: Positive | None = None  # gradients of actor and of critics are clipped to this norm; none: never
    max_grad_value: Positive | None = None  # each element of the gradient is clipped to this magnitude; none: never
    hidden: Widths = (400, 300)  # widths of the hidden layers of actor and of each critic
    encoder: str = "auto"  # see rlcourse.encoders; actor and critics have one each
    encoder_mode: Literal["scratch", "frozen", "finetune", "warmstart"] = "scratch"  # taken over: fixed, at a tenth of the rate, or free
    encoder_from: str | None = None  # file of an agent, an autoencoder or a classifier whose encoder is taken over
    device: Literal["auto", "cpu", "cuda"] = "auto"  # auto: the faster of GPU and CPU, measured before learning; without a GPU the CPU
    precision: Literal["float32", "bfloat16"] = "float32"  # of the passes of networks; weights and losses are float32 in any case
    compile: bool = False  # run the passes of networks through torch.compile: the first of each kind then takes a minute


class TD3(OffPolicyAgent):
    """TD3 for bounded Box actions on any Gymnasium environment.

    Attributes
    ----------
    metrics : dict of str to float
        critic_loss, actor_loss, q (mean target), learning_rate.
    actor, target_actor : DeterministicActor
    critics, target_critics : Critics
    """

    Config = TD3Config
    actions = (gym.spaces.Box,)

    def _make(self) -> None:
        c = self.config
        self.bounds = Bounds(self.action_space, "TD3")
        shape = (self.seen_space, self.bounds.size, c.hidden, c.encoder, self.generator)
        self.actor = self._ready(DeterministicActor(*shape))
        self.critics = self._ready(Critics(*shape))
        self.actor_modes, self.critics_modes = (Modes(part, self.generator, c.batch_size) for part in (self.actor, self.critics))
        self._actor_target, self._critic_target = Target(self.actor), Target(self.critics)
        self.target_actor, self.target_critics = self._actor_target.network, self._critic_target.network
        self.actor_optimizer, self.critic_optimizer = (FlatAdam(part, **self._descent()) for part in (self.actor, self.critics))
        self.noise = ActionNoise(c.action_noise, c.action_noise_std, self.venv.num_envs, self.bounds.size)
        self.replay = Replay.of(self.venv, c.buffer_size, c.train_freq)

    def parts(self) -> dict[str, Any]:
        """Return networks, optimisers, the noise and the memory."""
        networks = {"actor": self.actor, "critics": self.critics, "target_actor": self.target_actor, "target_critics": self.target_critics}
        optimizers = {"actor_optimizer": self.actor_optimizer, "critic_optimizer": self.critic_optimizer}
        return networks | optimizers | {"noise": self.noise, "replay": self.replay}

    def _iterate(self, budget: int) -> None:
        """Act with noise and store; then sample and update (Algorithm 1)."""
        for _ in range(self._gather(budget)):
            self._update()

    def _explore(self, observations: Tensor) -> np.ndarray:
        """Return the actor's actions with noise, within [-1, 1]."""
        noise = self.noise(self.replay.starts[self.replay.row], self.rng)
        return np.clip(self.actor(observations).cpu().numpy() + noise, -1.0, 1.0)

    def _policy(self, observations: Tensor, deterministic: bool, masks: np.ndarray | None = None) -> np.ndarray:
        actions = self.actor(observations).cpu().numpy()
        if not deterministic:
            actions = np.clip(actions + self.config.action_noise_std * self.rng.standard_normal(actions.shape), -1.0, 1.0)
        return self.bounds.taken(actions)

    def _update(self) -> None:
        """Take one gradient step with the critics, and every `policy_delay` times with the actor."""
        c = self.config
        learning_rate = value(c.learning_rate, self.num_timesteps)
        S, A, R, S_, discount, *_ = self._replayed()
        with torch.no_grad():
            A_ = self.target_actor(S_)
            if c.target_policy_noise:
                noise = torch.randn(A_.shape, generator=self.generator).to(self.device)
                A_ = smoothed(A_, noise, c.target_policy_noise, c.target_noise_clip)
            y = td_targets(R, discount, self.target_critics(S_, A_).amin(0))
        with self.critics_modes.learning():
            q = self.critics(S, A)
        loss = 2.0 * critic_loss(q, y)
        self.critic_optimizer.step(loss, learning_rate)
        self.metrics |= {"critic_loss": loss.detach(), "q": y.mean(), "learning_rate": learning_rate}
        if self.critic_optimizer.steps % c.policy_delay == 0:
            self.critic_optimizer.fix(True)  # the actor's loss runs through them, and asks for no gradient of theirs
            with self.actor_modes.learning():
                A_pi = self.actor(S)
            actor_loss = -self.critics.first(S, A_pi).mean()
            self.actor_optimizer.step(actor_loss, learning_rate)
            self.critic_optimizer.fix(False)
            self._critic_target.follow(self.critic_optimizer, c.tau)
            self._actor_target.follow(self.actor_optimizer, c.tau)
            self.metrics["actor_loss"] = actor_loss.detach()


def smoothed(actions: Tensor, noise: Tensor, deviation: float | Tensor, clip: float | Tensor) -> Tensor:
    """Return actions [B, A] with clipped noise, within [-1, 1] (Eq. 14), of standard normal numbers [B, A]."""
    return (actions + (noise * deviation).clamp(-clip, clip)).clamp(-1.0, 1.0)  # type: ignore[arg-type]
