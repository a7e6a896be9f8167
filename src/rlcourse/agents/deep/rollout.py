"""`Rollout`: T steps of N copies in preallocated arrays, and how they are collected."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Self

import gymnasium as gym
import numpy as np

from rlcourse.core.masks import masks_of
from rlcourse.core.memory import require_memory

__all__ = ["Rollout"]


class Rollout:
    """Experience of T steps in N copies, overwritten by the next rollout.

    Parameters
    ----------
    env : VectorEnv
        Copies that reset in the same step and report ``final_obs`` and ``episode``.
    steps : int
        Capacity T.
    action_shape, action_dtype
        Of one action.

    Attributes
    ----------
    observations : ndarray, shape [T + 1, N, ...]
        Row T is what the next rollout begins with.
    actions : ndarray, shape [T, N, ...]
    rewards : ndarray of float32, shape [T, N]
    terminated, ended : ndarray of bool, shape [T, N]
        Ended: terminated, truncated, or not to be stored further.
    cuts : list of (t, i, observation)
        Truncated steps with their true last observation, from which to bootstrap.
    masks : ndarray of bool, shape [T + 1, N, A], or None
        Actions that exist at the observations, of an agent that heeds them (`n_actions`); `final_masks` are those of the cuts.
    """

    def __init__(self, env: gym.vector.VectorEnv[Any, Any, Any], steps: int, action_shape: tuple[int, ...], action_dtype: Any) -> None:
        space: Any = env.single_observation_space
        n = env.num_envs
        each = math.prod(space.shape or ()) * space.dtype.itemsize + math.prod(action_shape) * np.dtype(action_dtype).itemsize + 6
        require_memory(f"a rollout of {steps:,} steps in {n:,} copies", (steps + 1) * n * each, "n_steps")
        self.observations = np.zeros((steps + 1, n, *(space.shape or ())), dtype=space.dtype)
        self.actions = np.zeros((steps, n, *action_shape), dtype=action_dtype)
        self.rewards = np.zeros((steps, n), dtype=np.float32)
        self.terminated, self.ended = np.zeros((steps, n), np.bool_), np.zeros((steps, n), np.bool_)
        self.cuts: list[tuple[int, int, np.ndarray]] = []
        self.n_actions = 0  # of an agent that heeds masks
        self.masks: np.ndarray | None = None
        self.final_masks: list[np.ndarray] = []
        self.length = 0  # rows of the last rollout, T or fewer
        self.valid = 0  # its stored steps: the first of the flattened [length * N]

    @classmethod
    def for_policy(cls, env: gym.vector.VectorEnv[Any, Any, Any], steps: int) -> Self:
        """Make a rollout for the actions of an environment: numbers of a Discrete space, or float32 values of a Box."""
        discrete = isinstance(env.single_action_space, gym.spaces.Discrete)
        return cls(env, steps, () if discrete else env.single_action_space.shape or (), np.int64 if discrete else np.float32)

    def begin(self, infos: dict[str, Any]) -> None:
        """Note which actions exist where the copies begin; an agent that heeds masks says so by `n_actions`."""
        self.length = 0
        self._note(0, infos)

    def state_dict(self) -> dict[str, Any]:
        """Return which actions exist where the copies are, where that is known: the rest of a rollout is made anew."""
        return {} if self.masks is None else {"masks": self.masks[self.length]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.begin({"action_mask": state["masks"]} if "masks" in state else {})

    def _note(self, row: int, infos: dict[str, Any]) -> None:
        if self.masks is None and self.n_actions and "action_mask" in infos:  # until now all actions existed
            self.masks = np.ones((len(self.observations), self.ended.shape[1], self.n_actions), np.bool_)
        if self.masks is not None:
            self.masks[row] = masks_of(infos, self.ended.shape[1], self.n_actions)

    def collect(
        self,
        env: gym.vector.VectorEnv[Any, Any, Any],
        observation: np.ndarray,
        act: Callable[[int, np.ndarray], tuple[np.ndarray, np.ndarray]],
        budget: int,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Fill the arrays with at most `budget` steps.

        Parameters
        ----------
        env : VectorEnv
        observation : ndarray, shape [N, ...]
            Where the copies are.
        act : callable
            ``act(t, observations) -> (actions to store, actions for the environment)``.
        budget : int
            In the last vector step only the first copies are stored and counted, so that the total is exact.

        Returns
        -------
        observation : ndarray, shape [N, ...]
        episodes : ndarray, shape [E, 4]
            Rows return, length, terminated, steps of this rollout so far.
        """
        n = env.num_envs
        if self.masks is not None:
            self.masks[0] = self.masks[self.length]
        self.length = min(len(self.rewards), -(-budget // n))
        self.valid = min(self.length * n, budget)
        self.cuts.clear()
        self.final_masks.clear()
        episodes = []
        self.observations[0] = observation
        for t in range(self.length):
            self.actions[t], chosen = act(t, self.observations[t])
            observation, reward, terminated, truncated, infos = env.step(chosen)
            self.observations[t + 1] = observation
            self.rewards[t], self.terminated[t] = reward, terminated
            if self.n_actions:
                self._note(t + 1, infos)
            self.ended[t] = terminated
            if "_episode" in infos:
                self.ended[t] |= truncated
                stored = n if t < self.length - 1 else self.valid - t * n
                for i in np.flatnonzero(self.ended[t][:stored]):
                    if not terminated[i]:
                        self.cuts.append((t, int(i), np.array(infos["final_obs"][i])))
                        if self.masks is not None:
                            self.final_masks.append(masks_of(infos.get("final_info", {}), n, self.n_actions)[i])
                    score, steps = float(infos["episode"]["r"][i]), float(infos["episode"]["l"][i])
                    episodes.append((score, steps, float(terminated[i]), float(t * n + i + 1)))
        if self.valid < self.length * n and self.length > 1:
            self.ended[self.length - 2, self.valid - (self.length - 1) * n :] = True  # their last step is not stored
        return observation, np.array(episodes).reshape(-1, 4)
