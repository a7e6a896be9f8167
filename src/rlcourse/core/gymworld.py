"""The way back: any Gymnasium environment as a world, compiled where that is faithful and interpreted where it is not."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.wrappers import OrderEnforcing, PassiveEnvChecker, TimeLimit

from rlcourse.core import seeds, spaces
from rlcourse.core.contract import Checked
from rlcourse.core.mdp import MDP
from rlcourse.core.world import World, WorldEnv, is_world

__all__ = ["GymWorld", "as_env", "as_world", "id_of", "model_of", "peel"]

_TRANSPARENT = (OrderEnforcing, PassiveEnvChecker, TimeLimit, Checked)


class GymWorld:
    """A Gymnasium environment as a world for interpreted boxes.

    The state is the observation (finite spaces become one integer), the environment keeps its own hidden state, and its
    generator *is* the agent's: it is never reseeded between episodes.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        self.env = Checked(env, numbers=True)
        self.observation_space: gym.Space[Any] = env.observation_space
        self.action_space: gym.Space[Any] = env.action_space
        self._finite = spaces.is_finite(env.observation_space)
        self._finite_actions = spaces.is_finite(env.action_space)

    def reset(self, rng: Any) -> Any:
        """Begin an episode; the first one seeds whatever the environment draws from elsewhere than `np_random`."""
        if self.env.unwrapped.np_random is not rng:  # the first episode, or someone has seeded the environment since
            seeds.begin(self.env, _seed_of(rng))
            self.env.unwrapped.np_random = rng
        return self.observe(self.env.reset()[0])

    def step(self, state: Any, action: Any, rng: Any) -> tuple[Any, float, bool, bool]:
        """Take an action in the environment."""
        chosen = spaces.unravel(self.action_space, action) if self._finite_actions else spaces.boxed(self.action_space, action)
        observation, reward, terminated, truncated, _ = self.env.step(chosen)
        return self.observe(observation), float(reward), bool(terminated), bool(truncated)

    def observe(self, state: Any) -> Any:
        """Return an observation as a box wants it: an integer, or the array."""
        return spaces.ravel(self.observation_space, state) if self._finite else state


def as_env(env: Any) -> gym.Env[Any, Any]:
    """Return an environment from an id, a world or an environment.

    Raises
    ------
    ValueError
        Where the id is unknown, needs an extra that is not installed, or the value is no environment.
    """
    if isinstance(env, str):
        try:
            return gym.make(env)
        except (gym.error.Error, ImportError) as error:
            raise ValueError(f"environment {env!r} cannot be made: {error}") from error
    if isinstance(env, gym.Env):
        return env
    if isinstance(env, gym.vector.VectorEnv):
        inner: Any = getattr(env.unwrapped, "world", None)
        if is_world(inner):
            limit = getattr(env.unwrapped, "max_episode_steps", None)
            return TimeLimit(WorldEnv(inner), limit) if limit else WorldEnv(inner)
        copies = getattr(env.unwrapped, "envs", None)
        if copies:
            first: gym.Env[Any, Any] = copies[0]
            return first
        raise ValueError("env: this vector environment has no copy to learn in; pass one environment or its id")
    if is_world(env):
        return WorldEnv(env)
    raise ValueError(f"env must be a Gymnasium environment, its id, or a world, not {type(env).__name__}")


def id_of(env: Any) -> str | None:
    """Return the id that Gymnasium makes this very environment from, or None where arguments, a limit or wrappers were added."""
    spec = getattr(env, "spec", None)
    default = None if spec is None else gym.registry.get(spec.id)
    if spec is None or default is None or spec.additional_wrappers or spec.max_episode_steps != default.max_episode_steps:
        return None
    mine, theirs = ({**each.kwargs, "render_mode": None} for each in (spec, default))
    return str(spec.id) if repr(sorted(mine.items())) == repr(sorted(theirs.items())) else None


def peel(env: gym.Env[Any, Any]) -> tuple[gym.Env[Any, Any], int | None]:
    """Take off the wrappers known to be transparent; return what is inside, and the time limit met on the way."""
    limit: int | None = None
    while type(env) in _TRANSPARENT:
        if isinstance(env, TimeLimit):
            limit = env._max_episode_steps if limit is None else min(limit, env._max_episode_steps)
        env = env.env  # type: ignore[attr-defined]
    return env, limit


def as_world(env: Any) -> tuple[World, int | None]:
    """Return a world that behaves as an environment does, and its time limit in steps.

    The world is data (so boxes run compiled) where the environment is one of ours or one of Gymnasium's own tables
    behind transparent wrappers only; otherwise it is a `GymWorld`, whose limit is None because the environment keeps it.

    Parameters
    ----------
    env : World, Env, VectorEnv or str
    """
    if is_world(env):
        return env, None
    whole = as_env(env)
    inner, limit = peel(whole)
    if type(inner) is WorldEnv:
        return inner.world, limit
    if type(inner).__module__.startswith("gymnasium.envs.toy_text."):
        model = model_of(inner)
        if model is not None:
            return model, limit
    return GymWorld(whole), None


def model_of(env: Any) -> MDP | None:
    """Return the exact finite model of an environment, or None: its own world, what its world's ``model()`` makes, or its table ``P``.

    A Taxi with a fickle passenger has none: its ``P`` is not the whole truth. Nor has an environment behind a wrapper that
    is not known to be transparent: it may change rewards or observations.
    """
    if is_world(env):
        return _model_of_world(env)
    inner = peel(env)[0] if isinstance(env, gym.Env) else env
    if isinstance(inner, gym.Wrapper):
        return None
    if type(inner) is WorldEnv:
        return _model_of_world(inner.world)
    table = getattr(inner, "P", None)
    if table is None or getattr(inner, "fickle_passenger", False):
        return None
    return MDP.of(table, getattr(inner, "initial_state_distrib", 0))


def _model_of_world(world: Any) -> MDP | None:
    """Return an MDP as it is; another world's `model()`, which is exact in probabilities and in expected rewards."""
    if isinstance(world, MDP):
        return world
    made = getattr(world, "model", None)
    return made() if callable(made) else None


def _seed_of(rng: np.random.Generator) -> int:
    """Return a seed that follows from a generator's state without advancing it."""
    text = json.dumps(rng.bit_generator.state, sort_keys=True, default=str)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little")
