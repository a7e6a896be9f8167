"""DQN: deep Q-network (Mnih et al. 2015), and what was added to it since, each by a switch of its own.

Q-learning with a network is unstable: successive data are correlated, and the target moves with every update. DQN replays old
transitions drawn at random, and takes its targets from a copy of the network that follows slowly:

    y = R + gamma max_a Q_target(S', a),    minimise Huber(y - Q(S, A))                            (Algorithm 1)

`double` chooses the action by the network and values it by the target (van Hasselt et al. 2016); `dueling` splits value and advantage
(Wang et al. 2016); `n_steps` looks further ahead; `prioritized` replays what surprised (Schaul et al. 2016); `noisy` explores by
learned noise (Fortunato et al. 2018); `distributional` learns the distribution of the return, as a histogram (C51, Bellemare et al.
2017) or by quantiles (QR, Dabney et al. 2018). All of them together are Rainbow (Hessel et al. 2018). Where the environment says which
actions exist (``info["action_mask"]``), no other is taken, and no other enters the maximum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from rlcourse.agents.deep.modes import Modes, by_batch, seeded
from rlcourse.agents.deep.off_policy import OffPolicyAgent
from rlcourse.agents.deep.optimizer import FlatAdam
from rlcourse.agents.deep.prioritized import PrioritizedReplay
from rlcourse.agents.deep.q_losses import Prediction, best_actions, pick, slopes
from rlcourse.agents.deep.q_network import QNetwork
from rlcourse.agents.deep.replay import Replay
from rlcourse.agents.deep.target_network import Target
from rlcourse.core.config import Config, Count, Discount, GradientSteps, Interval, NonNegative, Positive, Probability, StepSize, Widths
from rlcourse.core.schedules import Exponential, Linear, Schedule, value

__all__ = ["DQN", "DQNConfig"]

_MEASURED = 100  # steps between measurements of the loss


@dataclass(frozen=True)
class DQNConfig(Config):
    """Settings of `DQN`, named as in stable-baselines3 where it has them."""

    n_envs: Count = 1  # copies of the environment
    learning_rate: Annotated[Schedule, Interval(0)] = 1e-4  # Adam's; a number or linear(start, end, steps)
    buffer_size: Count = 100_000  # transitions in the replay memory
    learning_starts: Annotated[int, Interval(0)] = 100  # steps of random actions before the first update
    batch_size: Count = 32  # transitions per gradient step
    gamma: Discount = 0.99  # discount rate
    train_freq: Count = 4  # steps of each copy between updates
    gradient_steps: GradientSteps = 1  # gradient steps per update; -1: as many as transitions were gathered
    target_network: bool = True  # take targets from a copy that follows slowly; without it from the learning network itself
    target_update_interval: Count = 10_000  # steps between updates of the target network
    tau: StepSize = 1.0  # how far the target network then moves; 1: all the way
    exploration_initial_eps: Probability = 1.0  # probability of a random action at the beginning
    exploration_final_eps: Probability = 0.05  # probability of a random action in the end
    exploration_steps: Positive = 10_000  # steps until it has fallen, or half of the way if exponential
    exploration_decay: Literal["linear", "exponential"] = "linear"  # how the probability falls
    loss: Literal["huber", "mse"] = "huber"  # of the error of a value
    double: bool = False  # choose the best next action by the network, value it by the target network
    dueling: bool = False  # separate heads for value and advantage
    n_steps: Count = 1  # steps of a return before it bootstraps
    prioritized: bool = False  # replay what was wrong more often
    priority_alpha: Probability = 0.6  # how much more often: 0 is uniform
    priority_beta: Probability = 0.4  # initial correction by importance weights
    priority_beta_steps: Count = 100_000  # steps until the correction is full
    noisy: bool = False  # explore by learned noise instead of random actions
    noisy_sigma: Positive = 0.5  # initial deviation of that noise
    distributional: Literal["none", "c51", "qr"] = "none"  # learn distributions: histograms, or quantiles
    n_atoms: Annotated[int, Interval(2)] = 51  # atoms of a histogram, or quantiles
    v_min: float = 0.0  # smallest return that a histogram holds
    v_max: float = 200.0  # greatest return that a histogram holds
    max_grad_norm: Positive | None = 10.0  # gradients are clipped to this norm; none: never
    max_grad_value: Positive | None = None  # each element of the gradient is clipped to this magnitude; none: never
    adam_eps: NonNegative = 1e-8  # added to the root of Adam's second moment
    init: Literal["torch", "xavier"] = "torch"  # initial weights: torch's own, or Glorot & Bengio's with zero biases
    hidden: Widths = (64, 64)  # widths of the hidden layers
    encoder: str = "auto"  # see rlcourse.encoders
    encoder_mode: Literal["scratch", "frozen", "finetune", "warmstart"] = "scratch"  # taken over: fixed, at a tenth of the rate, or free
    encoder_from: str | None = None  # file of an agent, an autoencoder or a classifier whose encoder is taken over
    bn_mode: Literal["separate", "joint", "target"] = "target"  # batch norm of S': by its batch, by one with S (CrossQ), or as it acts
    device: Literal["auto", "cpu", "cuda"] = "auto"  # auto: the faster of GPU and CPU, measured before learning; without a GPU the CPU
    precision: Literal["float32", "bfloat16"] = "float32"  # of the passes of networks; weights and losses are float32 in any case
    compile: bool = False  # run the passes of networks through torch.compile: the first of each kind then takes a minute

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.v_min < self.v_max:
            raise ValueError(f"v_min must be less than v_max, not {self.v_min} and {self.v_max}")


class DQN(OffPolicyAgent):
    """DQN and its extensions, for Discrete actions on any Gymnasium environment.

    Attributes
    ----------
    metrics : dict of str to float
        loss, q (mean value of the actions in the last batch), epsilon, learning_rate.
    network, target_network : QNetwork
    replay : Replay
    """

    Config = DQNConfig
    actions = (gym.spaces.Discrete,)
    heeds_masks = True

    def _make(self) -> None:
        c = self.config
        atoms = c.n_atoms if c.distributional != "none" else 1
        with seeded(self.generator):
            network = QNetwork(
                self.seen_space, self.n_actions, c.hidden, c.encoder, c.dueling, c.noisy * c.noisy_sigma, atoms, c.init == "xavier"
            )
        self.network = self._ready(network)
        self.modes = Modes(self.network, self.generator, c.batch_size)
        self._joint = c.bn_mode == "joint" and bool(self.modes.norms)
        self._target = Target(self.network) if c.target_network else None
        self.target_network = self._target.network if self._target else self.network
        self.optimizer = FlatAdam(self.network, eps=c.adam_eps, **self._descent())
        support = torch.linspace(c.v_min, c.v_max, c.n_atoms, device=self.device)
        self.prediction = Prediction(c.distributional, c.loss, support, c.v_min, c.v_max)
        fall = Linear if c.exploration_decay == "linear" else Exponential
        self.epsilon = fall(c.exploration_initial_eps, c.exploration_final_eps, c.exploration_steps)
        self._taped = c.distributional == "none" and self.network.is_perceptron and c.precision == "float32" and not c.compile
        self.replay = self._make_replay()

    def _make_replay(self) -> Replay:
        c = self.config
        if c.prioritized:
            return PrioritizedReplay.of(self.venv, c.buffer_size, c.train_freq, alpha=c.priority_alpha)
        return Replay.of(self.venv, c.buffer_size, c.train_freq)

    def parts(self) -> dict[str, Any]:
        """Return the networks, the optimiser and the memory."""
        target = {} if self._target is None else {"target": self.target_network}
        return {"network": self.network, **target, "optimizer": self.optimizer, "replay": self.replay}

    # Learning (Algorithm 1) -------------------------------------------------------------------------------------------

    def _iterate(self, budget: int) -> None:
        """Act and store; then sample and descend; now and then move the target network."""
        c, before = self.config, self.num_timesteps
        updates = self._gather(budget)
        measured = not self.metrics or self.num_timesteps // _MEASURED > before // _MEASURED
        for k in range(updates):
            self._update(measured and k == updates - 1)
        interval = c.target_update_interval
        moves = self.num_timesteps // interval - before // interval
        if self._target is not None and moves:
            self._target.follow(self.optimizer, 1.0 - (1.0 - c.tau) ** moves)

    def _act(self, t: int, observations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return actions to store and actions to take, as the agent explores."""
        epsilon = 1.0 if self._starting else self._epsilon(self.num_timesteps + self.replay.valid)
        actions = self._epsilon_greedy(observations, epsilon, self._masks)
        return actions, self._taken(actions)

    def _epsilon(self, step: int) -> float:
        return 0.0 if self.config.noisy else self.epsilon.at(step)

    @torch.inference_mode()
    def _epsilon_greedy(self, observations: np.ndarray | Tensor, epsilon: float, masks: np.ndarray | None) -> np.ndarray:
        """Return epsilon-greedy actions among those that exist, shape [B]; the network is asked only where it decides."""
        B = len(observations)
        random = self.rng.random(B) < epsilon if epsilon > 0.0 else np.zeros(B, np.bool_)
        explorers = np.count_nonzero(random)
        if explorers == B:
            return self._random(B, masks)
        if self.config.noisy:
            self.network.reset_noise(self.generator)
        inputs = observations if isinstance(observations, Tensor) else self._tensor(observations)
        greedy = self._greedy(inputs, masks)
        return np.where(random, self._random(B, masks), greedy) if explorers else greedy

    def _greedy(self, observations: Tensor, masks: np.ndarray | None) -> np.ndarray:
        allowed = None if masks is None else torch.from_numpy(masks).to(self.device)
        return best_actions(self.values(self.network.forward(observations)), allowed).cpu().numpy()

    def values(self, outputs: Tensor) -> Tensor:
        """Return action values, shape [B, A], of a network's outputs."""
        return self.prediction.values(outputs)

    def _update(self, measured: bool = True) -> None:
        """Take one gradient step on a batch of replayed transitions."""
        c, replay = self.config, self.replay
        if isinstance(replay, PrioritizedReplay):
            replay.beta = Linear(c.priority_beta, 1.0, c.priority_beta_steps).at(self.num_timesteps)
        batch = replay.sample(c.batch_size, self.rng, c.gamma, c.n_steps)
        actions = torch.from_numpy(batch.actions).to(self.device)
        weights = None if batch.weights is None else torch.from_numpy(batch.weights).to(self.device)
        if c.noisy:
            self.network.reset_noise(self.generator)
            self.target_network.reset_noise(self.generator)
        targets, observations = self._targets(batch), self._tensor(batch.observations)
        if self._joint:
            observations = torch.cat([observations, self._tensor(batch.next_observations)])
        learning_rate = value(c.learning_rate, self.num_timesteps)
        descend = self._descend_taped if self._taped else self._descend
        predicted, loss = descend(observations, actions, targets, weights, learning_rate)
        if isinstance(replay, PrioritizedReplay):
            errors = predicted - targets if loss is None or c.distributional == "none" else loss
            replay.correct(batch.slots, errors.detach().cpu().numpy())
        if measured:
            each = self.prediction.losses(predicted, targets) if loss is None else loss
            self.metrics = {"loss": each.detach().mean(), "epsilon": self._epsilon(self.num_timesteps), "learning_rate": learning_rate}
            if c.distributional == "none":
                self.metrics["q"] = predicted.detach().mean()

    def _descend(
        self, observations: Tensor, actions: Tensor, targets: Tensor, weights: Tensor | None, learning_rate: float
    ) -> tuple[Tensor, Tensor | None]:
        """Go down the gradient of the mean loss; return predictions, and the loss of each, shape [B]."""
        with self.modes.learning():
            outputs = self.network(observations)
        predicted = pick(outputs[: len(actions)] if self._joint else outputs, actions)
        each = self.prediction.losses(predicted, targets)
        self.optimizer.step((each if weights is None else weights * each).mean(), learning_rate)
        return predicted, each

    @torch.inference_mode()
    def _descend_taped(
        self, observations: Tensor, actions: Tensor, targets: Tensor, weights: Tensor | None, learning_rate: float
    ) -> tuple[Tensor, Tensor | None]:
        """Do as `_descend`, without a graph: on small networks most of its time is the graph's."""
        values, back = self.network.taped(observations)
        chosen = actions.unsqueeze(1)
        predicted = values.gather(1, chosen).squeeze(1)
        slope = slopes(predicted, targets, self.config.loss).div_(len(actions))
        slope = slope if weights is None else slope.mul_(weights)
        back(torch.zeros_like(values).scatter_(1, chosen, slope.unsqueeze(1)))
        self.optimizer.descend(learning_rate)
        return predicted, None

    @torch.no_grad()
    def _targets(self, batch: Any) -> Tensor:
        """Return targets of a batch: values [B], distributions over the support [B, K], or quantiles [B, K]."""
        c = self.config
        rewards, discounts = torch.from_numpy(batch.rewards).to(self.device), torch.from_numpy(batch.discounts).to(self.device)
        masks = None if batch.next_masks is None else torch.from_numpy(batch.next_masks).to(self.device)
        S_ = self._tensor(batch.next_observations)
        following = self._asked(self.target_network, self._target.norms if self._target else self.modes.norms, batch.observations, S_)
        double = c.double and self._target is not None
        chooser = self._asked(self.network, self.modes.norms, batch.observations, S_) if double else None
        return self.prediction.targets(rewards, discounts, following, chooser, masks)

    def _asked(self, network: QNetwork, norms: list[Any], S: np.ndarray, S_: Tensor) -> Tensor:
        """Return a network's outputs at S', batch-normalised as `bn_mode` says; no running statistics move."""
        if not norms or self.config.bn_mode == "target":
            return network.forward(S_)
        with by_batch(norms):
            return network.forward(torch.cat([self._tensor(S), S_]))[len(S) :] if self._joint else network.forward(S_)

    def _policy(self, observations: Tensor, deterministic: bool, masks: np.ndarray | None = None) -> np.ndarray:
        self.network.still()
        if deterministic:
            return self._greedy(observations, masks)
        return self._epsilon_greedy(observations, self._epsilon(self.num_timesteps), masks)
