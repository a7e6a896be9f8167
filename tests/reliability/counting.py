"""Environments whose observation is the step of the episode: what follows what is known, and so are the values."""

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

SEEN = gym.spaces.Box(0, 100, (2,), np.float32)


class Counting(gym.Env):
    """Observations (t, copy); episodes end by turns by termination, by truncation, and by both at once. `taken` counts real steps.

    Parameters
    ----------
    copy : int
        Shifts the turns, so that copies end at different times.
    space : gymnasium.Space
        Of actions.
    """

    ends = ((3, True, False), (4, False, True), (2, True, True))  # length, terminated, truncated
    observation_space = SEEN

    def __init__(self, copy: int = 0, space: Any = None) -> None:
        self.action_space = space or gym.spaces.Discrete(2)
        self.copy, self.episode, self.taken, self.t = copy, copy - 1, 0, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t, self.episode = 0, self.episode + 1
        return self._seen(), {"begins": self.episode}

    def step(self, action):
        self.t, self.taken = self.t + 1, self.taken + 1
        length, terminated, truncated = self.ends[self.episode % len(self.ends)]
        over = self.t == length
        reward = 0.1 * self.t + 0.01 * float(np.sum(action))
        return self._seen(), reward, over and terminated, over and truncated, {"t": self.t}

    def _seen(self):
        return np.array([self.t, self.copy], np.float32)


class CountingWorld(NamedTuple):
    """The same as a world, whose episodes end as the actions say: nothing in it is random, so that its copies may share a generator."""

    continuous: bool
    opaque: object = object()  # no data: it runs interpreted, without waiting for a compiler

    @property
    def observation_space(self):
        return SEEN

    @property
    def action_space(self):
        return gym.spaces.Box(-1, 1, (1,), np.float32) if self.continuous else gym.spaces.Discrete(2)

    def reset(self, rng):
        return 0.0, 0.0

    def step(self, state, action, rng):
        push = float(np.sum(action))
        t = state[0] + 1.0
        return (t, 0.0), 0.1 * t + 0.01 * push, t == 5.0 or (t == 2.0 and push > 0.5), t == 5.0 or (t == 3.0 and push > 0.0)

    def observe(self, state):
        return np.array(state, np.float32)


class Ring(gym.Env):
    """Every step gives 1 and nothing ever ends by itself: behind any time limit V = 1 / (1 - gamma)."""

    observation_space = gym.spaces.Box(0, 1, (2,), np.float32)
    action_space = gym.spaces.Discrete(2)
    end = 0  # a place that ends the episode

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at = 0
        return self._seen(), {}

    def step(self, action):
        self.at = (self.at + 1) % self.observation_space.shape[0]
        over = 0 < self.at == self.end
        return self._seen(), 1.0, over, over, {}

    def _seen(self):
        return np.eye(self.observation_space.shape[0], dtype=np.float32)[self.at]


class Corridor(Ring):
    """Three steps, each gives 1; the last one terminates, and a time limit falls on it too: V = 1 + gamma + gamma**2, 1 + gamma, 1."""

    observation_space = gym.spaces.Box(0, 1, (4,), np.float32)
    end = 3
