"""Recurrent PPO: proximal policy optimisation with a memory, for observations that do not tell the state.

Where one observation is not enough, the policy reads the history. An LSTM or a GRU folds it into a state h_t = f(h_{t-1}, o_t), empty at
an episode's start, and actor and critic are functions of h_t; both train the one memory. All else is PPO:

    L(theta) = E[min(r A, clip(r, 1 - eps, 1 + eps) A)],   r = pi_theta(a|h) / pi_old(a|h)        (Schulman et al. 2017, Eq. 7)

Gradients flow through time, so that a minibatch is made of whole sequences: the rollouts of some copies, each begun with the memory that
it had when its rollout began, or windows of them, which `rlcourse.agents.deep.sequences` tells of. Log-probabilities of windows are
compared with those of the same windows before the first update, so that the first ratio is 1 however a window begins; advantages go by the
values of acting. The memory of an episode that a time limit cut is there to value its true last observation.
For tasks that hide more than the observations tell, wrap the environment in `rlcourse.wrappers.PreviousActionReward`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from rlcourse.agents.deep.advantages import advantages
from rlcourse.agents.deep.base import DeepAgent
from rlcourse.agents.deep.losses import approximate_kl, clip_fraction, normalized
from rlcourse.agents.deep.memories import Carried, RecurrentActorCritic, Sequences, recall
from rlcourse.agents.deep.modes import Modes
from rlcourse.agents.deep.optimizer import FlatAdam
from rlcourse.agents.deep.ppo import Samples, surrogate
from rlcourse.agents.deep.rollout import Rollout
from rlcourse.agents.deep.sequences import Past, check_half, first_counted, first_memory, tile
from rlcourse.core.config import Config, Count, Discount, Interval, NonNegative, Positive, Probability, SomeWidths
from rlcourse.core.schedules import Schedule, value
from rlcourse.encoders.recurrent import State

__all__ = ["RecurrentPPO", "RecurrentPPOConfig"]


@dataclass(frozen=True)
class RecurrentPPOConfig(Config):
    """Settings of `RecurrentPPO`, named as in sb3-contrib where it has them."""

    memory: str = "lstm"  # kind of the memory: lstm, gru, rnn, or attention:16 over the last 16 observations
    memory_size: Count = 64  # width of the memory
    memory_layers: Count = 1  # memories on top of one another
    n_envs: Count = 8  # copies of the environment
    n_steps: Count = 128  # steps of each copy per rollout
    sequence_length: Annotated[int, Interval(0)] = 0  # steps of a sequence, over which gradients flow; 0: the whole rollout
    burn_in: Annotated[int, Interval(0)] = 0  # steps before them that only warm the memory up, also of the rollout before
    start: Literal["stored", "zero"] = "stored"  # memory at the beginning of a sequence: the agent's own at that time, or an empty one
    half_masked: bool = False  # learn from the later half of a sequence only; sequences then overlap by half
    batch_size: Count = 512  # samples per gradient step, rounded down to whole sequences (at least one)
    n_epochs: Count = 10  # passes over each rollout
    learning_rate: Annotated[Schedule, Interval(0)] = 3e-4  # Adam's; a number or linear(start, end, steps)
    gamma: Discount = 0.99  # discount rate
    gae_lambda: Probability = 0.95  # trace decay of the advantage estimate
    clip_range: Annotated[Schedule, Interval(0)] = 0.2  # epsilon of Eq. 7; a number or linear(start, end, steps)
    clip_range_vf: Annotated[Schedule, Interval(0)] | None = None  # values move at most this far per rollout; depends on their scale
    target_kl: Positive | None = None  # a rollout's epochs end where the policy has moved 1.5 times this far (approximate KL)
    ent_coef: Annotated[Schedule, Interval(0)] = 0.0  # weight of the entropy bonus; a number or linear(start, end, steps)
    vf_coef: NonNegative = 0.5  # weight of the value loss
    max_grad_norm: Positive | None = 0.5  # gradients are clipped to this norm; none: never
    max_grad_value: Positive | None = None  # each element of the gradient is clipped to this magnitude; none: never
    normalize_advantage: bool = True  # per gradient step
    normalize_observations: bool = False  # by running mean and deviation, kept in the agent's file
    normalize_rewards: bool = False  # by the running deviation of the discounted return
    hidden: SomeWidths = (64,)  # widths of the hidden layers of actor and of critic, behind the memory
    log_std_init: float = 0.0  # initial log standard deviation of a Gaussian policy
    encoder: str = "auto"  # what an observation goes through before the memory; see rlcourse.encoders
    encoder_mode: Literal["scratch", "frozen", "finetune", "warmstart"] = "scratch"  # taken over: fixed, at a tenth of the rate, or free
    encoder_from: str | None = None  # file of an agent, an autoencoder or a classifier whose encoder is taken over
    device: Literal["auto", "cpu", "cuda"] = "auto"  # auto: the faster of GPU and CPU, measured before learning; without a GPU the CPU
    precision: Literal["float32", "bfloat16"] = "float32"  # of the passes of networks; weights and losses are float32 in any case
    compile: bool = False  # run the passes of networks through torch.compile: the first of each kind then takes a minute

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sequence_length > self.n_steps:
            raise ValueError(f"sequence_length must be at most n_steps, {self.n_steps}, not {self.sequence_length}: a rollout has no more")
        check_half(self.sequence_length or self.n_steps, self.half_masked)

    @property
    def whole(self) -> bool:
        """Whether a sequence is a whole rollout as it was acted."""
        return not self.sequence_length and not self.burn_in and self.start == "stored" and not self.half_masked


class RecurrentPPO(DeepAgent):
    """PPO with an LSTM or a GRU that actor and critic share, for Discrete and Box actions on any Gymnasium environment.

    Attributes
    ----------
    metrics : dict of str to float
        As those of `PPO`.
    policy : RecurrentActorCritic
    """

    Config = RecurrentPPOConfig
    recurrent: ClassVar[bool] = True

    def _make(self) -> None:
        c, N = self.config, self.venv.num_envs
        self.policy = self._ready(RecurrentActorCritic(self.seen_space, self.action_space, c, self.generator))
        self.modes = Modes(self.policy, self.generator)
        self.optimizer = FlatAdam(self.policy, eps=1e-5, **self._descent())
        self.rollout = Rollout.for_policy(self.venv, c.n_steps)
        self.carried = Carried(self.policy.memory.initial(N), N)
        self._starts = np.zeros((c.n_steps + 1, N), np.bool_)  # of the rollout, the observation after it included
        self._states: list[State] = []  # [T] memories after each observation of the rollout
        self.past = Past(c.burn_in + first_counted(c.sequence_length or c.n_steps, c.half_masked))

    def parts(self) -> dict[str, Any]:
        """Return the network, its optimiser, the memories of the copies, and the rows before the rollout that its windows look at."""
        return {"policy": self.policy, "optimizer": self.optimizer, "carried": self.carried, "past": self.past}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a state; see `DeepAgent.load_state_dict`."""
        super().load_state_dict(state)
        if self._observation is None:  # new episodes begin
            self.carried.starts[:] = True

    def _iterate(self, budget: int) -> None:
        """Run the old policy for n_steps in every copy, then optimise the surrogate over the sequences."""
        noise = self.policy.heads.noise((self.config.n_steps, self.venv.num_envs), self.generator).to(self.device)
        begin = self.carried.state
        self._states.clear()
        self._collect(self.rollout, lambda t, observations: self._act(t, observations, noise[t]), budget)
        T = self.rollout.length
        self._starts[T] = self.carried.starts = self.rollout.ended[T - 1].copy()
        self._update(begin)
        self.past.extend(self.rollout.observations, self._starts, [begin, *self._states[:-1]])

    @torch.no_grad()
    def _act(self, t: int, observations: np.ndarray, noise: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Return actions to store and actions to take; the memories go on."""
        self._starts[t] = self.rollout.ended[t - 1] if t else self.carried.starts
        starts = torch.from_numpy(self._starts[t]).to(self.device) if self._starts[t].any() else None
        features, self.carried.state = self.policy.memory.step(self._tensor(observations), self.carried.state, starts)
        self._states.append(self.carried.state)
        actions = self.policy.heads.choose(self.policy.heads.act(features), noise).cpu().numpy()
        return actions.reshape(len(actions), *(self.action_space.shape or ())), self._taken(actions)

    def _policy(self, observations: Tensor, deterministic: bool, masks: np.ndarray | None = None) -> np.ndarray:
        """Return actions for what the memory makes of the observations: features [B, memory_size]."""
        noise = None if deterministic else self.policy.heads.noise((len(observations),), self.generator).to(self.device)
        return self.policy.heads.choose(self.policy.heads.act(observations), noise).cpu().numpy()

    def _remember(self, observations: Tensor, state: Any, episode_start: Any) -> tuple[Tensor, Any]:
        """Return the memory's features [B, memory_size], and the memory that the next call wants: arrays [layers, B, memory_size]."""
        return recall(self.policy.memory, observations, state, episode_start)

    def _update(self, begin: State) -> None:
        """Optimise the surrogate for n_epochs over the rollout, in minibatches of whole sequences."""
        c, step = self.config, self.num_timesteps
        rollout = self._prepare(begin)
        windows = rollout if c.whole else self._windows(rollout)
        learning_rate, clip_range, ent_coef = value(c.learning_rate, step), value(c.clip_range, step), value(c.ent_coef, step)
        clip_range_vf = None if c.clip_range_vf is None else value(c.clip_range_vf, step)
        updates = 0
        for batch in self._batches(windows):
            loss, *terms = self.loss(batch, clip_range, clip_range_vf, ent_coef)
            if c.target_kl is not None and approximate_kl(terms[2].detach(), terms[5]).item() > 1.5 * c.target_kl:
                break
            self.optimizer.step(loss, learning_rate)
            updates += 1
        self.modes.see(self.policy.memory.encoder, rollout.observations.flatten(0, 1)[: self.rollout.valid])
        with torch.no_grad():
            policy_term, value_term, log_prob, table, v, old, G = (term.detach() for term in terms)
            unexplained = (G - v).var(correction=0) / (G.var(correction=0) + 1e-8)
            self.metrics = {
                "policy_loss": policy_term,
                "value_loss": value_term,
                "entropy": self.policy.heads.entropy(table),
                "approx_kl": approximate_kl(log_prob, old),
                "clip_fraction": clip_fraction(log_prob, old, clip_range),
                "explained_variance": 1.0 - unexplained,
                "learning_rate": learning_rate,
                "updates": float(updates),
            }

    def _batches(self, sequences: Sequences) -> Iterator[Sequences]:
        """Yield the minibatches of all epochs: some of the sequences each."""
        c = self.config
        length = c.sequence_length or c.n_steps
        size = max(1, c.batch_size // (length - first_counted(length, c.half_masked)))
        held = sequences.stored.any(0).nonzero().squeeze(1)  # those that hold a step at all
        for _ in range(c.n_epochs):
            if size >= len(held):
                yield sequences
                continue
            for some in torch.randperm(len(held), generator=self.generator).to(self.device).split(size):
                yield sequences.of(held[some])

    def loss(self, batch: Sequences, clip_range: float, clip_range_vf: float | None = None, ent_coef: float = 0.0) -> tuple[Tensor, ...]:
        """Return the loss (Eq. 9), its policy and value terms, log-probabilities, what the entropy needs, values; old ones, targets."""
        with self.modes.learning():
            parameters, v = self._entered(batch)
        actions, old, old_v, A, G = (part.flatten(0, 1) for part in batch[2:7])
        if not batch.complete:
            kept = batch.stored.flatten().nonzero().squeeze(1)
            parameters, v, actions, old, old_v, A, G = (part[kept] for part in (parameters, v, actions, old, old_v, A, G))
        samples = Samples(parameters, actions, old, old_v, normalized(A) if self.config.normalize_advantage else A, G)
        terms = surrogate(self.policy.heads, parameters, v, samples, clip_range, clip_range_vf, ent_coef or None, self.config.vf_coef)
        return *terms, old, G

    def _entered(self, w: Sequences) -> tuple[Tensor, Tensor]:
        """Return the distribution's parameters and the values of windows, entered with the memory that the settings say."""
        return self.policy(w.observations, first_memory(self.policy.memory, self.config.start, w.begin, w.warm), w.starts)

    @torch.no_grad()
    def _prepare(self, begin: State) -> Sequences:
        """Return the rollout as sequences, with log-probabilities, advantages and value targets."""
        c, r = self.config, self.rollout
        T, N = r.length, self.venv.num_envs
        observations = self._tensor(r.observations[: T + 1])
        starts = torch.from_numpy(self._starts[: T + 1]).to(self.device)
        parameters, values = self.policy(observations, begin, starts)
        actions = torch.as_tensor(r.actions[:T].copy(), device=self.device)
        actions = actions if self.discrete else actions.reshape(T, N, -1)
        log_prob, _ = self.policy.heads.log_prob(parameters[: T * N], actions.flatten(0, 1))
        at_cuts = np.array([self._value_after(t, i, last) for t, i, last in r.cuts], np.float32)
        estimates = advantages(r, values.cpu().numpy(), at_cuts, self.normalizer, c.gamma, c.gae_lambda)
        advantage = torch.as_tensor(estimates, device=self.device)
        old_values = values[: T * N].view(T, N)
        stored = torch.arange(T * N, device=self.device).view(T, N) < r.valid
        samples = (observations[:T], starts[:T], actions, log_prob.view(T, N), old_values, advantage, advantage + old_values)
        return Sequences(*samples, stored, begin, complete=r.valid == T * N)

    @torch.no_grad()
    def _windows(self, whole: Sequences) -> Sequences:
        """Return the windows of a rollout, one beside another; those at its beginning look back on the rollout before, if there was one."""
        c, T, W, past = self.config, len(whole.stored), self.config.burn_in, self.past.rows
        tiles = tile(T, c.sequence_length or T, W, c.half_masked)
        at = torch.from_numpy((tiles.rows + len(past)).clip(0, len(past) + T - 1)).to(self.device)  # [W + L, n] of past and rollout
        rows = torch.from_numpy(tiles.rows[W:].clip(0, T - 1)).to(self.device)
        observations, starts, states = whole.observations, whole.starts, [whole.begin, *self._states[: T - 1]]
        if past:
            seen, begun, before = zip(*past, strict=True)
            observations = torch.cat([self._tensor(np.stack(seen)), observations])
            starts = torch.cat([torch.from_numpy(np.stack(begun)).to(self.device), starts])
            states = [*(tuple(part.to(self.device) for part in state) for state in before), *states]
        begin = tuple(torch.cat(parts, dim=1) for parts in zip(*(states[row] for row in at[0].tolist()), strict=True))
        observations, starts = (part[at].flatten(1, 2) for part in (observations, starts))
        stored = (whole.stored[rows] & torch.from_numpy(tiles.counted).to(self.device)[:, :, None]).flatten(1, 2)
        actions, old, v, advantage, target = (part[rows].flatten(1, 2) for part in whole[2:7])
        warm = observations[:W], starts[:W]
        samples = (actions, old, v, advantage, target, stored)
        w = Sequences(observations[W:], starts[W:], *samples, begin, warm, bool(stored.all()))
        parameters, values = self._entered(w)
        log_prob, _ = self.policy.heads.log_prob(parameters, w.actions.flatten(0, 1))
        return w._replace(log_prob=log_prob.view_as(stored), value=values.view_as(stored))

    def _value_after(self, t: int, i: int, last: np.ndarray) -> float:
        """Return the value of the last observation of a cut episode: copy i's, after step t."""
        features, _ = self.policy.memory.step(self._tensor(last[None]), tuple(part[:, i : i + 1] for part in self._states[t]))
        return float(self.policy.heads(features)[1].item())
