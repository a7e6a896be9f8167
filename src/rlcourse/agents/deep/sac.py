"""SAC: soft actor-critic (Haarnoja et al. 2018).

Deterministic policy gradients explore by noise that somebody chose. SAC wants a policy that is good and as random as it can be: it
maximises the return plus alpha times the entropy, and so explores as long as it does not know better. Its twin critics learn, from
replayed transitions, by the smaller of two target values (against overestimation),

    y = R + gamma (min_k Q_target_k(S', A') - alpha ln pi(A'|S')),   A' ~ pi(.|S');    minimise sum_k (Q_k(S, A) - y)^2 / 2    (Eq. 5)

the actor climbs them, minimising alpha ln pi(A|S) - min_k Q_k(S, A) through its own sample (Eq. 7), and the temperature alpha moves until
the entropy is what is wanted (Eq. 18). The policy is a Gaussian squashed by tanh; its log-probability is that of the squashed action.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from rlcourse.agents.deep.action_noise import HeldNoise
from rlcourse.agents.deep.continuous_networks import Bounds, Critics, SquashedActor
from rlcourse.agents.deep.modes import Modes
from rlcourse.agents.deep.off_policy import OffPolicyAgent
from rlcourse.agents.deep.optimizer import FlatAdam
from rlcourse.agents.deep.q_losses import critic_loss, td_targets
from rlcourse.agents.deep.replay import Replay
from rlcourse.agents.deep.target_network import Target
from rlcourse.core.config import Config, Count, Discount, GradientSteps, Interval, Positive, StepSize, Widths
from rlcourse.core.schedules import Schedule, value

__all__ = ["SAC", "SACConfig", "Temperature", "soft_values", "temperature_slope"]


@dataclass(frozen=True)
class SACConfig(Config):
    """Settings of `SAC`, named as in stable-baselines3."""

    n_envs: Count = 1  # copies of the environment
    learning_rate: Annotated[Schedule, Interval(0)] = 3e-4  # Adam's, of all networks; a number or linear(start, end, steps)
    buffer_size: Count = 1_000_000  # transitions in the replay memory
    learning_starts: Annotated[int, Interval(0)] = 100  # steps of random actions before the first update
    batch_size: Count = 256  # transitions per gradient step
    tau: StepSize = 0.005  # how far the target critics move at each of their updates
    gamma: Discount = 0.99  # discount rate
    train_freq: Count = 1  # steps of each copy between updates
    gradient_steps: GradientSteps = 1  # gradient steps per update; -1: as many as transitions were gathered
    target_update_interval: Count = 1  # gradient steps between updates of the target critics
    n_steps: Count = 1  # steps of a return before it bootstraps
    noise_steps: Count = 1  # steps for which a sampled action keeps its noise: more of them explore further
    ent_coef: Positive | None = None  # temperature alpha; none: learned
    ent_coef_init: Positive = 1.0  # where a learned temperature begins
    target_entropy: float | None = None  # of a learned temperature; none: minus the number of action dimensions
    max_grad_norm: Positive | None = None  # gradients of actor and of critics are clipped to this norm; none: never
    max_grad_value: Positive | None = None  # each element of the gradient is clipped to this magnitude; none: never
    hidden: Widths = (256, 256)  # widths of the hidden layers of actor and of each critic
    encoder: str = "auto"  # see rlcourse.encoders; actor and critics have one each
    encoder_mode: Literal["scratch", "frozen", "finetune", "warmstart"] = "scratch"  # taken over: fixed, at a tenth of the rate, or free
    encoder_from: str | None = None  # file of an agent, an autoencoder or a classifier whose encoder is taken over
    device: Literal["auto", "cpu", "cuda"] = "auto"  # auto: the faster of GPU and CPU, measured before learning; without a GPU the CPU
    precision: Literal["float32", "bfloat16"] = "float32"  # of the passes of networks; weights and losses are float32 in any case
    compile: bool = False  # run the passes of networks through torch.compile: the first of each kind then takes a minute


class SAC(OffPolicyAgent):
    """SAC for bounded Box actions on any Gymnasium environment; for Discrete ones see `DiscreteSAC`.

    Attributes
    ----------
    metrics : dict of str to float
        critic_loss, actor_loss, ent_coef, entropy, learning_rate.
    actor : SquashedActor
    critics, target_critics : Critics
    """

    Config = SACConfig
    actions = (gym.spaces.Box,)

    def _make(self) -> None:
        c = self.config
        self.bounds = Bounds(self.action_space, "SAC")
        self.entropy_wanted = -float(self.bounds.size) if c.target_entropy is None else c.target_entropy
        shape = (self.seen_space, self.bounds.size, c.hidden, c.encoder, self.generator)
        self.actor, self.critics = self._ready(SquashedActor(*shape)), self._ready(Critics(*shape))
        self.actor_modes, self.critics_modes = (Modes(part, self.generator, c.batch_size) for part in (self.actor, self.critics))
        self.temperature = self._ready(Temperature(c.ent_coef_init if c.ent_coef is None else c.ent_coef))
        self._target = Target(self.critics)
        self.target_critics = self._target.network
        self.actor_optimizer, self.critic_optimizer = (FlatAdam(part, **self._descent()) for part in (self.actor, self.critics))
        self.temperature_optimizer = FlatAdam(self.temperature)
        self.noise = HeldNoise(c.noise_steps, self.venv.num_envs, self.bounds.size)
        self.replay = Replay.of(self.venv, c.buffer_size, c.train_freq)

    def parts(self) -> dict[str, Any]:
        """Return networks, optimisers, the noise and the memory."""
        networks = {"actor": self.actor, "critics": self.critics, "target": self.target_critics, "temperature": self.temperature}
        optimizers = {"actor_optimizer": self.actor_optimizer, "critic_optimizer": self.critic_optimizer}
        optimizers["temperature_optimizer"] = self.temperature_optimizer
        return networks | optimizers | {"noise": self.noise, "replay": self.replay}

    def _iterate(self, budget: int) -> None:
        """Act and store; then sample, and update critics, actor, temperature and target critics (Algorithm 1)."""
        for _ in range(self._gather(budget)):
            self._update()

    def _explore(self, observations: Tensor) -> np.ndarray:
        """Return a sample of the policy, within [-1, 1], by noise that is kept for `noise_steps`."""
        return self._sample(observations, self.noise(self.generator).to(self.device))

    def _sample(self, observations: Tensor, noise: Tensor) -> np.ndarray:
        sampled: np.ndarray = self.actor(observations, noise)[0].cpu().numpy()
        return sampled

    def _policy(self, observations: Tensor, deterministic: bool, masks: np.ndarray | None = None) -> np.ndarray:
        if deterministic:
            return self.bounds.taken(self.actor.mode(observations).cpu().numpy())
        return self.bounds.taken(self._sample(observations, self._noise(len(observations))))

    def _noise(self, B: int) -> Tensor:
        return torch.randn((B, self.bounds.size), generator=self.generator).to(self.device)

    def _update(self) -> None:
        """Take one gradient step with critics, actor and temperature; the target critics follow."""
        c = self.config
        learning_rate = value(c.learning_rate, self.num_timesteps)
        S, A, R, S_, discount, *_ = self._replayed()
        alpha = self.temperature.log_alpha.detach().exp()
        with torch.no_grad():
            A_, log_pi_ = self.actor(S_, self._noise(len(S_)))
            y = td_targets(R, discount, soft_values(self.target_critics, S_, A_, log_pi_, alpha))
        with self.critics_modes.learning():
            q = self.critics(S, A)
        loss = critic_loss(q, y)
        self.critic_optimizer.step(loss, learning_rate)

        self.critic_optimizer.fix(True)  # the actor's loss runs through them, and asks for no gradient of theirs
        with self.actor_modes.learning():
            A_pi, log_pi = self.actor(S, self._noise(len(S)))
        actor_loss = -soft_values(self.critics, S, A_pi, log_pi, alpha).mean()
        self.actor_optimizer.step(actor_loss, learning_rate)
        self.critic_optimizer.fix(False)
        if c.ent_coef is None:
            self.temperature_optimizer.gradient.copy_(temperature_slope(log_pi, self.entropy_wanted))
            self.temperature_optimizer.descend(learning_rate)
        if self.critic_optimizer.steps % c.target_update_interval == 0:
            self._target.follow(self.critic_optimizer, c.tau)
        losses = {"critic_loss": loss.detach(), "actor_loss": actor_loss.detach(), "ent_coef": alpha}
        self.metrics = losses | {"entropy": -log_pi.detach().mean(), "learning_rate": learning_rate}


def soft_values(critics: Critics, observations: Any, actions: Tensor, log_pi: Tensor, alpha: Tensor) -> Tensor:
    """Return the smaller critic's values less alpha times the actions' log-probabilities, shape [B]: samples of the soft V (Eq. 3)."""
    return critics(observations, actions).amin(0) - alpha * log_pi


def temperature_slope(log_pi: Tensor, entropy_wanted: float | Tensor) -> Tensor:
    """Return the derivative by log alpha of -log alpha (ln pi(A|S) + entropy wanted), of log-probabilities [B], a scalar."""
    return -(log_pi.detach().mean() + entropy_wanted)


class Temperature(nn.Module):
    """The weight alpha of the entropy, as its logarithm."""

    def __init__(self, alpha: float) -> None:
        super().__init__()
        self.log_alpha = nn.Parameter(torch.tensor(math.log(alpha)))
