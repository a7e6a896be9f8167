"""Small worlds and agents for programs of agents that replay, in actions within bounds."""

import math
from typing import NamedTuple

import gymnasium as gym
import numpy as np
import torch

from rlcourse.agents import DDPG, SAC, TD3, CrossQ
from rlcourse.agents.deep.replay import Batch
from rlcourse.core.vector import WorldVectorEnv

KINDS = (SAC, TD3, DDPG, CrossQ)
SMALL = {"hidden": (16, 16), "batch_size": 16, "learning_starts": 20, "buffer_size": 400}


class Approach(NamedTuple):
    """Come near 0 from anywhere in [-1, 1], by steps of 0.3 at most; the reward is minus the distance."""

    gain: float = 0.12

    @property
    def observation_space(self):
        return gym.spaces.Box(-1, 1, (1,), dtype=np.float32)

    @property
    def action_space(self):
        return gym.spaces.Box(-2.0, 3.0, (1,), dtype=np.float32)

    def reset(self, rng):
        return (2.0 * rng.random() - 1.0,)

    def step(self, state, action, rng):
        moved = min(1.0, max(-1.0, state[0] + self.gain * (action[0] - 0.5)))
        return (moved,), -abs(moved), False, False

    def observe(self, state):
        return state


class Cut(NamedTuple):
    """An episode of one step with reward 1: terminated, where something else is seen at last, or endless but for the time limit."""

    terminates: bool = True
    last: float = math.nan

    @property
    def observation_space(self):
        return gym.spaces.Box(-1, 1, (1,), dtype=np.float32)

    @property
    def action_space(self):
        return gym.spaces.Box(-1.0, 1.0, (1,), dtype=np.float32)

    def reset(self, rng):
        return (rng.random(),)

    def step(self, state, action, rng):
        return (2.0 if self.terminates else state[0],), 1.0, self.terminates, False

    def observe(self, state):
        return (self.last,) if state[0] > 1.5 else state


def make(kind, seed, world=None, copies=2, limit=10, **settings):
    env = WorldVectorEnv(Approach() if world is None else world, copies, max_episode_steps=limit)
    return kind(env, seed=seed, **(SMALL | settings))


def parameters(agent):
    """The weights, targets and running statistics of an agent."""
    networks = {name: part for name, part in agent.parts().items() if isinstance(part, torch.nn.Module)}
    return {f"{name}.{key}": np.asarray(value) for name, part in networks.items() for key, value in part.state_dict().items()}


def as_batch(batch, s):
    """What agent s of a program replays, as its host agent would have drawn it."""
    return Batch(*(part[s].numpy() for part in batch[:5]), slots=batch.slots[s].numpy())
