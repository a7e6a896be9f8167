"""`Episodes`: a batch of whole episodes, played in N copies and kept in arrays that grow."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from rlcourse.agents.deep.base import Act
from rlcourse.core.faults import EnvironmentFault
from rlcourse.core.fits import fit, indices, shaped

__all__ = ["Episodes"]


class Episodes:
    """The first K episodes that N copies begin, for an agent that learns from whole ones.

    Which episodes are learned from is decided when they begin: to take the first K that end would prefer the short ones. Copies that have
    none of the K left step on until the others have finished; these steps are counted and not learned from. One copy has no such steps.

    Parameters
    ----------
    env : VectorEnv
        Copies that reset in the same step and report ``final_obs`` and ``episode``.
    wanted : int
        Episodes K of a batch.
    longest : int
        Steps of an episode after which it is taken for endless.

    Attributes
    ----------
    observations, actions, rewards, terminated, ended : ndarray, shape [capacity, N, ...]
        As in `Rollout`.
    numbers : ndarray of int, shape [capacity, N]
        The episode that a step belongs to, from 0 in the order of beginning.
    running : ndarray of int, shape [N]
        The episode that each copy is in.
    cuts : list of (t, i, observation)
        Truncated steps with their true last observation.
    length : int
        Rows T since the batch began.
    valid : int
        Steps counted by the last `collect`.
    """

    _ARRAYS = ("observations", "actions", "rewards", "terminated", "ended", "numbers")

    def __init__(self, env: gym.vector.VectorEnv[Any, Any, Any], wanted: int, longest: int = 100_000) -> None:
        n, seen, action = env.num_envs, env.single_observation_space, env.single_action_space
        discrete = isinstance(action, gym.spaces.Discrete)
        self.wanted, self.longest = wanted, longest
        self.observations = np.zeros((256, n, *(seen.shape or ())), dtype=seen.dtype)
        self.actions = np.zeros((256, n, *(action.shape or ())), dtype=np.int64 if discrete else np.float32)
        self.rewards, self.numbers = np.zeros((256, n), np.float32), np.zeros((256, n), np.int64)
        self.terminated, self.ended = np.zeros((256, n), np.bool_), np.zeros((256, n), np.bool_)
        self.cuts: list[tuple[int, int, np.ndarray]] = []
        self.running = np.arange(n)
        self.length = self.valid = 0

    def clear(self) -> None:
        """Forget the batch, and begin another with the next `collect`."""
        self.length = 0
        self.cuts.clear()
        self.running[:] = np.arange(len(self.running))

    @property
    def complete(self) -> bool:
        """Whether the K episodes are over."""
        return bool(self.running.min() >= self.wanted)

    def collect(
        self, env: gym.vector.VectorEnv[Any, Any, Any], observation: np.ndarray, act: Act, budget: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Step the copies until the batch is complete or the budget spent; see `Rollout.collect`.

        A batch that the budget leaves incomplete goes on in the next call. Where the budget ends within a vector step it is dropped
        instead, because some of its episodes would lack a step.

        Raises
        ------
        EnvironmentFault
            Where an episode of the batch has not ended after `longest` steps.
        """
        n, episodes = env.num_envs, []
        if self.length == 0 and n > 1:  # the copies are amid episodes of no batch
            observation, _ = env.reset()
        self.valid = 0
        while not self.complete and self.valid < budget:
            t, stored = self.length, min(n, budget - self.valid)
            if t >= self.longest and ((self.numbers[t - self.longest] == self.running) & (self.running < self.wanted)).any():
                advice = "set a time limit (gymnasium.wrappers.TimeLimit), or raise max_episode_steps"
                raise EnvironmentFault(f"an episode has not ended after {self.longest:,} steps, and whole ones are learned from: {advice}")
            if t == len(self.rewards):
                self._reserve(2 * t)
            self.observations[t], self.numbers[t] = observation, self.running
            self.actions[t], chosen = act(t, self.observations[t])
            observation, self.rewards[t], self.terminated[t], truncated, infos = env.step(chosen)
            self.ended[t] = self.terminated[t] | truncated
            self.length += 1
            for i in np.flatnonzero(self.ended[t][:stored]) if "_episode" in infos else ():
                if not self.terminated[t, i]:
                    self.cuts.append((t, int(i), np.array(infos["final_obs"][i])))
                score, steps = float(infos["episode"]["r"][i]), float(infos["episode"]["l"][i])
                episodes.append((score, steps, float(self.terminated[t, i]), float(self.valid + i + 1)))
                self.running[i] = self.running.max() + 1
            self.valid += stored
            if stored < n:
                self.clear()
        return observation, np.array(episodes).reshape(-1, 4)

    def _reserve(self, rows: int) -> None:
        for name in self._ARRAYS:
            old = getattr(self, name)
            grown = np.zeros((rows, *old.shape[1:]), old.dtype)
            grown[: len(old)] = old
            setattr(self, name, grown)

    def state_dict(self) -> dict[str, Any]:
        """Return the batch as far as it is."""
        arrays = {name: getattr(self, name)[: self.length] for name in self._ARRAYS}
        last = np.array([observation for _, _, observation in self.cuts], self.observations.dtype)
        return arrays | {"running": self.running, "cuts": np.array([cut[:2] for cut in self.cuts], np.int64).reshape(-1, 2), "last": last}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on with a batch."""
        length = len(state["rewards"])
        for name in self._ARRAYS:
            mine = getattr(self, name)
            shaped(state[name], (length, *mine.shape[1:]), mine.dtype, f"episodes.{name}")
        cuts = shaped(state["cuts"], (None, 2), np.int64, "episodes.cuts")
        indices(cuts[:, 0], 0, length, "episodes.cuts")
        indices(cuts[:, 1], 0, len(self.running), "episodes.cuts")
        last = state["last"] if len(cuts) else self.observations[:0, 0]
        shaped(last, (len(cuts), *self.observations.shape[2:]), self.observations.dtype, "episodes.last")
        self.length = length
        self._reserve(max(self.length, len(self.rewards)))
        for name in self._ARRAYS:
            getattr(self, name)[: self.length] = state[name]
        fit(self.running, state["running"], "episodes.running")
        self.cuts = [(int(t), int(i), each.copy()) for (t, i), each in zip(cuts, last, strict=True)]
