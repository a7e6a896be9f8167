"""PPO: proximal policy optimisation (Schulman et al. 2017).

A policy gradient says in which direction to change the policy, for the policy that gathered the data; after one step the data is
stale. PPO takes many steps on the same rollout by an objective that stops paying once the new policy is too far from the old one:

    L(theta) = E[min(r A, clip(r, 1 - eps, 1 + eps) A)],   r = pi_theta(a|s) / pi_old(a|s)        (Eq. 7)

A is the generalised advantage estimate (Schulman et al. 2016), from a critic that is trained beside the actor. An episode cut by a
time limit bootstraps from the value of its true last observation; one that terminated does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import gymnasium as gym
import numpy as np
import torch

from rlcourse.agents.deep.losses import clipped_surrogate, normalized, value_loss
from rlcourse.agents.deep.networks import ActorCritic
from rlcourse.agents.deep.normalize import RunningMoments
from rlcourse.agents.deep.optimizer import FlatAdam
from rlcourse.agents.deep.rollout import Rollout
from rlcourse.core import spaces
from rlcourse.core.agent import Agent, check_budget
from rlcourse.core.callbacks import Callback, make_callback
from rlcourse.core.config import Config, Count, Discount, Interval, NonNegative, Positive, Probability
from rlcourse.core.returns import gae
from rlcourse.core.schedules import Schedule, value
from rlcourse.core.vector import WorldVectorEnv, as_vector

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
    normalize_advantage: bool = True  # per gradient step
    normalize_observations: bool = False  # by running mean and deviation, kept in the agent's file
    normalize_rewards: bool = False  # by the running deviation of the discounted return
    hidden: tuple[int, ...] = (64, 64)  # widths of the hidden layers of actor and of critic
    log_std_init: float = 0.0  # initial log standard deviation of a Gaussian policy
    encoder: Literal["auto", "flatten", "nature"] = "auto"  # see rlcourse.encoders
    device: Literal["auto", "cpu", "cuda"] = "auto"  # auto: the GPU for images where there is one, else the CPU

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.hidden or any(width < 1 for width in self.hidden):
            raise ValueError(f"hidden must name at least one layer width >= 1, not {self.hidden!r}")


class PPO(Agent):
    """PPO with a clipped objective, for Discrete and Box actions on any Gymnasium environment.

    On environments of ours, and on Gymnasium's that have a twin among them, the copies step in one compiled call.

    Attributes
    ----------
    metrics : dict of str to float
        Of the last update: policy_loss, value_loss, entropy, learning_rate, explained_variance.
    policy : ActorCritic
    """

    Config = PPOConfig

    def _build(self) -> None:
        c = self.config
        if not isinstance(self.action_space, gym.spaces.Discrete | gym.spaces.Box):
            raise ValueError(f"PPO acts in Discrete and Box spaces, not in {self.action_space}; flatten it with a wrapper")
        if not isinstance(self.observation_space, gym.spaces.Box | gym.spaces.Discrete | gym.spaces.MultiDiscrete | gym.spaces.MultiBinary):
            raise ValueError(f"PPO cannot see {self.observation_space}; wrap it in gymnasium.wrappers.FlattenObservation")
        self.device = torch.device(_pick_device(c.device, self.observation_space))
        self.generator = torch.Generator().manual_seed(int(self.rng.integers(2**62)))
        self.venv = as_vector(self.env, c.n_envs)
        self.policy = ActorCritic(self.observation_space, self.action_space, c.hidden, c.encoder, self.generator, c.log_std_init).to(
            self.device
        )
        self.optimizer = FlatAdam(self.policy)
        discrete = isinstance(self.action_space, gym.spaces.Discrete)
        self._start = int(self.action_space.start) if isinstance(self.action_space, gym.spaces.Discrete) else 0
        self.rollout = Rollout(
            self.venv, c.n_steps, () if discrete else self.action_space.shape or (), np.int64 if discrete else np.float32
        )
        self.metrics: dict[str, float] = {}
        self._observation: np.ndarray | None = None
        self._observation_moments = RunningMoments(self.observation_space.shape or ())
        self._return_moments = RunningMoments(())
        self._returns = np.zeros(self.venv.num_envs)  # running discounted return of each copy
        self._stopped = False

    def learn(
        self,
        total_timesteps: int | None = None,
        *,
        episodes: int | None = None,
        callback: Callback | Iterable[Callback] | None = None,
        callback_every: int = 1_000_000,
        progress_bar: bool = False,
    ) -> Self:
        """Learn (Algorithm 1); see `Agent.learn`. The callback comes after each update."""
        check_budget(total_timesteps, episodes)
        call, finish = make_callback(self, callback, progress_bar, total_timesteps, episodes)
        last_step = self.num_timesteps + (total_timesteps or 2**62)
        last_episode = len(self.history) + (episodes or 2**62)
        self._stopped = False
        try:
            if self._observation is None:
                self._observation = self.venv.reset(seed=int(self.rng.integers(2**31)))[0]
            while self.num_timesteps < last_step and len(self.history) < last_episode and not self._stopped:
                self._collect(last_step - self.num_timesteps)
                self._update()
                if call(self) is False:
                    break
        finally:
            finish()
        return self

    @torch.no_grad()
    def _collect(self, budget: int) -> None:
        """Run the policy for n_steps in every copy."""
        noise = self.policy.noise((self.config.n_steps, self.venv.num_envs), self.generator).to(self.device)

        def act(t: int, observations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            actions = self.policy.choose(self.policy.act(self._tensor(observations)), noise[t]).cpu().numpy()
            if self.policy.discrete:
                return actions, actions + self._start if self._start else actions
            actions = actions.reshape(len(actions), *(self.action_space.shape or ()))
            return actions, np.clip(actions, self.action_space.low, self.action_space.high)  # type: ignore[attr-defined]

        self._observation, episodes = self.rollout.collect(self.venv, self._observation, act, budget)  # type: ignore[arg-type]
        episodes[:, -1] += self.num_timesteps
        self.history.extend(episodes)
        self.num_timesteps += self.rollout.valid

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
                self.optimizer.step(loss, learning_rate, c.max_grad_norm)
        if not torch.isfinite(self.optimizer.parameters.sum()):
            raise FloatingPointError(f"the weights are no longer finite at step {self.num_timesteps}: lower learning_rate")
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
        c, r = self.config, self.rollout
        T, N, B = r.length, self.venv.num_envs, r.valid
        flat = r.observations[: T + 1].reshape(-1, *r.observations.shape[2:])
        observations = self._tensor(flat)
        parameters, values = self.policy(observations)
        actions = torch.as_tensor(r.actions[:T].reshape(T * N, *r.actions.shape[2:])[:B].copy(), device=self.device)
        actions = actions if self.policy.discrete else actions.reshape(B, -1)
        log_prob, _ = self.policy.log_prob(parameters[:B], actions)
        table = values.cpu().numpy().reshape(T + 1, N)
        following = table[1:].copy()  # the value of the true successor: of the last observation where the episode was cut
        if r.cuts:
            last = np.stack([observation for _, _, observation in r.cuts])
            rows, columns = zip(*((t, i) for t, i, _ in r.cuts), strict=True)
            following[rows, columns] = self.policy(self._tensor(last))[1].cpu().numpy()
        advantages = gae(self._scaled_rewards(), table[:T], following, r.terminated[:T], r.ended[:T], c.gamma, c.gae_lambda)
        advantage = torch.as_tensor(advantages.reshape(-1)[:B], device=self.device)
        if c.normalize_observations:
            self._observation_moments.update(flat[: T * N])
        return observations[:B], actions, log_prob, advantage, advantage + values[:B]

    def _tensor(self, observations: np.ndarray) -> torch.Tensor:
        """Return observations as the policy takes them."""
        if self.config.normalize_observations:
            scaled = (observations - self._observation_moments.mean) / self._observation_moments.std
            observations = np.clip(scaled, -10.0, 10.0).astype(np.float32)
        if observations.dtype == np.float64:
            observations = observations.astype(np.float32)
        return torch.as_tensor(observations, device=self.device)

    def _scaled_rewards(self) -> np.ndarray:
        """Return the rewards of the rollout, shape [T, N], divided by the deviation of the discounted return if asked."""
        r = self.rollout
        rewards: np.ndarray = r.rewards[: r.length]
        if not self.config.normalize_rewards:
            return rewards
        running = np.empty(rewards.shape)
        for t in range(r.length):
            self._returns = self._returns * self.config.gamma + rewards[t]
            running[t] = self._returns
            self._returns = np.where(r.ended[t], 0.0, self._returns)
        self._return_moments.update(running.reshape(-1))
        return np.clip(rewards / np.float32(self._return_moments.std), -10.0, 10.0)

    def stop(self, at_episode_end: bool = False) -> None:
        """End `learn` after the current update, from any thread."""
        self._stopped = True

    @torch.no_grad()
    def predict(self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True) -> tuple[Any, Any]:
        """Return the mode of the policy, or a sample of it; see `Agent.predict`."""
        batch = spaces.is_batch(self.observation_space, observation)
        inputs = np.asarray(observation, dtype=self.observation_space.dtype)
        parameters = self.policy.act(self._tensor(inputs if batch else inputs[None]))
        noise = None if deterministic else self.policy.noise((len(parameters),), self.generator).to(self.device)
        actions = self.policy.choose(parameters, noise).cpu().numpy()
        if self.policy.discrete:
            actions = actions + self._start
            return (actions if batch else int(actions[0])), state
        box: Any = self.action_space
        actions = np.clip(actions.reshape(len(actions), *box.shape), box.low, box.high)
        return (actions if batch else actions[0]), state

    def state_dict(self) -> dict[str, Any]:
        """Return weights, moments, generators, and where the copies are if they are a world's; see `Agent.state_dict`."""
        o = self.optimizer
        tensors = {"parameters": o.parameters, "first_moment": o.first_moment, "second_moment": o.second_moment}
        state = super().state_dict() | {name: tensor.cpu().numpy().copy() for name, tensor in tensors.items()}
        state |= {
            "optimizer_steps": o.steps,
            "generator": self.generator.get_state().numpy().copy(),
            "observation_moments": self._observation_moments.data.copy(),
            "return_moments": self._return_moments.data.copy(),
            "returns": self._returns.copy(),
        }
        env = self.venv.unwrapped
        if isinstance(env, WorldVectorEnv) and self._observation is not None:
            state |= {f"env.{name}": part for name, part in env.state_dict().items()}
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a state; copies of a foreign environment begin new episodes, because their state is their own."""
        super().load_state_dict(state)
        o = self.optimizer
        for name in ("parameters", "first_moment", "second_moment"):
            getattr(o, name).copy_(torch.from_numpy(state[name]))
        o.steps = int(state["optimizer_steps"])
        self.generator.set_state(torch.from_numpy(state["generator"]))
        self._observation_moments.data[...] = state["observation_moments"]
        self._return_moments.data[...] = state["return_moments"]
        self._returns[...] = state["returns"]
        self._observation = None
        env = self.venv.unwrapped
        where = {name.removeprefix("env."): part for name, part in state.items() if name.startswith("env.")}
        if where and isinstance(env, WorldVectorEnv):
            env.load_state_dict(where)
            self._observation = env.observations


def _pick_device(name: str, space: gym.Space[Any]) -> str:
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("device 'cuda': no CUDA device is available here; take device='cpu'")
    if name == "auto":
        return "cuda" if torch.cuda.is_available() and len(space.shape or ()) == 3 else "cpu"
    return name
