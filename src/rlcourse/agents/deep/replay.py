"""`Replay`: the last transitions of N copies in preallocated arrays, every observation stored once.

Row t holds what the copies saw, did and got at step t; the successor of row t is row t + 1, so it is not stored again. Only where a
time limit cut an episode is the true last observation kept beside the rows, because row t + 1 begins another episode; after a
termination nobody asks for it. Observations that are stacks of frames are stored as their newest frame and stacked when sampled.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, NamedTuple, Self

import gymnasium as gym
import numpy as np

from rlcourse.agents.deep.base import Act
from rlcourse.agents.deep.frames import stack_size
from rlcourse.agents.deep.stored import placed
from rlcourse.core.masks import masks_of
from rlcourse.core.memory import require_memory
from rlcourse.core.windows import n_step_windows

__all__ = ["Batch", "Replay"]


class Batch(NamedTuple):
    """Transitions of n steps.

    Attributes
    ----------
    observations, next_observations : ndarray, shape [B, ...]
        Where a transition begins, and where it ends after n steps, or fewer where the episode or the memory ended before.
    actions : ndarray, shape [B, ...]
    rewards : ndarray of float32, shape [B]
        Discounted sum over the steps.
    discounts : ndarray of float32, shape [B]
        What the value of `next_observations` counts: gamma**n, and 0 where the episode terminated.
    slots : ndarray of int, shape [B]
        Where the transitions are stored.
    masks, next_masks : ndarray of bool, shape [B, A], or None
        Actions that exist at `observations` and at `next_observations`, where the environment says so.
    weights : ndarray of float32, shape [B], or None
        Importance weights, where transitions are not drawn uniformly.
    """

    observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    next_observations: np.ndarray
    discounts: np.ndarray
    slots: np.ndarray
    next_masks: np.ndarray | None = None
    weights: np.ndarray | None = None
    masks: np.ndarray | None = None


class Replay:
    """Memory of the last `capacity` transitions.

    Parameters
    ----------
    observation_space, action_space : gymnasium.Space
        Of one copy.
    copies : int
    capacity : int
        Transitions of all copies together.
    stack : int
        Observations are stacks of this many frames along the first axis, and consecutive ones share all but the newest frame.
    masked : bool
        Whether the environment says which actions exist (``infos["action_mask"]``): the masks are stored too. Where it is not known
        beforehand, the first mask tells.

    Attributes
    ----------
    steps : int
        Steps of each copy per `collect`, at most: 1, unless the agent sets it.
    valid : int
        Transitions stored by the last `collect`.
    """

    def __init__(self, observation_space: Any, action_space: Any, copies: int, capacity: int, stack: int = 1, masked: bool = False) -> None:
        self.discrete = isinstance(action_space, gym.spaces.Discrete)
        self.n_actions = int(action_space.n) if self.discrete else 0
        self.rows, self.copies, self.stack = max(2 + stack, -(-capacity // copies) + 1), copies, stack
        shape = observation_space.shape if stack == 1 else observation_space.shape[1:]
        at = (self.rows, copies)
        self.observations = np.zeros((*at, *shape), observation_space.dtype)
        self.actions = np.zeros(at, np.int64) if self.discrete else np.zeros((*at, *action_space.shape), np.float32)
        self.rewards = np.zeros(at, np.float32)
        self.terminated, self.ended, self.stored = np.zeros(at, np.bool_), np.zeros(at, np.bool_), np.zeros(at, np.bool_)
        self.starts = np.zeros(at, np.bool_)  # the observation of this row is the first of an episode
        self.masks = np.ones((*at, action_space.n), np.bool_) if masked else None  # actions that exist at the observation of a row
        # by slot: the true last observation (newest frame) of an episode cut there, and the actions that existed
        self.finals: dict[int, np.ndarray] = {}
        self.final_masks: dict[int, np.ndarray] = {}
        self.row, self.filled = 0, 0  # the row of the current observation, and how many rows before it hold transitions
        self.gaps = 0  # rows that were not stored for every copy
        self.steps, self.valid = 1, 0
        self._windows: Any = None

    def __len__(self) -> int:
        return int(self.filled * self.copies - self.gaps)

    @classmethod
    def of(cls, env: gym.vector.VectorEnv[Any, Any, Any], capacity: int, steps: int = 1, **options: Any) -> Self:
        """Make a memory for an environment's copies that collects `steps` steps of each at a time; a wrapper tells of stacked frames.

        Raises
        ------
        ValueError
            Where it would take more than half of the free memory.
        """
        masked = getattr(env.unwrapped, "action_masks", None) is not None
        what = (env.single_observation_space, env.single_action_space, env.num_envs, capacity, stack_size(env), masked)
        require_memory(f"a replay memory of {capacity:,} transitions", cls.bytes_for(*what), "buffer_size")
        memory = cls(*what, **options)
        memory.steps = steps
        return memory

    @classmethod
    def bytes_for(cls, observation_space: Any, action_space: Any, copies: int, capacity: int, stack: int = 1, masked: bool = False) -> int:
        """Return how much memory the arrays take, before they are made."""
        frame = observation_space.shape if stack == 1 else observation_space.shape[1:]
        action = 8 if isinstance(action_space, gym.spaces.Discrete) else 4 * math.prod(action_space.shape)
        mask = int(action_space.n) if masked else 0
        return (capacity + copies) * (math.prod(frame) * observation_space.dtype.itemsize + action + mask + 4 + 4)

    def begin(self, observation: np.ndarray, infos: Any) -> None:
        """Note that every copy has begun a new episode here; one that was under way counts as cut."""
        before = (self.row - 1) % self.rows
        if self.filled:
            for i in np.flatnonzero(~self.ended[before]):  # also of a copy whose last step was not stored
                slot = before * self.copies + int(i)
                self.finals[slot] = self.observations[self.row, i].copy()
                if self.masks is not None:
                    self.final_masks[slot] = self.masks[self.row, i].copy()
            self.ended[before] = True
        self._see(observation, np.ones(self.copies, np.bool_), infos)

    def collect(
        self, env: gym.vector.VectorEnv[Any, Any, Any], observation: np.ndarray, act: Act, budget: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Step the copies and store what happens; as `Rollout.collect`.

        While `act` is called, row `self.row` holds what the copies see, and which actions exist.
        """
        episodes: list[tuple[float, float, float, float]] = []
        self.valid = 0
        for t in range(min(self.steps, -(-budget // self.copies))):
            actions, chosen = act(t, observation)
            observation, reward, terminated, truncated, infos = env.step(chosen)
            count = min(self.copies, budget - self.valid)  # copies whose step counts
            ended = (terminated | truncated) if infos else terminated
            if "_episode" in infos:
                for i in np.flatnonzero(ended[:count]):
                    scores = infos["episode"]
                    episodes.append((float(scores["r"][i]), float(scores["l"][i]), float(terminated[i]), float(self.valid + i + 1)))
            self._add(actions, reward, terminated, ended, count, infos)
            self._see(observation, ended, infos)
            self.valid += count
        return observation, np.array(episodes).reshape(-1, 4)

    def _add(self, actions: np.ndarray, reward: np.ndarray, terminated: np.ndarray, ended: np.ndarray, count: int, infos: Any) -> None:
        """Complete the current row with what was done and what came of it, and go to the next."""
        row = self.row
        self.actions[row], self.rewards[row], self.terminated[row], self.ended[row] = actions, reward, terminated, ended
        self.stored[row] = True
        if count < self.copies:
            self.stored[row, count:] = False
            self.gaps += self.copies - count
        if infos and "final_obs" in infos:
            for i in np.flatnonzero(ended & ~terminated):
                final = np.asarray(infos["final_obs"][i])
                self.finals[row * self.copies + int(i)] = np.array(final if self.stack == 1 else final[-1])
                if self.masks is not None:
                    self.final_masks[row * self.copies + int(i)] = masks_of(infos.get("final_info", {}), self.copies, self.n_actions)[i]
        self.row = (row + 1) % self.rows
        self.filled = min(self.filled + 1, self.rows - 1)

    def _see(self, observation: np.ndarray, starts: np.ndarray, infos: Any) -> None:
        """Write the current observation into its row, over the oldest transitions."""
        row = self.row
        if self.stored[row, 0]:  # the row held transitions until now
            self.gaps -= int((~self.stored[row]).sum())
            self.stored[row] = False
            if self.finals:
                for i in range(self.copies):
                    self.finals.pop(row * self.copies + i, None)
                    self.final_masks.pop(row * self.copies + i, None)
        self.observations[row] = observation if self.stack == 1 else observation[:, -1]
        self.starts[row] = starts
        if self.masks is None and self.discrete and "action_mask" in infos:  # until now all actions existed
            self.masks = np.ones((self.rows, self.copies, self.n_actions), np.bool_)
        if self.masks is not None:
            self.masks[row] = masks_of(infos, self.copies, self.n_actions)

    # Sampling ---------------------------------------------------------------------------------------------------------

    def sample(self, size: int, rng: np.random.Generator, gamma: float, n: int = 1) -> Batch:
        """Return transitions drawn uniformly, with replacement.

        Parameters
        ----------
        size : int
        rng : Generator
        gamma : float
            Discount rate.
        n : int
            Steps of a transition (n-step return; Sutton & Barto, Section 7.1).
        """
        return self.take(self.draw(size, rng), gamma, n)

    def draw(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """Return slots of stored transitions, uniformly, shape [size]."""
        usable = self.filled - (self.stack - 1 if self.filled == self.rows - 1 else 0)  # the oldest stacks have lost frames
        numbers = rng.integers(usable * self.copies, size=size)
        slots: np.ndarray = (self.row * self.copies - 1 - numbers) % (self.rows * self.copies)
        if self.gaps:
            missing = ~self.stored.reshape(-1)[slots]
            if missing.any():
                slots[missing] = self.draw(int(missing.sum()), rng)
        return slots

    def take(self, slots: np.ndarray, gamma: float, n: int = 1) -> Batch:
        """Return the transitions of n steps that begin at slots, shape [B]."""
        size, B = self.rows * self.copies, len(slots)
        rewards, discounts, last = np.empty(B, np.float32), np.empty(B, np.float32), np.empty(B, np.int64)
        arguments = (self.rewards, self.terminated, self.ended, self.stored, slots, float(gamma), n, rewards, discounts, last)
        if self._windows is None:
            self._windows = n_step_windows.fastest(*arguments)
        cuts = self._windows(*arguments)
        after = (last + self.copies) % size
        following = self._observed(after)
        flat = None if self.masks is None else self.masks.reshape(size, -1)
        here, masks = (None, None) if flat is None else (flat[slots], flat[after])
        if cuts:
            for b in np.flatnonzero(self.ended.reshape(-1)[last] & ~self.terminated.reshape(-1)[last]):
                self._correct(following, masks, int(b), last[b : b + 1])
        actions = self.actions.reshape(size, *self.actions.shape[2:]).take(slots, axis=0)
        return Batch(self._observed(slots), actions, rewards, following, discounts, slots, masks, masks=here)

    def _correct(self, following: np.ndarray, masks: np.ndarray | None, b: int, last: np.ndarray) -> None:
        """Write into row b of the successors, and of the masks there, the true ones of a cut episode's last slot, shape [1]."""
        final = self.finals.get(int(last[0]))
        if final is None:
            return
        if self.stack == 1:
            following[b] = final
        else:  # the older frames are those of the step before
            following[b, :-1], following[b, -1] = self._observed(last)[0, 1:], final
        if masks is not None:
            masks[b] = self.final_masks.get(int(last[0]), True)

    def _observed(self, slots: np.ndarray) -> np.ndarray:
        """Return what was seen at slots, shape [B, ...]; stacks repeat the first frame of an episode, as Gymnasium's wrapper does."""
        flat = self.observations.reshape(-1, *self.observations.shape[2:])
        if self.stack == 1:
            return flat.take(slots, axis=0)
        frames, starts = [slots], self.starts.reshape(-1)
        for _ in range(self.stack - 1):
            before = (frames[-1] - self.copies) % (self.rows * self.copies)
            frames.append(np.where(starts[frames[-1]], frames[-1], before))
        return flat[np.stack(frames[::-1], axis=1)]

    # State ------------------------------------------------------------------------------------------------------------

    _ARRAYS: ClassVar[tuple[str, ...]] = ("observations", "actions", "rewards", "terminated", "ended", "stored", "starts")

    def state_dict(self) -> dict[str, Any]:
        """Return the rows that hold something, and where they are."""
        count = self.rows if self.filled == self.rows - 1 else self.row + 1
        state: dict[str, Any] = {name: getattr(self, name)[:count] for name in self._ARRAYS}
        shape = self.observations.shape[2:]
        state["final_slots"] = np.array(list(self.finals), np.int64)
        if self.masks is not None:
            state["masks"] = self.masks[:count]
            every = np.ones(self.n_actions, np.bool_)
            masks = np.array([self.final_masks.get(slot, every) for slot in self.finals], np.bool_)
            state["final_masks"] = masks.reshape(-1, self.n_actions)
        state["final_observations"] = np.array(list(self.finals.values()), self.observations.dtype).reshape(-1, *shape)
        return state | {"position": np.array([self.row, self.filled, self.gaps, self.rows])}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a memory of the same size."""
        self.row, self.filled, self.gaps, count = placed(self, state)
        self.stored[:] = False
        for name in self._ARRAYS:
            getattr(self, name)[:count] = state[name]
        self.finals = dict(zip(state["final_slots"].tolist(), list(state["final_observations"]), strict=True))
        if "masks" in state:
            self.masks = np.ones((self.rows, self.copies, self.n_actions), np.bool_) if self.masks is None else self.masks
            self.masks[:count] = state["masks"]
            self.final_masks = dict(zip(state["final_slots"].tolist(), list(state["final_masks"]), strict=True))
