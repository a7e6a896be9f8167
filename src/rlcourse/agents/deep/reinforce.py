"""REINFORCE: the Monte Carlo policy gradient (Williams 1992; Sutton & Barto, section 13.3).

Play whole episodes with the policy, then make every action more probable the more it was followed by, less a baseline b:

    theta <- theta + alpha (G_t - b(S_t)) grad log pi(A_t|S_t, theta)        (Eq. 13.11, averaged over the steps of a batch; no gamma^t)

Nothing bootstraps, so the gradient is unbiased, and noisy. A baseline takes away noise and adds no bias: the batch's mean return, or a
learned value (section 13.4). An episode that terminated has its return. Of one that a time limit cut the rest is unknown: with a value
baseline its return is completed by the value of its last observation; without one the return up to the cut is taken for the whole, as if
the limit were the task's end. An episode that the budget of steps cuts is no episode yet: its steps wait, in the file too, and it is
played to its end when learning goes on; never is anything learned from a part of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import torch
from torch import Tensor

from rlcourse.agents.deep.base import DeepAgent
from rlcourse.agents.deep.episodes import Episodes
from rlcourse.agents.deep.losses import mean_of, policy_gradient_loss, value_loss
from rlcourse.agents.deep.modes import Modes
from rlcourse.agents.deep.networks import ActorCritic
from rlcourse.agents.deep.optimizer import FlatAdam
from rlcourse.core.config import Config, Count, Discount, Interval, NonNegative, Positive, SomeWidths
from rlcourse.core.returns import discounted_returns
from rlcourse.core.schedules import Schedule, value

__all__ = ["REINFORCE", "REINFORCEConfig", "monte_carlo_loss"]


@dataclass(frozen=True)
class REINFORCEConfig(Config):
    """Settings of `REINFORCE`."""

    baseline: Literal["none", "mean", "value"] = "value"  # what returns are compared with: nothing, the batch's mean, a learned value
    episodes_per_update: Count = 8  # whole episodes per gradient step
    max_episode_steps: Count = 100_000  # an episode that goes on for longer is refused: without an end nothing would be learned
    n_envs: Count = 1  # copies of the environment; several waste the steps of those that wait for the last one
    learning_rate: Annotated[Schedule, Interval(0)] = 3e-3  # Adam's; a number or linear(start, end, steps)
    gamma: Discount = 0.99  # discount rate
    ent_coef: Annotated[Schedule, Interval(0)] = 0.0  # weight of the entropy bonus; a number or linear(start, end, steps)
    vf_coef: NonNegative = 0.5  # weight of the value loss
    max_grad_norm: Positive | None = None  # gradients are clipped to this norm; none: never
    max_grad_value: Positive | None = None  # each element of the gradient is clipped to this magnitude; none: never
    normalize_observations: bool = False  # by running mean and deviation, kept in the agent's file
    hidden: SomeWidths = (64, 64)  # widths of the hidden layers of policy and of value
    log_std_init: float = 0.0  # initial log standard deviation of a Gaussian policy
    encoder: str = "auto"  # see rlcourse.encoders
    encoder_mode: Literal["scratch", "frozen", "finetune", "warmstart"] = "scratch"  # taken over: fixed, at a tenth of the rate, or free
    encoder_from: str | None = None  # file of an agent, an autoencoder or a classifier whose encoder is taken over
    device: Literal["auto", "cpu", "cuda"] = "auto"  # auto: the faster of GPU and CPU, measured before learning; without a GPU the CPU
    precision: Literal["float32", "bfloat16"] = "float32"  # of the passes of networks; weights and losses are float32 in any case
    compile: bool = False  # run the passes of networks through torch.compile: the first of each kind then takes a minute


class REINFORCE(DeepAgent):
    """Monte Carlo policy gradient with a network, for Discrete and Box actions on any Gymnasium environment.

    Attributes
    ----------
    metrics : dict of str to float
        policy_loss, entropy, mean_return (undiscounted, of the batch's episodes), learning_rate; value_loss where the baseline is learned.
    policy : ActorCritic
        Its critic is the value baseline.
    """

    Config = REINFORCEConfig
    between_callbacks = 1000  # an update is a matter of some episodes

    def _make(self) -> None:
        c = self.config
        policy = ActorCritic(self.seen_space, self.action_space, c.hidden, c.encoder, self.generator, c.log_std_init)
        self.policy = self._ready(policy)
        self.modes = Modes(self.policy, self.generator)
        self.optimizer = FlatAdam(self.policy, **self._descent())
        self.episodes = Episodes(self.venv, c.episodes_per_update, c.max_episode_steps)

    def parts(self) -> dict[str, Any]:
        """Return the network, its optimiser, and the batch as far as it is."""
        return {"policy": self.policy, "optimizer": self.optimizer, "episodes": self.episodes}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a state; see `DeepAgent.load_state_dict`. Where the copies begin new episodes, the batch begins anew."""
        super().load_state_dict(state)
        if self._observation is None:
            self.episodes.clear()

    def _iterate(self, budget: int) -> None:
        """Play episodes with the policy; once the batch is complete, take one gradient step."""
        self._collect(self.episodes, self._act, budget)
        if self.episodes.complete:
            self._update()
            self.episodes.clear()

    @torch.no_grad()
    def _act(self, t: int, observations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return actions to store and actions to take."""
        actions = self._policy(self._tensor(observations), deterministic=False)
        return actions.reshape(len(actions), *(self.action_space.shape or ())), self._taken(actions)

    def _policy(self, observations: Tensor, deterministic: bool, masks: np.ndarray | None = None) -> np.ndarray:
        noise = None if deterministic else self.policy.noise((len(observations),), self.generator).to(self.device)
        return self.policy.choose(self.policy.act(observations), noise).cpu().numpy()

    def _update(self) -> None:
        """Take one gradient step with the batch."""
        c = self.config
        learning_rate, ent_coef = value(c.learning_rate, self.num_timesteps), value(c.ent_coef, self.num_timesteps)
        loss, policy_term, value_term, table = self.loss(ent_coef)
        self.optimizer.step(loss, learning_rate)
        e, T = self.episodes, self.episodes.length
        chosen = e.numbers[:T] < e.wanted
        if self.modes.norms:
            self.modes.see(self.policy.encoder, self._tensor(e.observations[:T][chosen]))
        with torch.no_grad():
            self.metrics = {
                "policy_loss": policy_term.item(),
                "entropy": self.policy.entropy(table).item(),
                "mean_return": float(e.rewards[:T][chosen].sum()) / e.wanted,
                "learning_rate": learning_rate,
            }
            if c.baseline == "value":
                self.metrics["value_loss"] = value_term.item()
        self.normalizer.learn(e.observations[:T][chosen])

    def loss(self, ent_coef: float = 0.0) -> tuple[Tensor, ...]:
        """Return the batch's loss, its policy and value terms, and what the entropy needs."""
        c, e, T = self.config, self.episodes, self.episodes.length
        chosen = e.numbers[:T] < e.wanted  # [T, N]
        observations = self._tensor(e.observations[:T][chosen])  # [B, ...]
        actions = torch.as_tensor(e.actions[:T][chosen], device=self.device)
        actions = actions if self.discrete else actions.reshape(len(actions), -1)
        returns = torch.as_tensor(self.returns()[chosen], device=self.device)
        with self.modes.learning():
            return monte_carlo_loss(self.policy, observations, actions, returns, c.baseline, ent_coef or None, c.vf_coef)

    @torch.no_grad()
    def returns(self) -> np.ndarray:
        """Return G_t of every step of the batch, shape [T, N]; a time limit's cut is completed by a value where there is a critic."""
        c, e, T = self.config, self.episodes, self.episodes.length
        beyond = np.zeros_like(e.rewards[:T])  # value of what follows a step, read only where its episode ended or the batch does
        if c.baseline == "value" and e.cuts:
            rows, columns = zip(*((t, i) for t, i, _ in e.cuts), strict=True)
            last = np.stack([observation for _, _, observation in e.cuts])
            beyond[rows, columns] = self.policy(self._tensor(last))[1].cpu().numpy()
        found: np.ndarray = discounted_returns(e.rewards[:T], beyond, e.terminated[:T], e.ended[:T], c.gamma)
        return found


def monte_carlo_loss(
    policy: ActorCritic,
    observations: Tensor,
    actions: Tensor,
    returns: Tensor,
    baseline: str,
    ent_coef: float | Tensor | None,
    vf_coef: float | Tensor,
    counted: Tensor | None = None,
) -> tuple[Tensor, ...]:
    """Return the loss, its policy and value terms, and what the entropy needs.

    Parameters
    ----------
    policy : ActorCritic
    observations, actions, returns : Tensor, shape [B, ...], [B] or [B, A], and [B]
    baseline, ent_coef, vf_coef
        See `REINFORCEConfig`; without `ent_coef` the entropy is not computed.
    counted : Tensor of bool, shape [B], optional
        Samples that there are; all by default.
    """
    value_term = torch.zeros((), device=returns.device)
    if baseline == "value":
        parameters, values = policy(observations)
        value_term = value_loss(values, returns, counted)
        compared: Any = values.detach()
    else:
        parameters = policy.act(observations)
        compared = mean_of(returns, counted) if baseline == "mean" else 0.0
    log_prob, table = policy.log_prob(parameters, actions)
    policy_term = policy_gradient_loss(log_prob, returns - compared, counted)
    loss = policy_term + vf_coef * value_term
    if ent_coef is not None:
        loss = loss - ent_coef * policy.entropy(table, counted)
    return loss, policy_term, value_term, table
