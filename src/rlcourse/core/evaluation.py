"""`evaluate`: fresh episodes of an agent, each with a seed of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import concatenate, create_empty_array

from rlcourse.core.agent import Agent
from rlcourse.core.arguments import checked
from rlcourse.core.config import whole
from rlcourse.core.contract import Checked
from rlcourse.core.faults import EnvironmentFault
from rlcourse.core.gymworld import as_env, id_of
from rlcourse.core.spaces import short

__all__ = ["evaluate", "masks", "other_sight"]


@checked
def evaluate(
    agent: Any,
    env: Any,
    episodes: int = 10,
    *,
    seed: int = 0,
    deterministic: bool = True,
    max_steps: int = 10_000,
    stopped: Callable[[], bool] = lambda: False,
) -> np.ndarray:
    """Return the undiscounted returns of fresh episodes, shape [episodes].

    Parameters
    ----------
    agent : Agent
        Anything with `predict`; an agent with a network acts in `Agent.evaluation_envs` copies at once, where an id makes them.
    env : Env, World or str
        Where to act; episode i is seeded with ``seed + i``, so any subset can be repeated.
    episodes, seed : int
    deterministic : bool
        As in `predict`.
    max_steps : int
        An episode without a time limit ends here.
    stopped : callable
        Asked before each step; True ends the evaluation early, with the episodes so far.

    Raises
    ------
    EnvironmentFault, FloatingPointError
        As in learning, where the environment, or an action, is at fault; the sentence says at which step of which episode.
    """
    made = as_env(env)
    episodes, seed, max_steps = whole("episodes", episodes, 1), whole("seed", seed, 0), whole("max_steps", max_steps, 1)
    if not callable(getattr(agent, "predict", None)):
        raise ValueError(f"agent must be an agent, with a method predict, not {type(agent).__name__}")
    if isinstance(agent, Agent) and (wrong := other_sight(agent, made.observation_space)):
        raise ValueError(f"env: {wrong}")
    copies = _Copies(_made(agent, made, min(episodes, getattr(agent, "evaluation_envs", 1))), episodes, seed, max_steps)
    state: Any = None
    try:
        copies.begin()
        while copies.playing() and not stopped():
            how: dict[str, Any] = {"state": state, "episode_start": copies.starts, "deterministic": deterministic}
            how |= masks(agent, copies.infos)
            if len(copies.envs) == 1:
                action, state = agent.predict(copies.seen[0], **how)
                copies.step([action])
            else:
                actions, state = agent.predict(_batched(made.observation_space, copies.seen), **how)
                copies.step(actions)
    except (EnvironmentFault, FloatingPointError) as fault:
        raise type(fault)(f"{_where(agent, copies)} {fault}") from fault
    except Exception as error:  # a bug in the environment, whose traceback is wanted
        error.add_note(f"rlcourse: {_where(agent, copies)} the environment or the agent raised this {type(error).__name__}")
        raise
    return copies.finished()


@checked
def other_sight(agent: Agent, observation_space: gym.Space[Any]) -> str:
    """Return in words that an environment shows what an agent was not made for; nothing where it does not."""
    mine = agent.observation_space
    alike = type(mine) is type(observation_space) and mine.shape == observation_space.shape
    return "" if alike else f"this agent sees {short(mine)}, that environment shows {short(observation_space)}"


class _Copies:
    """Copies of an environment, each in an episode of its own, or in none when there are none left."""

    def __init__(self, envs: list[gym.Env[Any, Any]], episodes: int, seed: int, longest: int) -> None:
        self.envs = [Checked(env, k, numbers=True) for k, env in enumerate(envs)]
        self.seed, self.longest = seed, longest
        self.returns, self.running = np.zeros(episodes), [-1] * len(envs)  # running: each copy's episode, -1 when there is none left
        self.seen: list[Any] = [None] * len(envs)
        self.infos: list[dict[str, Any]] = [{}] * len(envs)
        self.steps, self.starts = [0] * len(envs), np.ones(len(envs), np.bool_)
        self.following = self.asked = 0  # the next episode; the copy that was asked last

    def begin(self) -> None:
        """Begin the first episodes."""
        for each in self.envs:
            if each.action_space._np_random is None:  # that of a model which is learning goes on where it is
                each.action_space.seed(self.seed)
        for k in range(len(self.envs)):
            self._begin(k)

    def _begin(self, k: int) -> None:
        self.asked = k
        self.running[k] = self.following if self.following < len(self.returns) else -1
        self.following += 1
        if self.running[k] >= 0:
            self.steps[k], self.starts[k] = 0, True
            self.seen[k], self.infos[k] = self.envs[k].reset(seed=self.seed + self.running[k])
        else:
            self.infos[k] = {}  # what exists after the end is nobody's business

    def playing(self) -> bool:
        """Whether an episode has not ended yet."""
        return any(i >= 0 for i in self.running)

    def step(self, actions: Any) -> None:
        """Take an action in each copy that is in an episode."""
        self.starts[:] = False
        for k, i in enumerate(self.running):
            if i < 0:
                continue
            self.asked = k
            self.steps[k] += 1
            self.seen[k], reward, terminated, truncated, self.infos[k] = self.envs[k].step(actions[k])
            self.returns[i] = float(self.returns[i]) + float(reward)  # infinite without a warning of numpy's
            if terminated or truncated or self.steps[k] >= self.longest:
                self._begin(k)

    def finished(self) -> np.ndarray:
        """Return the returns of the episodes that have ended, as far as none before them has not."""
        return self.returns[: min((i for i in self.running if i >= 0), default=len(self.returns))]


def _made(agent: Any, env: gym.Env[Any, Any], copies: int) -> list[gym.Env[Any, Any]]:
    """Return as many copies as are stepped at once: one, where they cannot be made from an id, or are in subprocesses."""
    if isinstance(env, gym.Wrapper) and callable(alone := getattr(env, "alone", None)):  # `rlcourse.core.subprocesses`
        return [alone()]
    name = id_of(env) if copies > 1 else None
    return [env] if name is None else [gym.make(name) for _ in range(copies)]


def _where(agent: Any, copies: _Copies) -> str:
    """Return in words when something went wrong, and which seed repeats it."""
    learned, k = getattr(agent, "num_timesteps", None), copies.asked
    after = "" if learned is None else f" after {learned:,} steps of learning"
    return f"in an evaluation{after}, at step {copies.steps[k]:,} of the episode with seed {copies.seed + copies.running[k]},"


def masks(agent: Any, infos: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the argument of `predict` that says which actions exist, where an agent heeds it and every environment tells."""
    if not getattr(agent, "heeds_masks", False) or not any("action_mask" in info for info in infos):
        return {}
    every = np.ones(int(agent.action_space.n), np.bool_)
    return {"action_masks": np.stack([np.asarray(info.get("action_mask", every), np.bool_) for info in infos])}


def _batched(space: gym.Space[Any], seen: list[Any]) -> Any:
    """Return observations as a batch, in the form in which a vectorised environment hands it over."""
    if isinstance(space, spaces.Dict | spaces.Tuple | spaces.OneOf | spaces.Text):
        room: Any = create_empty_array(space, len(seen))
        return concatenate(space, seen, room)
    return np.stack(seen)
