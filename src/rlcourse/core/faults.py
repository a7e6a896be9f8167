"""`EnvironmentFault`: the error of an environment that is at fault; and `Watched`, which looks at the numbers of copies as they come."""

from __future__ import annotations

import math
import warnings
from typing import Any

import gymnasium as gym
import numpy as np

from rlcourse.core.packing import Packed, packed
from rlcourse.core.spaces import not_finite, short

__all__ = ["EnvironmentFault", "Watched", "ended_by"]

_LARGEST = float(np.finfo(np.float32).max)  # what networks learn from
LOOKS, SELDOM = 100, 100  # vector steps of which each is compared with the bounds of a Box, and every how manieth after them


class EnvironmentFault(ValueError):
    """The environment did what no agent can learn from; the sentence says what, and how to mend it.

    Attributes
    ----------
    copy : int
        Which of the copies it was.
    """

    copy = 0


def ended_by(error: BaseException) -> str:
    """Return in words what would have ended the program: "SystemExit: 0"."""
    return f"{type(error).__name__}{f': {error!s:.60}' if str(error) else ''}"


class Watched(gym.vector.VectorWrapper[Any, Any, Any, Any, Any]):
    """Copies whose rewards and observations are looked at as they come.

    Parameters
    ----------
    env : VectorEnv
        Copies that reset in the same step.

    Attributes
    ----------
    steps : int
        Steps that the agent had taken before this one, for the sentence; the agent sets it where it goes on.

    Raises
    ------
    EnvironmentFault
        From `reset` and `step`: where a number is none, is infinite, or is outside a space of whole numbers, in the last observations of
        episodes too. It names step, copy and entry.
    FloatingPointError
        From `step`: where an action is no finite number.

    Notes
    -----
    A product of an array with itself is finite only where every number is: it costs less than half a microsecond. Only where it is not
    (or is too large) are the numbers looked at one by one. A value beyond the bounds of a Box is warned of once: many environments do that.
    """

    def __init__(self, env: gym.vector.VectorEnv[Any, Any, Any]) -> None:
        super().__init__(env)
        space: Any = env.single_observation_space
        self._packing = packed(space)  # observations of several parts are looked at as vectors
        space = space if self._packing is None else self._packing
        self.steps, self._n, self._looks = 0, env.num_envs, 0
        self._space, self._shape = space, (env.num_envs, *(space.shape or ()))
        self._floats = isinstance(space, gym.spaces.Box) and space.dtype.kind == "f"
        self._whole, action = _whole(space), env.single_action_space
        self._acts = isinstance(action, gym.spaces.Box) and action.dtype.kind == "f"
        bounded = isinstance(space, gym.spaces.Box) and not isinstance(space, Packed) and _bounded(space)
        self._bounds = _bounds(space) if bounded else None

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        """Reset the copies; see `gymnasium.vector.VectorEnv.reset`."""
        try:
            observations, infos = self.env.reset(**options)
        except EnvironmentFault as fault:
            raise EnvironmentFault(f"at step {self.steps:,} {fault}") from fault
        except SystemExit as error:
            what = f"the environment ended the program ({ended_by(error)}) in reset(): mend the environment"
            raise EnvironmentFault(f"at step {self.steps:,} {what}") from error
        if self._packing is not None:
            self._look(self._packing.pack_batch(observations), "an observation", 0)
            return observations, infos
        if np.shape(observations) != self._shape:
            raise EnvironmentFault(
                f"the environments gave observations of shape {np.shape(observations)}, not {self._shape}: mend them, or their space"
            )
        self._look(observations, "an observation", 0)
        return observations, infos

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step the copies; see `gymnasium.vector.VectorEnv.step`."""
        if self._acts and not math.isfinite(np.vdot(actions, actions)) and not np.isfinite(actions).all():
            i = int(np.argwhere(~np.isfinite(actions))[0, 0])
            what = not_finite("an action", actions[i])
            raise FloatingPointError(f"the agent took {what} at step {self._at(i, 1)} in copy {i}: lower learning_rate")
        try:
            observations, rewards, terminated, truncated, infos = self.env.step(actions)
        except EnvironmentFault as fault:  # of one of the copies, which do not count
            raise EnvironmentFault(f"at step {self._at(fault.copy, 1)} {fault}") from fault
        except SystemExit as error:  # of copies that somebody else made
            what = f"the environment ended the program ({ended_by(error)}) in step(): mend the environment"
            raise EnvironmentFault(f"at step {self._at(0, 1)} {what}") from error
        if not np.vdot(rewards, rewards) <= _LARGEST:
            self._reward(np.asarray(rewards))
        self._look(observations if self._packing is None else self._packing.pack_batch(observations), "an observation", 1)
        if infos and "final_obs" in infos:
            ended = infos.get("_final_obs")
            over = terminated | truncated  # an environment may have something of this name to tell at other times
            for copy in np.flatnonzero(over if ended is None else over & ended):
                last = infos["final_obs"][copy]
                last = np.asarray(last) if self._packing is None else self._packing.pack(last)
                self._look(last[None], "a last observation of an episode", 1, int(copy))
        self.steps += self._n
        return observations, rewards, terminated, truncated, infos

    def _look(self, observations: Any, what: str, ahead: int, copy: int = 0) -> None:
        """Raise where a number of some observations, the first of them of copy `copy`, is none."""
        if self._floats and not math.isfinite(np.vdot(observations, observations)) and not np.isfinite(observations).all():
            i = int(np.argwhere(~np.isfinite(observations))[0, 0])
            self._refuse(self._not_finite(what, observations[i]), copy + i, ahead)
        if self._bounds is not None:
            self._looks += 1
            if self._looks <= LOOKS or self._looks % SELDOM == 0:
                self._compare(observations, what, ahead, copy)
        if self._whole is not None:
            columns, low, high = self._whole
            found = observations if columns is None else observations[:, columns]
            if ((found < low) | (found > high)).any():
                i = int(np.argwhere((found < low) | (found > high))[0, 0])
                self._refuse(f"{what}, {np.asarray(observations[i]).tolist()}, that is outside {short(self._space)},", copy + i, ahead)

    def _not_finite(self, what: str, observation: Any) -> str:
        """Return in words which number is none, and of which part it is."""
        if not isinstance(self._space, Packed):
            return not_finite(what, observation)
        column = int(np.argwhere(~np.isfinite(observation))[0, 0])
        part = next(part for part in self._space.parts if column < part.stop)
        return not_finite(f"{what} with a part {'.'.join(part.path)!r}", observation[part.start : part.stop])

    def _reward(self, rewards: np.ndarray) -> None:
        """Raise where a reward is no finite number, or none of float32."""
        wrong = np.flatnonzero(~(np.abs(rewards) <= _LARGEST))
        if len(wrong):  # else only its square is too large
            large = np.isfinite(rewards[wrong[0]])
            what = "is too large, above 3.4e38" if large else "is no finite number"
            self._refuse(f"a reward that {what}, {rewards[wrong[0]]},", int(wrong[0]), 1)

    def _compare(self, observations: Any, what: str, ahead: int, copy: int) -> None:
        """Warn, once, where a value is beyond its bound."""
        low, high = self._bounds  # type: ignore[misc]
        beyond = (observations < low) | (observations > high)
        if not beyond.any():
            return
        at = np.argwhere(beyond)[0]
        value, i = observations[tuple(at)], copy + int(at[0])
        self._bounds = None
        where = f"{value:g} in entry {at[1:].tolist()}, at step {self._at(i, ahead)} in copy {i}"
        warnings.warn(f"the environment gave {what} beyond {short(self._space)}, {where} (said once)", stacklevel=5)

    def _at(self, copy: int, ahead: int) -> str:
        return f"{self.steps + ahead * (copy + 1):,}"

    def _refuse(self, what: str, copy: int, ahead: int) -> None:
        raise EnvironmentFault(f"the environment gave {what} at step {self._at(copy, ahead)} in copy {copy}: mend the environment")


def _bounded(space: Any) -> bool:
    """Whether a Box has a bound that its numbers could be beyond."""
    if space.dtype.kind == "f":
        return bool(np.isfinite((space.low, space.high)).any())
    reach = np.iinfo(space.dtype) if space.dtype.kind in "iu" else None
    return reach is not None and bool((space.low > reach.min).any() or (space.high < reach.max).any())


def _bounds(space: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of a Box, with room for rounding."""
    if space.dtype.kind != "f":
        return space.low, space.high
    room = 1e-5 * np.maximum(1.0, np.maximum(np.abs(space.low), np.abs(space.high)))
    return space.low - np.where(np.isfinite(room), room, 0.0), space.high + np.where(np.isfinite(room), room, 0.0)


def _whole(space: Any) -> tuple[Any, Any, Any] | None:
    """Return which columns of observations are whole numbers (None: all), their least and greatest; None where there are none."""
    if isinstance(space, gym.spaces.Discrete):
        return None, int(space.start), int(space.start) + int(space.n) - 1
    if isinstance(space, gym.spaces.MultiDiscrete):
        return None, space.start, space.start + space.nvec - 1
    if isinstance(space, gym.spaces.MultiBinary):
        return None, 0, 1
    if isinstance(space, Packed):
        kinds = gym.spaces.Discrete | gym.spaces.MultiDiscrete | gym.spaces.MultiBinary
        columns = np.array([c for part in space.parts if isinstance(part.space, kinds) for c in range(part.start, part.stop)], np.int64)
        return (columns, space.low[columns], space.high[columns]) if len(columns) else None
    return None
