"""Discrete SAC: soft actor-critic with a softmax policy (Christodoulou 2019; Haarnoja et al. 2018).

SAC maximises reward plus alpha times the policy's entropy. With finitely many actions every expectation over them is a sum, so
nothing is reparameterised and no action sampled in an update. The value of a state is

    V(s) = sum_a pi(a|s) (min_k Q_k(s, a) - alpha ln pi(a|s)),                                                     (Eq. 10)

the twin critics go towards r + gamma V'(s') of their slow copies, the actor climbs V, and alpha rises while the entropy is below a
target (Eqs. 11 and 12). The paper's target is 0.98 ln|A|, nearly the entropy of a uniform policy: with two actions the likelier one
is then taken 58 times of 100 wherever the agent is. A policy that should commit itself misses that target, so alpha grows until the
entropy drowns the rewards in Q, and more actions or denser rewards only change when. The target here is `target_entropy` ln|A|, by
default 0.3: with two actions that is 95 to 5 on average, to be spent where the choice does not matter.
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
from rlcourse.agents.deep.continuous_networks import encoder_of
from rlcourse.agents.deep.modes import Modes
from rlcourse.agents.deep.off_policy import OffPolicyAgent
from rlcourse.agents.deep.optimizer import FlatAdam
from rlcourse.agents.deep.q_losses import critic_loss, existing, taken, td_targets
from rlcourse.agents.deep.replay import Replay
from rlcourse.agents.deep.target_network import Target
from rlcourse.core.config import Config, Count, Discount, GradientSteps, Interval, Positive, Probability, StepSize, Widths
from rlcourse.core.schedules import Schedule, value
from rlcourse.encoders.passes import forward_pass

__all__ = ["DiscreteSAC", "DiscreteSACConfig", "SoftmaxActorCritics", "actor_loss", "soft_losses", "soft_value", "temperature_loss"]


@dataclass(frozen=True)
class DiscreteSACConfig(Config):
    """Settings of `DiscreteSAC`, named as stable-baselines3 names those of SAC."""

    n_envs: Count = 4  # copies of the environment
    train_freq: Count = 1  # steps of each copy between updates
    gradient_steps: GradientSteps = 1  # gradient steps per update; -1: as many as transitions were gathered
    batch_size: Count = 128  # transitions per update
    buffer_size: Count = 100_000  # transitions in the replay memory
    learning_starts: Annotated[int, Interval(0)] = 1_000  # steps of random actions before the first update
    learning_rate: Annotated[Schedule, Interval(0)] = 1e-3  # Adam's, for all parts; a number or linear(start, end, steps)
    gamma: Discount = 0.99  # discount rate
    n_steps: Count = 1  # steps of a return before it bootstraps
    tau: StepSize = 0.005  # how far the target critics move towards the critics after each update
    ent_coef: Positive | None = None  # temperature alpha; none: learned
    ent_coef_init: Positive = 1.0  # where a learned temperature begins
    target_entropy: Probability = 0.3  # of a learned temperature, as a fraction of ln|A|
    max_grad_norm: Positive | None = None  # gradients of all parts together are clipped to this norm; none: never
    max_grad_value: Positive | None = None  # each element of the gradient is clipped to this magnitude; none: never
    hidden: Widths = (128, 128)  # widths of the hidden layers of the actor and of both critics
    encoder: str = "auto"  # see rlcourse.encoders; trained by the critics alone
    encoder_mode: Literal["scratch", "frozen", "finetune", "warmstart"] = "scratch"  # taken over: fixed, at a tenth of the rate, or free
    encoder_from: str | None = None  # file of an agent, an autoencoder or a classifier whose encoder is taken over
    device: Literal["auto", "cpu", "cuda"] = "auto"  # auto: the faster of GPU and CPU, measured before learning; without a GPU the CPU
    precision: Literal["float32", "bfloat16"] = "float32"  # of the passes of networks; weights and losses are float32 in any case
    compile: bool = False  # run the passes of networks through torch.compile: the first of each kind then takes a minute


class DiscreteSAC(OffPolicyAgent):
    """Soft actor-critic for Discrete actions on any Gymnasium environment.

    Attributes
    ----------
    metrics : dict of str to float
        critic_loss, actor_loss, ent_coef, entropy.
    networks, target : SoftmaxActorCritics
        What learns, and its slow copy (whose actor is never asked).
    """

    Config = DiscreteSACConfig
    actions = (gym.spaces.Discrete,)
    heeds_masks = True
    updates_at_start = True

    def _make(self) -> None:
        c = self.config
        self.entropy_wanted = c.target_entropy * math.log(self.n_actions)
        alpha = c.ent_coef_init if c.ent_coef is None else c.ent_coef
        networks = SoftmaxActorCritics(self.seen_space, self.n_actions, c.hidden, c.encoder, alpha, self.generator)
        self.networks = self._ready(networks)
        self.modes = Modes(self.networks, self.generator, c.batch_size)
        self._target = Target(self.networks)
        self.target = self._target.network
        self.optimizer = FlatAdam(self.networks, **self._descent())
        self.replay = Replay.of(self.venv, c.buffer_size, c.train_freq)

    def parts(self) -> dict[str, Any]:
        """Return both networks, the optimiser and the memory."""
        return {"networks": self.networks, "target": self.target, "optimizer": self.optimizer, "replay": self.replay}

    def _iterate(self, budget: int) -> None:
        """Act and store; then sample and update (Algorithm 1)."""
        for _ in range(self._gather(budget)):
            self._update()

    def _policy(self, observations: Tensor, deterministic: bool, masks: np.ndarray | None = None) -> np.ndarray:
        logits = existing(self.networks.logits(observations), None if masks is None else torch.from_numpy(masks).to(self.device))
        if not deterministic:  # the largest logit with Gumbel noise is a sample of the softmax
            logits = logits - torch.empty(logits.shape).exponential_(generator=self.generator).log_().to(self.device)
        return logits.argmax(1).cpu().numpy()

    def _update(self) -> None:
        """Go one step down the losses of critics, actor and temperature, which share no parameter: one sum, one Adam."""
        c, networks = self.config, self.networks
        s, a, r, s_, discount, masks, masks_ = self._replayed()
        alpha = networks.log_alpha.detach().exp()
        with torch.no_grad():
            target = td_targets(r, discount, soft_value(self.target(s_)[1], existing(networks.logits(s_), masks_).log_softmax(1), alpha))
        with self.modes.learning():
            loss, critic, actor, entropy = soft_losses(networks, s, a, target, masks, alpha, self.entropy_wanted, c.ent_coef is None)
        self.optimizer.step(loss, value(c.learning_rate, self.num_timesteps))
        self._target.follow(self.optimizer, c.tau)
        self.metrics = {"critic_loss": critic.detach(), "actor_loss": actor.detach(), "ent_coef": alpha, "entropy": entropy}


class SoftmaxActorCritics(nn.Module):
    """An actor, twin critics and the temperature; the three perceptrons run as one batched network over one encoder.

    The critics train the encoder; the actor takes its features as they are (Yarats et al. 2021).
    """

    def __init__(
        self, observation_space: Any, n_actions: int, hidden: tuple[int, ...], encoder: str, alpha: float, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.encoder = encoder_of(observation_space, encoder, generator)
        self.heads = BatchedMLP(3, int(self.encoder.features_dim), hidden, n_actions, generator)  # type: ignore[arg-type]
        self.log_alpha = nn.Parameter(torch.tensor(math.log(alpha)))

    @forward_pass
    def forward(self, observations: Tensor, learned: bool | None = None) -> tuple[Tensor, Tensor]:
        """Return the policy's logits, shape [B, A], and both critics' values, shape [2, B, A].

        Parameters
        ----------
        observations : Tensor, shape [B, ...]
        learned : bool, optional
            Whether the encoder learns; None: as autograd says, which within `vmap` says nothing.
        """
        features = self.encoder(observations)
        learned = features.requires_grad if learned is None else learned
        x = torch.stack([features.detach(), features, features]) if learned else features
        out = self.heads(x)
        return out[0], out[1:]

    @forward_pass
    def logits(self, observations: Tensor) -> Tensor:
        """Return the policy's logits alone, shape [B, A]."""
        return self.heads.alone(0, self.encoder(observations))


def soft_losses(
    networks: SoftmaxActorCritics,
    observations: Tensor,
    actions: Tensor,
    target: Tensor,
    masks: Tensor | None,
    alpha: Tensor,
    entropy_wanted: float | Tensor,
    learned_temperature: bool | Tensor,
    learned_encoder: bool | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the sum of all losses on a batch, those of critics and actor, and the policy's mean entropy: scalars.

    Parameters
    ----------
    networks : SoftmaxActorCritics
    observations, actions, target : Tensor, shape [B, ...]
    masks : Tensor of bool, shape [B, A], or None
        Actions that exist.
    alpha : Tensor, scalar
    entropy_wanted, learned_temperature
        What a temperature that is learned goes by, and whether it is; numbers, or tensors of one.
    learned_encoder : bool, optional
        See `SoftmaxActorCritics.forward`.
    """
    logits, q = networks(observations, learned_encoder)
    log_pi = existing(logits, masks).log_softmax(1)
    critic, actor = critic_loss(taken(q, actions), target), actor_loss(q, log_pi, alpha)
    entropy = -(log_pi.detach().exp() * log_pi.detach()).sum(1).mean()
    loss = critic + actor
    if learned_temperature is not False:
        term = temperature_loss(networks.log_alpha, entropy, entropy_wanted)
        loss = loss + (term if learned_temperature is True else torch.where(learned_temperature, term, 0.0))
    return loss, critic, actor, entropy


def soft_value(q: Tensor, log_pi: Tensor, alpha: Tensor) -> Tensor:
    """Return the expectation over actions of min_k q - alpha ln pi (Eq. 10), shape [B].

    Parameters
    ----------
    q : Tensor, shape [K, B, A]
    log_pi : Tensor, shape [B, A]
    alpha : Tensor, scalar
    """
    return (log_pi.exp() * (q.amin(0) - alpha * log_pi)).sum(1)


def actor_loss(q: Tensor, log_pi: Tensor, alpha: Tensor) -> Tensor:
    """Return minus the mean soft value, a function of the policy alone (Eq. 12)."""
    return -soft_value(q.detach(), log_pi, alpha).mean()


def temperature_loss(log_alpha: Tensor, entropy: Tensor, wanted: float | Tensor) -> Tensor:
    """Return log alpha times the entropy's excess over what is wanted (Eq. 11): going down it, alpha falls where there is too much."""
    return log_alpha * (entropy - wanted)
