"""DRQN: a deep Q-network with a memory, on replayed sequences (Hausknecht & Stone 2015).

Where one observation does not tell the state, action values are functions of the history, which an LSTM or a GRU folds into h_t:

    y_t = R_{t+1} + gamma max_a Q_target(h'_{t+1}, a),    minimise Huber(y_t - Q(h_t, A_t)) over a window of steps

With `n_steps` more rewards go before the bootstrap, which then lies as many steps ahead (Sutton & Barto, Eq. 7.1), within the window.
A window begins in the middle of an episode, and its first memory is a question: see `rlcourse.agents.deep.sequences`. `start` "stored"
with `burn_in` is that of R2D2 (Kapturowski et al. 2019), "zero" that of the paper's random updates; `half_masked` goes with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss, smooth_l1_loss

from rlcourse.agents.deep.memories import Carried, recall
from rlcourse.agents.deep.modes import Modes, seeded
from rlcourse.agents.deep.off_policy import OffPolicyAgent
from rlcourse.agents.deep.optimizer import FlatAdam
from rlcourse.agents.deep.q_losses import best_actions, existing, td_targets
from rlcourse.agents.deep.q_network import QNetwork
from rlcourse.agents.deep.sequence_replay import SequenceReplay, Windows, n_step_returns
from rlcourse.agents.deep.sequences import check_half, first_counted, first_memory
from rlcourse.agents.deep.target_network import Target
from rlcourse.core.config import Config, Count, Discount, GradientSteps, Interval, NonNegative, Positive, Probability, StepSize, Widths
from rlcourse.core.schedules import Linear, Schedule, value
from rlcourse.encoders import make_memory
from rlcourse.encoders.recurrent import State

__all__ = ["DRQN", "DRQNConfig", "RecurrentQNetwork", "errors_of"]


@dataclass(frozen=True)
class DRQNConfig(Config):
    """Settings of `DRQN`, named as those of `DQN` where it has them."""

    memory: str = "lstm"  # kind of the memory: lstm, gru, rnn, or attention:16 over the last 16 observations
    memory_size: Count = 64  # width of the memory
    memory_layers: Count = 1  # memories on top of one another
    n_envs: Count = 8  # copies of the environment
    learning_rate: Annotated[Schedule, Interval(0)] = 5e-4  # Adam's; a number or linear(start, end, steps)
    buffer_size: Count = 100_000  # transitions in the replay memory
    learning_starts: Annotated[int, Interval(0)] = 1_000  # steps of random actions before the first update
    batch_size: Count = 32  # sequences per gradient step
    sequence_length: Count = 20  # steps of a sequence that are learned from
    burn_in: Annotated[int, Interval(0)] = 10  # steps before them that only warm the memory up
    start: Literal["stored", "zero"] = "stored"  # memory at the beginning of a sequence: the agent's own at that time, or an empty one
    half_masked: bool = False  # learn from the later half of a sequence only
    gamma: Discount = 0.99  # discount rate
    n_steps: Count = 1  # rewards in a target before it bootstraps, fewer where the episode or the window ends before
    train_freq: Count = 4  # steps of each copy between updates
    gradient_steps: GradientSteps = 1  # gradient steps per update; -1: as many as transitions were gathered
    target_update_interval: Count = 1_000  # steps between updates of the target network
    tau: StepSize = 1.0  # how far the target network then moves; 1: all the way
    exploration_initial_eps: Probability = 1.0  # probability of a random action at the beginning
    exploration_final_eps: Probability = 0.05  # probability of a random action in the end
    exploration_steps: Positive = 10_000  # steps until it has fallen
    loss: Literal["huber", "mse"] = "huber"  # of the error of a value
    double: bool = False  # choose the best next action by the network, value it by the target network
    dueling: bool = False  # separate heads for value and advantage
    normalize_observations: bool = False  # by running mean and deviation, kept in the agent's file
    max_grad_norm: Positive | None = 10.0  # gradients are clipped to this norm; none: never
    max_grad_value: Positive | None = None  # each element of the gradient is clipped to this magnitude; none: never
    adam_eps: NonNegative = 1e-8  # added to the root of Adam's second moment
    hidden: Widths = (64,)  # widths of the hidden layers behind the memory
    encoder: str = "auto"  # what an observation goes through before the memory; see rlcourse.encoders
    encoder_mode: Literal["scratch", "frozen", "finetune", "warmstart"] = "scratch"  # taken over: fixed, at a tenth of the rate, or free
    encoder_from: str | None = None  # file of an agent, an autoencoder or a classifier whose encoder is taken over
    device: Literal["auto", "cpu", "cuda"] = "auto"  # auto: the faster of GPU and CPU, measured before learning; without a GPU the CPU
    precision: Literal["float32", "bfloat16"] = "float32"  # of the passes of networks; weights and losses are float32 in any case
    compile: bool = False  # run the passes of networks through torch.compile: the first of each kind then takes a minute

    def __post_init__(self) -> None:
        super().__post_init__()
        check_half(self.sequence_length, self.half_masked)


class RecurrentQNetwork(nn.Module):
    """Action values behind a memory."""

    def __init__(self, observation_space: gym.Space[Any], actions: int, c: DRQNConfig) -> None:
        super().__init__()
        self.memory = make_memory(c.memory, observation_space, c.memory_size, c.encoder, c.memory_layers)
        self.heads = QNetwork(gym.spaces.Box(-np.inf, np.inf, (c.memory_size,)), actions, c.hidden, "flatten", c.dueling)

    def forward(self, observations: Tensor, state: State, starts: Tensor) -> Tensor:
        """Return values, shape [T, B, A], of sequences [T, B, ...]."""
        features, _ = self.memory(observations, state, starts)
        values: Tensor = self.heads(features.flatten(0, 1))
        return values.view(*features.shape[:2], -1)


class DRQN(OffPolicyAgent):
    """DQN with an LSTM or a GRU, for Discrete actions on any Gymnasium environment.

    Attributes
    ----------
    metrics : dict of str to float
        loss, q (mean value of the actions in the last batch), epsilon, learning_rate.
    network, target_network : RecurrentQNetwork
    replay : SequenceReplay
    """

    Config = DRQNConfig
    actions = (gym.spaces.Discrete,)
    heeds_masks = True
    recurrent: ClassVar[bool] = True
    replay: SequenceReplay

    def _make(self) -> None:
        c, N = self.config, self.venv.num_envs
        with seeded(self.generator):
            network = RecurrentQNetwork(self.seen_space, self.n_actions, c)
        self.network = self._ready(network)
        self.modes = Modes(self.network, self.generator, 2)  # a batch is sequences and their successors: it always has statistics
        if c.buffer_size < (c.burn_in + c.sequence_length) * N:
            needed = f"{N} copies times burn_in + sequence_length, {(c.burn_in + c.sequence_length) * N:,}"
            raise ValueError(f"buffer_size must be at least {needed}, or nothing would ever be learned, not {c.buffer_size:,}")
        self._target = Target(self.network)
        self.target_network = self._target.network
        self.optimizer = FlatAdam(self.network, eps=c.adam_eps, **self._descent())
        self.epsilon = Linear(c.exploration_initial_eps, c.exploration_final_eps, c.exploration_steps)
        memory = self.network.memory
        self.replay = SequenceReplay.with_memory(self.venv, c.buffer_size, memory.shape, c.train_freq)
        self.carried = Carried(memory.initial(N), N)

    def parts(self) -> dict[str, Any]:
        """Return the networks, the optimiser, the copies' memories, and the replay memory."""
        networks = {"network": self.network, "target": self.target_network}
        return networks | {"optimizer": self.optimizer, "carried": self.carried, "replay": self.replay}

    # Learning ---------------------------------------------------------------------------------------------------------

    def _iterate(self, budget: int) -> None:
        """Act and store; then sample sequences and descend; now and then move the target network."""
        c, before, row = self.config, self.num_timesteps, self.replay.row
        updates = self._gather(budget)
        if c.normalize_observations:
            rows = (row + np.arange((self.replay.row - row) % self.replay.rows)) % self.replay.rows
            self.normalizer.learn(self.replay.observations[rows].reshape(-1, *self.replay.observations.shape[2:]))
        for _ in range(updates if self.replay.filled >= c.burn_in + c.sequence_length else 0):
            self._update()
        interval = c.target_update_interval
        if self.num_timesteps // interval > before // interval:
            self._target.follow(self.optimizer, c.tau)

    @torch.no_grad()
    def _act(self, t: int, observations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return actions to store and actions to take; the memories are stored, and go on."""
        replay, state = self.replay, self.carried.state
        replay.states[replay.row] = torch.stack(state).permute(2, 0, 1, 3).cpu().numpy()
        fresh = replay.starts[replay.row]
        starts = torch.from_numpy(fresh).to(self.device) if fresh.any() else None
        features, self.carried.state = self.network.memory.step(self._tensor(observations), state, starts)
        epsilon = 1.0 if self._starting else self.epsilon.at(self.num_timesteps + replay.valid)
        actions = self._epsilon_greedy(features, epsilon, self._masks)
        return actions, self._taken(actions)

    def _epsilon_greedy(self, features: Tensor, epsilon: float, masks: np.ndarray | None) -> np.ndarray:
        """Return epsilon-greedy actions for what the memory makes of the observations, shape [B]."""
        B = len(features)
        random = self.rng.random(B) < epsilon if epsilon > 0.0 else np.zeros(B, np.bool_)
        allowed = None if masks is None else torch.from_numpy(masks).to(self.device)
        greedy = np.zeros(B, np.int64) if random.all() else best_actions(self.network.heads(features), allowed).cpu().numpy()
        return np.where(random, self._random(B, masks), greedy) if random.any() else greedy

    def _policy(self, observations: Tensor, deterministic: bool, masks: np.ndarray | None = None) -> np.ndarray:
        return self._epsilon_greedy(observations, 0.0 if deterministic else self.epsilon.at(self.num_timesteps), masks)

    def _remember(self, observations: Tensor, state: Any, episode_start: Any) -> tuple[Tensor, Any]:
        """Return the memory's features [B, memory_size], and the memory that the next call wants: arrays [layers, B, memory_size]."""
        return recall(self.network.memory, observations, state, episode_start)

    def _update(self) -> None:
        """Take one gradient step on a batch of replayed sequences."""
        c = self.config
        loss, q = self.loss(self.replay.windows(c.batch_size, c.burn_in, c.sequence_length, self.rng))
        learning_rate = value(c.learning_rate, self.num_timesteps)
        self.optimizer.step(loss, learning_rate)
        epsilon = self.epsilon.at(self.num_timesteps)
        self.metrics = {"loss": loss.detach(), "q": q.detach().mean(), "epsilon": epsilon, "learning_rate": learning_rate}

    def loss(self, w: Windows) -> tuple[Tensor, Tensor]:
        """Return the loss of windows, and the values of the actions taken, shape [T, B]."""
        c = self.config
        observations, starts = self._tensor(w.observations), torch.from_numpy(w.starts).to(self.device)
        at, actions = torch.from_numpy(np.ascontiguousarray(w.at)).to(self.device), torch.from_numpy(w.actions).to(self.device)
        columns = torch.arange(at.shape[1], device=self.device)
        warm = self._warm(self.network, w)
        with self.modes.learning():
            values = self.network(observations, warm, starts)
        with torch.no_grad():
            rewards, discounts, after = (torch.from_numpy(part).to(self.device) for part in n_step_returns(w, c.gamma, c.n_steps))
            following = self.target_network(observations, self._warm(self.target_network, w), starts)
            allowed = None if w.masks is None else torch.from_numpy(w.masks).to(self.device)[after, columns]
        errors, taken = errors_of(values, following, at, actions, rewards, discounts, after, allowed, c.double, c.loss)
        late = first_counted(c.sequence_length, c.half_masked)
        errors, stored = errors[late:], w.counted[late:]
        if not stored.all():
            counted = torch.from_numpy(stored).to(self.device)
            return torch.where(counted, errors, 0.0).sum() / counted.sum().clamp(min=1), taken
        return errors.mean(), taken

    def _warm(self, network: RecurrentQNetwork, w: Windows) -> State:
        """Return the memory with which a network enters the windows."""
        stored = tuple(torch.from_numpy(np.ascontiguousarray(part)).to(self.device) for part in w.states)
        warm = self._tensor(w.warm_observations), torch.from_numpy(w.warm_starts).to(self.device)
        return first_memory(network.memory, self.config.start, stored, warm)


def errors_of(
    values: Tensor,
    following: Tensor,
    at: Tensor,
    actions: Tensor,
    rewards: Tensor,
    discounts: Tensor,
    after: Tensor,
    allowed: Tensor | None,
    double: bool,
    loss: str,
) -> tuple[Tensor, Tensor]:
    """Return the losses of the steps of B windows, and the values of the actions taken, shape [T, B] both.

    Parameters
    ----------
    values, following : Tensor, shape [K, B, A]
        Of the rows of the windows, by the network and by the target network.
    at, after : Tensor of int64, shape [T, B]
        The row of each step, and that from whose value it bootstraps.
    actions, rewards, discounts : Tensor, shape [T, B]
        See `td_targets`.
    allowed : Tensor of bool, shape [T, B, A], optional
        Which actions exist at the rows `after`.
    double : bool
        Whether the network chooses the best next action, and the target network only values it.
    loss : str
        "huber" or "mse".
    """
    columns = torch.arange(at.shape[1], device=at.device)
    taken = values[at, columns].gather(2, actions.unsqueeze(2)).squeeze(2)
    with torch.no_grad():
        ahead = following[after, columns]
        best = existing(values[after, columns] if double else ahead, allowed).argmax(2, keepdim=True)
        targets = td_targets(rewards.flatten(), discounts.flatten(), ahead.gather(2, best).flatten()).view_as(taken)
    return (smooth_l1_loss if loss == "huber" else mse_loss)(taken, targets, reduction="none"), taken
