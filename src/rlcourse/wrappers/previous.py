"""`PreviousActionReward`: an observation also tells the last action and the last reward, as a recurrent agent's memory wants them.

Why a wrapper and not a setting of each agent: what `predict` gets from stable-baselines3's and everybody else's evaluation is the
observation, and nothing tells it the reward. As a part of the observation both are there in training, evaluation and use alike.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.box import typed_kernel
from rlcourse.core.rows import draw, replaced
from rlcourse.core.world import is_world
from rlcourse.wrappers.parts import box_of, head, join

__all__ = ["PreviousActionReward", "Reminded", "reminded"]


def entry(action, i, bounds):
    """Return number i of the d that tell an action: a one in its place, or its values within the bounds [2, d]."""
    if np.ndim(action) == 0:
        return 1.0 if action == i else 0.0
    return float(min(max(action.flat[i], bounds[0, i]), bounds[1, i]))


@typed_kernel(entry)
def _entry(action, i, bounds):
    if hasattr(action, "layout"):  # an array
        return lambda action, i, bounds: float(min(max(action.flat[i], bounds[0, i]), bounds[1, i]))
    return lambda action, i, bounds: 1.0 if action == i else 0.0


class Reminded(NamedTuple):
    """A world whose observations end with the last action and reward. State = (the state of the world inside ..., both of them).

    Attributes
    ----------
    world : World
        Its states are tuples of floats, its observations vectors.
    width : int
        Numbers of its observations.
    bounds : ndarray, shape [2, d]
        Least and largest values of the d entries for the action; none where it is left out.
    like, blank : tuple of float
        A state of the world inside, for its length; zeros, what an episode begins with.
    """

    world: Any
    width: int
    bounds: np.ndarray
    like: tuple[float, ...]
    blank: tuple[float, ...]

    @property
    def observation_space(self) -> gym.spaces.Box:
        """Observation, then a one in the place of the action or its values, then the reward."""
        return _longer(self.world.observation_space, self.bounds, len(self.blank) > self.bounds.shape[1])

    @property
    def action_space(self) -> gym.Space[Any]:
        """That of the world inside."""
        return self.world.action_space

    def reset(self, rng):
        """Begin an episode, with zeros for action and reward."""
        return join(self.world.reset(rng), self.blank)

    def step(self, state, action, rng):
        """Take an action, and remember it and its reward."""
        inner, reward, terminated, truncated = self.world.step(head(state, self.like), action, rng)
        extra = self.blank
        for i in range(self.bounds.shape[1]):
            extra = replaced(extra, i, entry(action, i, self.bounds))
        if len(extra) > self.bounds.shape[1]:
            extra = replaced(extra, len(extra) - 1, float(reward))
        return join(inner, extra), reward, terminated, truncated

    def observe(self, state):
        """Return what is seen and what is remembered: an array."""
        shown = np.empty(self.width + len(self.blank))
        self.paint(state, shown)
        return shown

    def paint(self, state, seen):
        """Write what is seen and what is remembered."""
        draw(self.world, head(state, self.like), seen[: self.width])
        for i in range(len(self.blank)):
            seen[self.width + i] = state[len(self.like) + i]


@checked
def reminded(world: Any, action: bool = True, reward: bool = True) -> Reminded:
    """Return a world that also shows its last action and reward; see `PreviousActionReward`."""
    if not is_world(world):
        raise ValueError(f"world must be a world, not {type(world).__name__}")
    bounds = _bounds(world.observation_space, world.action_space, action, reward)
    like = world.reset(np.random.default_rng(0))
    if not isinstance(like, tuple):
        raise ValueError(f"PreviousActionReward needs a world whose state is a tuple of floats, not {like!r}")
    return Reminded(world, int(world.observation_space.shape[0]), bounds, like, (0.0,) * (bounds.shape[1] + reward))


class PreviousActionReward(gym.Wrapper[Any, Any, Any, Any], gym.utils.RecordConstructorArgs):
    """Append the last action (a one in its place; of a Box: its values, clipped) and the last reward; zeros at an episode's start.

    Parameters
    ----------
    env : Env
        Observations are vectors in a Box; actions are in a Discrete or a Box.
    action, reward : bool
        Which of them is appended.
    """

    @checked
    def __init__(self, env: gym.Env[Any, Any], action: bool = True, reward: bool = True) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, action=action, reward=reward)
        gym.Wrapper.__init__(self, env)
        self.bounds = _bounds(env.observation_space, env.action_space, action, reward)
        self.with_action, self.with_reward = action, reward
        self.observation_space = _longer(box_of(env.observation_space, "PreviousActionReward"), self.bounds, reward)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode, with zeros for action and reward."""
        observation, info = self.env.reset(seed=seed, options=options)
        return self._appended(observation, None, 0.0), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take an action, and append it and its reward to what follows."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return self._appended(observation, action, float(reward)), reward, terminated, truncated, info

    def _appended(self, observation: Any, action: Any, reward: float) -> Any:
        extra = np.zeros(self.bounds.shape[1] + self.with_reward, np.float32)
        if action is not None:
            space: Any = self.env.action_space
            taken = int(action) - int(space.start) if isinstance(space, gym.spaces.Discrete) else np.asarray(action)
            for i in range(self.bounds.shape[1]):
                extra[i] = entry(taken, i, self.bounds)
        if self.with_reward:
            extra[-1] = reward
        return np.concatenate([observation, extra], dtype=np.float32)

    def around(self, world: Any) -> Reminded:
        """Return this wrapper around a world."""
        return reminded(world, self.with_action, self.with_reward)


def _bounds(seen: gym.Space[Any], space: gym.Space[Any], action: bool, reward: bool) -> np.ndarray:
    """Return the least and largest values of the entries for the action, shape [2, d]."""
    if not (action or reward):
        raise ValueError("PreviousActionReward needs action=True or reward=True: otherwise it appends nothing")
    if len(box_of(seen, "PreviousActionReward").shape) != 1:
        raise ValueError(f"PreviousActionReward needs observations that are vectors, not {seen}")
    if not action:
        return np.zeros((2, 0))
    if isinstance(space, gym.spaces.Discrete):
        return np.stack([np.zeros(int(space.n)), np.ones(int(space.n))])
    if isinstance(space, gym.spaces.Box):
        return np.stack([space.low.ravel(), space.high.ravel()]).astype(np.float64)
    raise ValueError(f"PreviousActionReward knows Discrete and Box actions, not {space}; pass action=False")


def _longer(space: gym.spaces.Box, bounds: np.ndarray, reward: bool) -> gym.spaces.Box:
    """Return the space of observations with action and reward behind them."""
    low, high = np.minimum(bounds[0], 0.0), np.maximum(bounds[1], 0.0)
    unbounded = np.full(int(reward), np.inf)
    return gym.spaces.Box(
        np.concatenate([space.low, low, -unbounded]).astype(np.float32),
        np.concatenate([space.high, high, unbounded]).astype(np.float32),
        dtype=np.float32,
    )
