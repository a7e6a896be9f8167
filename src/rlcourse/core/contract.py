"""`Checked`: an environment held to Gymnasium's interface and to its own spaces; where it keeps to neither, one sentence says so."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rlcourse.core.faults import EnvironmentFault, ended_by
from rlcourse.core.spaces import not_finite, short

__all__ = ["Checked", "misfit"]

_NUMBERS = frozenset({float, int, bool, np.float64, np.float32, np.int64, np.int32, np.bool_})
_FLAGS = frozenset({bool, np.bool_})
_KEEPERS = ("gymnasium.wrappers.", "gymnasium.utils.passive_env_checker", "gymnasium.core", "rlcourse.core.contract")  # of the interface


class Checked(gym.Wrapper[Any, Any, Any, Any]):
    """An environment whose every answer is looked at before anybody learns from it; what it answers stays as it is.

    Observations may have another type than their space says where no number changes by it (float64 in a Box of float32, whole numbers in
    one of floats); anything else outside the space is a fault, as is an answer that is not Gymnasium's. A bug in the environment's own
    code keeps its traceback.

    Parameters
    ----------
    env : Env
    copy : int
        Which of the copies it is, for the sentence.
    numbers : bool
        Whether to look for numbers that are none or infinite too: `Watched` does that for copies that are stepped together.

    Raises
    ------
    EnvironmentFault
        From `reset` and `step`.
    FloatingPointError
        From `step`: where numbers are looked at and an action is none.
    """

    def __init__(self, env: gym.Env[Any, Any], copy: int = 0, numbers: bool = False) -> None:
        super().__init__(env)
        self.copy, self._numbers = copy, numbers
        self._acts = numbers and isinstance(env.action_space, spaces.Box)
        self._space, self._fits = env.observation_space, _fitting(env.observation_space)
        self._floats, self._plain = numbers and _has_floats(env.observation_space), isinstance(env.observation_space, spaces.Box)

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; see `gymnasium.Env.reset`."""
        answer = self._ask("reset", **options)
        if type(answer) is not tuple or len(answer) != 2:
            raise self._fault(f"returned {_counted(answer)} from reset(), which must return two, (observation, info)")
        self._look(answer[0], answer[1], "reset")
        return answer

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take an action; see `gymnasium.Env.step`."""
        if self._acts and not np.isfinite(action).all():
            what = f"{not_finite('an action', action)} in copy {self.copy}"
            raise FloatingPointError(f"the agent took {what}: learning has diverged, take a smaller alpha or learning_rate")
        answer = self._ask("step", action)
        if type(answer) is not tuple or len(answer) != 5:
            old = ", as gym's old interface did" if type(answer) is tuple and len(answer) == 4 else ""
            five = "which must return five, (observation, reward, terminated, truncated, info)"
            raise self._fault(f"returned {_counted(answer)} from step(), {five}{old}")
        observation, reward, terminated, truncated, info = answer
        if type(reward) not in _NUMBERS and (np.ndim(reward) or np.asarray(reward).dtype.kind not in "biuf"):
            raise self._fault(f"gave the reward {_shown(reward)}, which is no number")
        if self._numbers and not math.isfinite(reward):
            raise self._fault(f"gave {not_finite('a reward', reward).removesuffix(',')}")
        for name, flag in () if type(terminated) is type(truncated) is bool else (("terminated", terminated), ("truncated", truncated)):
            if type(flag) not in _FLAGS and not (np.ndim(flag) == 0 and np.asarray(flag).dtype == np.bool_):
                raise self._fault(f"gave {name} as {_shown(flag)}, which must be a bool")
        self._look(observation, info, "step")
        return answer

    def _ask(self, method: str, *arguments: Any, **options: Any) -> Any:
        """Call a method; what Gymnasium's wrappers, or the call itself, find wrong with it is a fault."""
        try:
            return getattr(self.env, method)(*arguments, **options)
        except EnvironmentFault:
            raise
        except (SystemExit, GeneratorExit) as error:  # it would end training without a word, and nothing would be saved
            raise self._fault(f"ended the program ({ended_by(error)}) in {method}()") from error
        except Exception as error:
            if _of_the_interface(error):
                why = f"it returned no five values ({error})" if "to unpack" in str(error) else str(error).partition("\n")[0]
                raise self._fault(f"does not keep to Gymnasium's interface in {method}(): {why}") from error
            raise

    def _look(self, observation: Any, info: Any, method: str) -> None:
        if not isinstance(info, dict):
            raise self._fault(f"gave the info {_shown(info)} from {method}(), which must be a dict")
        if not self._fits(observation) and (wrong := misfit(self._space, observation)):
            raise self._fault(f"gave an {wrong} from {method}()")
        fine = not self._floats or (self._plain and math.isfinite(np.vdot(observation, observation)))
        if not fine and (wrong := _wild(self._space, observation, "an observation")):
            raise self._fault(f"gave {wrong}")

    def _fault(self, what: str) -> EnvironmentFault:
        fault = EnvironmentFault(f"the environment {what}, in copy {self.copy}: mend the environment")
        fault.copy = self.copy
        return fault


def misfit(space: gym.Space[Any], value: Any, name: str = "observation") -> str:
    """Return in words why a value is not in a space, beginning with its name; nothing where it is, or comes to the same."""
    if isinstance(space, spaces.Box | spaces.MultiDiscrete | spaces.MultiBinary):
        return _misfit_array(space, value, name)
    if isinstance(space, spaces.Discrete):
        number = np.asarray(value)
        if number.ndim or number.dtype.kind not in "biu":
            return f"{name} {_shown(value)} that is no whole number, as {short(space)} says"
        inside = int(space.start) <= int(number) < int(space.start) + int(space.n)
        return "" if inside else f"{name} {int(number)} that is outside {short(space)}"
    if isinstance(space, spaces.Dict):
        if not isinstance(value, Mapping):
            return f"{name} {_shown(value)} that is no dictionary, as {short(space)} says"
        if lacking := [key for key in space.spaces if key not in value]:
            return f"{name} without the part {lacking[0]!r} of {short(space)}"
        return next((wrong for key, part in space.spaces.items() if (wrong := misfit(part, value[key], f"{name}[{key!r}]"))), "")
    if isinstance(space, spaces.Tuple):
        if not isinstance(value, tuple | list) or len(value) != len(space.spaces):
            return f"{name} {_shown(value)} that has not the {len(space.spaces)} parts of {short(space)}"
        return next((wrong for i, part in enumerate(space.spaces) if (wrong := misfit(part, value[i], f"{name}[{i}]"))), "")
    if isinstance(space, spaces.Text):  # characters that it lacks are read as unknown ones
        if not isinstance(value, str):
            return f"{name} {_shown(value)} that is no text, as {short(space)} says"
        return "" if len(value) <= space.max_length else f"{name} of {len(value)} characters, more than {short(space)} says"
    try:
        inside = bool(space.contains(value))
    except Exception:
        inside = False
    return "" if inside else f"{name} {_shown(value)} that is outside {short(space)}"


def _has_floats(space: gym.Space[Any]) -> bool:
    """Whether a value of a space can hold NaN."""
    parts: Any = space.spaces.values() if isinstance(space, spaces.Dict) else space.spaces if isinstance(space, spaces.Tuple) else ()
    return (isinstance(space, spaces.Box) and space.dtype.kind == "f") or any(map(_has_floats, parts))


def _wild(space: gym.Space[Any], value: Any, name: str) -> str:
    """Return in words which number of a value in a space is none or infinite, beginning with its name; nothing where none is."""
    if isinstance(space, spaces.Box):
        fine = space.dtype.kind != "f" or np.isfinite(value).all()
        return "" if fine else not_finite(name, value).removesuffix(",")
    if isinstance(space, spaces.Dict):
        return next((wrong for key, part in space.spaces.items() if (wrong := _wild(part, value[key], f"{name}[{key!r}]"))), "")
    if isinstance(space, spaces.Tuple):
        return next((wrong for i, part in enumerate(space.spaces) if (wrong := _wild(part, value[i], f"{name}[{i}]"))), "")
    return ""


def _misfit_array(space: Any, value: Any, name: str) -> str:
    """Return why a value is not in a space of arrays; bounds of a Box are `Watched`'s."""
    try:
        array = np.asarray(value)
    except ValueError:  # rows of unequal lengths
        array = np.asarray(None)
    if array.dtype.kind not in "biuf":
        return f"{name} {_shown(value)} that is no array of numbers, as {short(space)} says"
    if array.shape != space.shape:
        return f"{name} of shape {array.shape} where {short(space)} says {space.shape}"
    if array.dtype.kind == "f" and space.dtype.kind != "f":
        return f"{name} of {array.dtype} numbers where {short(space)} says {space.dtype}"
    if isinstance(space, spaces.Box):
        lost = space.dtype.kind in "iu" and array.dtype != space.dtype and (array.astype(space.dtype) != array).any()
        return f"{name} with numbers that {space.dtype} does not hold, as {short(space)} says" if lost else ""
    low, count = (0, 2) if isinstance(space, spaces.MultiBinary) else (space.start, space.nvec)
    outside = (array < low) | (array >= low + count)
    return f"{name} {array.tolist()} that is outside {short(space)}" if outside.any() else ""


def _fitting(space: gym.Space[Any]) -> Callable[[Any], bool]:
    """Return a quick look at whether a value is surely in a space; where it is not sure, `misfit` looks again."""
    if isinstance(space, spaces.Box):
        shape, dtype, floats = space.shape, space.dtype, space.dtype.kind == "f"
        return lambda value: (
            type(value) is np.ndarray and value.shape == shape and (value.dtype == dtype or (floats and value.dtype.kind == "f"))
        )
    if isinstance(space, spaces.Discrete):
        low, high = int(space.start), int(space.start) + int(space.n)
        return lambda value: type(value) in (int, np.int64) and low <= value < high
    if isinstance(space, spaces.Dict):
        each = {key: _fitting(part) for key, part in space.spaces.items()}
        return lambda value: isinstance(value, dict) and all(key in value and fits(value[key]) for key, fits in each.items())
    return lambda value: not misfit(space, value)


def _of_the_interface(error: Exception) -> bool:
    """Whether an error was raised by Gymnasium's wrappers or by a call that the method does not take: no code of the environment ran."""
    trace = error.__traceback__
    while trace is not None:
        name = str(trace.tb_frame.f_globals.get("__name__", ""))
        if not name.startswith(_KEEPERS):
            return False
        trace = trace.tb_next
    return True


def _counted(answer: Any) -> str:
    """Return in words how many values an answer is."""
    return f"{len(answer)} values" if type(answer) is tuple else f"no tuple but {_shown(answer)}"


def _shown(value: Any) -> str:
    """Return a value on one short line."""
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} of shape {value.shape}"
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
