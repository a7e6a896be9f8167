"""A deep Q-network by hand: Q-learning with the perceptron of this package, on any environment of numbers and Discrete actions.

    y = R + gamma max_a Q_target(S', a),    minimise Huber(y - Q(S, A))                            (Mnih et al. 2015)

>>> import gymnasium as gym
>>> Q = learn(gym.make("CartPole-v1"), Settings(), np.random.default_rng(0))

What the notes' version of it lacked is here: a target network; `terminated` and not the time limit ends the return, and a flag says so,
not a next state of zeros; and the best of the networks that were looked at is returned, not the last. The agent for work is
`rlcourse.agents.DQN`.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.nn_numpy.descent import Adam
from rlcourse.nn_numpy.losses import huber
from rlcourse.nn_numpy.mlp import MLP

__all__ = ["Settings", "learn", "play"]


@dataclass(frozen=True)
class Settings:
    """Settings of `learn`; steps are the environment's."""

    steps: int = 50_000
    hidden: tuple[int, ...] = (128, 128)
    learning_rate: float = 2.3e-3
    gamma: float = 0.99
    batch_size: int = 64
    learning_starts: int = 1_000
    train_freq: int = 256  # steps between bursts of updates
    gradient_steps: int = 128  # updates of a burst: while it acts the policy stays as it is
    target_update_interval: int = 256
    exploration_steps: int = 8_000  # the probability of a random action falls from 1 to 0.05
    look_every: int = 2_500  # steps between looks at the greedy policy, over 10 episodes
    max_grad_norm: float = 10.0


def learn(env: Any, settings: Settings, rng: np.random.Generator) -> MLP:
    """Return the best action-value network that was found: ``Q.forward(observations)`` [B, A]."""
    s, n_actions = settings, int(env.action_space.n)
    Q = MLP((env.observation_space.shape[0], *s.hidden, n_actions), rng)
    target, best, best_return = copy.deepcopy(Q), copy.deepcopy(Q), -np.inf
    adam = Adam(Q.parameters)
    seen = np.zeros((s.steps, 2, env.observation_space.shape[0]))  # S and S'
    actions, rewards, terminals = np.zeros(s.steps, np.int64), np.zeros(s.steps), np.zeros(s.steps)
    S, _ = env.reset(seed=int(rng.integers(2**31)))
    for t in range(s.steps):
        epsilon = max(0.05, 1.0 - 0.95 * t / s.exploration_steps)
        A = int(rng.integers(n_actions)) if rng.random() < epsilon else int(Q.forward(S[None])[0].argmax())
        S_, rewards[t], terminated, truncated, _ = env.step(A)
        seen[t, 0], seen[t, 1], actions[t], terminals[t] = S, S_, A, terminated
        S = env.reset()[0] if terminated or truncated else S_
        for _ in range(s.gradient_steps if t >= s.learning_starts and t % s.train_freq == 0 else 0):
            b = rng.integers(t + 1, size=s.batch_size)
            following = target.forward(seen[b, 1]).max(axis=1)
            y = rewards[b] + s.gamma * (1.0 - terminals[b]) * following
            update(Q, adam, seen[b, 0], actions[b], y, s)
        if t % s.target_update_interval == 0:
            target = copy.deepcopy(Q)
        if (t + 1) % s.look_every == 0:
            found = np.mean([play(env, Q) for _ in range(10)])
            S, _ = env.reset()
            if found >= best_return:
                best, best_return = copy.deepcopy(Q), float(found)
    return best


def update(Q: MLP, adam: Adam, S: np.ndarray, A: np.ndarray, y: np.ndarray, settings: Settings) -> None:
    """Go one step down the loss of Q(S, A) against targets y [B]; the other actions' values have no gradient."""
    values = Q.forward(S)
    slope = np.zeros_like(values)
    rows = np.arange(len(A))
    slope[rows, A] = huber(values[rows, A][:, None], y[:, None])[1][:, 0]
    Q.backward(slope)
    norm = np.sqrt(sum(float((g * g).sum()) for g in Q.gradients))
    scale = min(1.0, settings.max_grad_norm / (norm + 1e-12))
    adam.step([scale * g for g in Q.gradients], settings.learning_rate)


def play(env: Any, Q: MLP, seed: int | None = None) -> float:
    """Return the return of one episode of the greedy policy."""
    S, _ = env.reset(seed=seed)
    total, done = 0.0, False
    while not done:
        S, reward, terminated, truncated, _ = env.step(int(Q.forward(S[None])[0].argmax()))
        total, done = total + float(reward), terminated or truncated
    return total
