"""`SequenceReplay`: windows of consecutive steps, and the memory that the agent had at each (Kapturowski et al. 2019)."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.agents.deep.replay import Replay
from rlcourse.core.memory import require_memory

__all__ = ["SequenceReplay", "Windows", "n_step_returns"]


class Windows(NamedTuple):
    """B windows: W steps of warming up, then T steps to learn from, then one more observation.

    Episodes end and start within. Where a time limit cut one, its true last observation is put in behind the step, so that the
    successor of every step is the next row; `K` rows are that many more.

    Attributes
    ----------
    warm_observations, warm_starts : ndarray, shape [W, B, ...] and [W, B]
    observations, starts : ndarray, shape [T + 1 + K, B, ...] and [T + 1 + K, B]
    at : ndarray of int, shape [T, B]
        The row of each step.
    actions, rewards, terminated : ndarray, shape [T, B]
    counted : ndarray of bool, shape [T, B]
        Steps that are part of the agent's experience.
    states : ndarray, shape [arrays, layers, B, width]
        The memory before the first row.
    masks : ndarray of bool, shape [T + 1 + K, B, A], or None
        Actions that exist at `observations`, where the environment says so.
    """

    warm_observations: np.ndarray
    warm_starts: np.ndarray
    observations: np.ndarray
    starts: np.ndarray
    at: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray
    counted: np.ndarray
    states: np.ndarray
    masks: np.ndarray | None = None


def n_step_returns(w: Windows, gamma: float, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Follow each step of windows for n steps, or to its episode's or the window's end (Sutton & Barto, Section 7.1).

    Returns
    -------
    returns : ndarray of float32, shape [T, B]
        The discounted rewards.
    discounts : ndarray of float32, shape [T, B]
        What the value of the observation behind them counts: gamma to the power of the steps, 0 after a termination.
    following : ndarray of int, shape [T, B]
        The row of that observation.
    """
    (T, B), columns = w.at.shape, np.arange(w.at.shape[1])
    goes_on = ~w.starts[w.at[1:], columns] & w.counted[1:]  # [T - 1, B] the next step is of the same episode, and experience
    returns, discounts = w.rewards.copy(), np.full((T, B), gamma, np.float32)
    last, reached = np.repeat(np.arange(T)[:, None], B, axis=1), np.ones((T, B), np.bool_)
    for k in range(1, min(n, T)):
        reached = reached[: T - k] & goes_on[k - 1 :]  # step t goes on to step t + k
        returns[: T - k] += np.where(reached, np.float32(gamma**k) * w.rewards[k:], np.float32(0.0))
        discounts[: T - k][reached] = gamma ** (k + 1)
        last[: T - k] += reached
    return returns, np.where(w.terminated[last, columns], np.float32(0.0), discounts), w.at[last, columns] + 1


class SequenceReplay(Replay):
    """As `Replay`, with a memory in each row.

    Parameters
    ----------
    observation_space, action_space, copies, capacity
        Those of `Replay`.
    shape : tuple of int
        Arrays, layers and width of a memory.
    """

    _ARRAYS: ClassVar[tuple[str, ...]] = (*Replay._ARRAYS, "states")

    def __init__(self, observation_space: Any, action_space: Any, copies: int, capacity: int, shape: tuple[int, int, int]) -> None:
        super().__init__(observation_space, action_space, copies, capacity)
        self.states = np.zeros((self.rows, copies, *shape), np.float32)

    @classmethod
    def with_memory(
        cls, env: gym.vector.VectorEnv[Any, Any, Any], capacity: int, shape: tuple[int, int, int], steps: int = 1
    ) -> SequenceReplay:
        """Make a memory for an environment's copies; see `Replay.of`."""
        what = (env.single_observation_space, env.single_action_space, env.num_envs, capacity)
        need = cls.bytes_for(*what) + 4 * capacity * int(np.prod(shape))
        require_memory(f"a replay memory of {capacity:,} transitions", need, "buffer_size")
        memory = cls(*what, shape)
        memory.steps = steps
        return memory

    def windows(self, size: int, warm: int, steps: int, rng: np.random.Generator) -> Windows:
        """Return windows drawn uniformly, with replacement, from rows that hold transitions; `filled` must be at least warm + steps."""
        first = self.row - self.filled + rng.integers(self.filled - warm - steps + 1, size=size)
        copies = rng.integers(self.copies, size=size)
        rows = (first + np.arange(warm + steps + 1)[:, None]) % self.rows  # [W + T + 1, B]
        observations, starts = self.observations[rows, copies], self.starts[rows, copies]
        kept = rows[warm:-1]
        terminated, ended = self.terminated[kept, copies], self.ended[kept, copies]
        at = np.broadcast_to(np.arange(steps)[:, None], (steps, size))
        seen, begun = observations[warm:], starts[warm:]
        masks = None if self.masks is None else self.masks[rows[warm:], copies]
        if self.finals and (ended & ~terminated).any():
            at, seen, begun, masks = self._opened(kept * self.copies + copies, ended & ~terminated, seen, begun, masks)
        return Windows(
            observations[:warm],
            starts[:warm],
            seen,
            begun,
            at,
            self.actions[kept, copies],
            self.rewards[kept, copies],
            terminated,
            self.stored[kept, copies],
            np.moveaxis(self.states[rows[0], copies], 0, 2),
            masks,
        )

    def _opened(self, slots: np.ndarray, cut: np.ndarray, seen: np.ndarray, begun: np.ndarray, masks: np.ndarray | None) -> tuple[Any, ...]:
        """Return where steps are, and observations, starts and masks, with those at the end of cut episodes put in behind their steps."""
        T, B = cut.shape
        before = np.zeros((T + 1, B), np.int64)
        np.cumsum(cut, axis=0, out=before[1:])
        at = np.arange(T + 1)[:, None] + before
        longer = T + 1 + int(before[-1].max())
        columns = np.broadcast_to(np.arange(B), at.shape)
        opened, starts = np.repeat(seen[-1:], longer, axis=0), np.ones((longer, B), np.bool_)  # what no step uses is still an observation
        opened[at, columns], starts[at, columns] = seen, begun
        allowed = None if masks is None else np.ones((longer, *masks.shape[1:]), np.bool_)
        if allowed is not None:
            allowed[at, columns] = masks
        for t, b in zip(*np.nonzero(cut), strict=True):
            row, slot = at[t, b] + 1, int(slots[t, b])
            opened[row, b], starts[row, b] = self.finals[slot], False
            if allowed is not None:
                allowed[row, b] = self.final_masks.get(slot, True)
        return at[:-1], opened, starts, allowed
