"""PQN: parallelised Q-network (Gallici et al. 2024).

DQN needs a replay memory against correlated data, and a target network against values that chase themselves. Many copies of the
environment decorrelate the data; LayerNorm, which bounds how far an update at one observation moves the values of others, makes
temporal differences stable without a frozen target. What is left is Q-learning as Watkins wrote it, on rollouts that are thrown away:

    G_t = R_{t+1} + gamma ((1 - lambda) max_a Q(S_{t+1}, a) + lambda G_{t+1})                      (Peng's Q(lambda), Section 3)

minimising (Q(S_t, A_t) - G_t)^2 in minibatches, for a few epochs. The return is not cut where the behaviour explored, as Watkins's
Q(lambda) is (Sutton & Barto, Section 12.10): with a small epsilon the bias is small, and credit travels further. Lambda 0 is one-step
Q-learning, lambda 1 the return of the rollout. A termination ends the return at zero, a truncation at max Q of its last observation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from rlcourse import encoders
from rlcourse.agents.deep.advantages import flat_actions, flat_observations, last_observations, successors
from rlcourse.agents.deep.base import DeepAgent
from rlcourse.agents.deep.losses import value_loss
from rlcourse.agents.deep.modes import Modes, seeded
from rlcourse.agents.deep.optimizer import FlatAdam
from rlcourse.agents.deep.q_losses import best_actions, existing, pick
from rlcourse.agents.deep.rollout import Rollout
from rlcourse.core.config import Config, Count, Discount, Interval, Positive, Probability, Widths
from rlcourse.core.returns import lambda_returns
from rlcourse.core.schedules import Linear, Schedule, value
from rlcourse.encoders.passes import forward_pass

__all__ = ["PQN", "NormalizedQ", "PQNConfig", "best_values", "squared_error"]


@dataclass(frozen=True)
class PQNConfig(Config):
    """Settings of `PQN`."""

    n_envs: Count = 32  # copies of the environment
    n_steps: Count = 32  # steps of each copy per rollout
    batch_size: Count = 128  # samples per gradient step
    n_epochs: Count = 4  # passes over each rollout
    learning_rate: Annotated[Schedule, Interval(0)] = 1e-3  # Adam's; a number or linear(start, end, steps)
    gamma: Discount = 0.99  # discount rate
    q_lambda: Probability = 0.65  # lambda of the returns: 0 is one-step Q-learning
    exploration_initial_eps: Probability = 1.0  # probability of a random action at the beginning
    exploration_final_eps: Probability = 0.05  # probability of a random action after exploration_steps
    exploration_steps: Count = 50_000  # steps over which the probability falls, on a straight line
    max_grad_norm: Positive | None = 10.0  # gradients are clipped to this norm; none: never
    max_grad_value: Positive | None = None  # each element of the gradient is clipped to this magnitude; none: never
    normalize_observations: bool = False  # by running mean and deviation, kept in the agent's file
    normalize_rewards: bool = False  # by the running deviation of the discounted return
    layer_norm: bool = True  # between each hidden layer and its ReLU; without it expect divergence
    hidden: Widths = (128, 128)  # widths of the hidden layers
    encoder: str = "auto"  # see rlcourse.encoders
    encoder_mode: Literal["scratch", "frozen", "finetune", "warmstart"] = "scratch"  # taken over: fixed, at a tenth of the rate, or free
    encoder_from: str | None = None  # file of an agent, an autoencoder or a classifier whose encoder is taken over
    device: Literal["auto", "cpu", "cuda"] = "auto"  # auto: the faster of GPU and CPU, measured before learning; without a GPU the CPU
    precision: Literal["float32", "bfloat16"] = "float32"  # of the passes of networks; weights and losses are float32 in any case
    compile: bool = False  # run the passes of networks through torch.compile: the first of each kind then takes a minute


class PQN(DeepAgent):
    """PQN, for Discrete actions on any Gymnasium environment.

    Attributes
    ----------
    metrics : dict of str to float
        q_loss, q (mean over the last minibatch), epsilon, learning_rate.
    network : NormalizedQ
    """

    Config = PQNConfig
    actions = (gym.spaces.Discrete,)
    heeds_masks = True

    def _make(self) -> None:
        c = self.config
        self.epsilon = Linear(c.exploration_initial_eps, c.exploration_final_eps, c.exploration_steps)
        with seeded(self.generator):
            network = NormalizedQ(self.seen_space, self.n_actions, c.hidden, c.encoder, c.layer_norm)
        self.network = self._ready(network)
        self.modes = Modes(self.network, self.generator)
        self.optimizer = FlatAdam(self.network, **self._descent())
        self.rollout = Rollout.for_policy(self.venv, c.n_steps)
        self.rollout.n_actions = self.n_actions

    def parts(self) -> dict[str, Any]:
        """Return the network, its optimiser, and the rollout, which knows what actions exist where the copies are."""
        return {"network": self.network, "optimizer": self.optimizer, "rollout": self.rollout}

    def _begin(self, observation: np.ndarray, infos: Any) -> None:
        super()._begin(observation, infos)
        self.rollout.begin(infos)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a state; see `DeepAgent.load_state_dict`."""
        super().load_state_dict(state)
        table = getattr(self.venv.unwrapped, "action_masks", None)
        if self._observation is not None and table is not None:
            self.rollout.begin({"action_mask": table[self._observation]})

    def _iterate(self, budget: int) -> None:
        """Act epsilon-greedily for n_steps in every copy, then fit the values to the lambda-returns (Algorithm 1)."""
        self._collect(self.rollout, self._act, budget)
        self._update()

    @torch.no_grad()
    def _act(self, t: int, observations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return actions to store and actions to take at step t of the rollout."""
        masks = None if self.rollout.masks is None else self.rollout.masks[t]
        actions = self._explore(self.network(self._tensor(observations)), self.num_timesteps + t * len(observations), masks)
        return actions, self._taken(actions)

    def _explore(self, q: Tensor, step: int, masks: np.ndarray | None) -> np.ndarray:
        """Return epsilon-greedy actions for values [B, A] among those that exist (masks [B, A]), shape [B]."""
        random = self.rng.random(len(q)) < self.epsilon.at(step)
        greedy = best_actions(q, self._existing(masks)).cpu().numpy()
        if masks is None:
            return np.where(random, self.rng.integers(self.n_actions, size=len(q)), greedy)
        return np.where(random, np.where(masks, self.rng.random(masks.shape), -1.0).argmax(1), greedy)

    def _existing(self, masks: np.ndarray | None) -> Tensor | None:
        return None if masks is None else torch.from_numpy(np.ascontiguousarray(masks)).to(self.device)

    def _policy(self, observations: Tensor, deterministic: bool, masks: np.ndarray | None = None) -> np.ndarray:
        q = self.network(observations)
        return best_actions(q, self._existing(masks)).cpu().numpy() if deterministic else self._explore(q, self.num_timesteps, masks)

    def _update(self) -> None:
        """Go down the squared error for n_epochs over the rollout, in minibatches; the targets stay."""
        c = self.config
        observations, actions, targets = self._prepare()
        learning_rate = value(c.learning_rate, self.num_timesteps)
        for _ in range(c.n_epochs):
            order = torch.randperm(len(targets), generator=self.generator).to(self.device)
            for batch in order.split(c.batch_size):
                with self.modes.learning():
                    loss, q = squared_error(self.network, observations[batch], actions[batch], targets[batch])
                self.optimizer.step(loss, learning_rate)
        self.modes.see(self.network.encoder, observations)
        self.metrics = {
            "q_loss": loss.item(),
            "q": q.mean().item(),
            "epsilon": self.epsilon.at(self.num_timesteps),
            "learning_rate": learning_rate,
        }

    @torch.no_grad()
    def _prepare(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return observations [B, ...], actions [B] and lambda-returns [B] of the rollout."""
        c, r = self.config, self.rollout
        T, N, B = r.length, self.venv.num_envs, r.valid
        flat = flat_observations(r)
        observations, actions = self._tensor(flat), flat_actions(r, self.device)
        last = last_observations(r)
        masks = None if r.masks is None else r.masks[1 : T + 1].reshape(T * N, -1)
        at_cuts = None if last is None else self._best(self._tensor(last), np.stack(r.final_masks) if r.final_masks else None)
        following = successors(r, self._best(observations[N:], masks).reshape(T, N), at_cuts)
        rewards = self.normalizer.rewards(r.rewards[:T], r.ended[:T])
        targets = lambda_returns(rewards, following, r.terminated[:T], r.ended[:T], c.gamma, c.q_lambda)
        self.normalizer.learn(flat[: T * N])
        return observations[:B], actions, torch.as_tensor(targets.reshape(-1)[:B], device=self.device)

    def _best(self, observations: Tensor, masks: np.ndarray | None) -> np.ndarray:
        """Return max_a Q over the actions that exist, shape [B]."""
        best: np.ndarray = best_values(self.network, observations, self._existing(masks)).cpu().numpy()
        return best


class NormalizedQ(nn.Module):
    """An encoder, hidden layers (linear, LayerNorm, ReLU), and a linear layer of action values."""

    def __init__(self, observation_space: Any, n_actions: int, hidden: tuple[int, ...], encoder: str, layer_norm: bool) -> None:
        super().__init__()
        self.encoder = encoders.make(encoder, observation_space)
        width = int(self.encoder.features_dim)  # type: ignore[arg-type]
        layers: list[nn.Module] = []
        for out in hidden:
            layers += [nn.Linear(width, out), *([nn.LayerNorm(out)] if layer_norm else []), nn.ReLU()]
            width = out
        self.layers = nn.Sequential(*layers, nn.Linear(width, n_actions))

    @forward_pass
    def forward(self, observations: Tensor) -> Tensor:
        """Return action values, shape [B, A], of observations [B, ...]."""
        values: Tensor = self.layers(self.encoder(observations))
        return values


def best_values(network: NormalizedQ, observations: Tensor, masks: Tensor | None) -> Tensor:
    """Return max_a Q at observations [B, ...] over the actions that exist (masks of bool [B, A]), shape [B]."""
    return existing(network(observations), masks).amax(1)


def squared_error(network: NormalizedQ, observations: Tensor, actions: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean squared error of the values of actions [B] at observations [B, ...] against targets [B], and the values."""
    q = pick(network(observations), actions)
    return value_loss(q, targets), q
