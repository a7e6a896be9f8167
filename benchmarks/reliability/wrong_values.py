"""Values that no setting, no observation and no argument of the library may be, and calls of the library with them."""

from __future__ import annotations

import functools
import importlib
import inspect
import random
import re
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import right_values

__all__ = ["WRONG", "agent_and_settings", "call", "calls", "configuration", "observation", "public_functions", "right_call"]

_SOMETHING = object()
WRONG: tuple[Any, ...] = (
    *(None, True, "", "x", "nan", "1e400", "linear(1,2)", "linear(nan,0,1)", "linear(1,0,-5)", "exponential(1,1)", "a\0b", "\udcff"),
    *(
        float("nan"),
        float("inf"),
        -float("inf"),
        -1,
        -0.5,
        0,
        0.5,
        1.5,
        2**64,
        10**400,
        1e300,
        1j,
        b"x",
        _SOMETHING,
        len,
        np.float32("nan"),
    ),
    *([], (), {}, set(), [1, 2], (-1,), (0,), ("x",), (None,), ((1,),), {"a": 1}, np.array([1.0, 2.0]), np.array("x"), np.array(None)),
    *(1e30, np.array([None, "x"])),
)
ENVIRONMENTS = ("FrozenLake-v1", "CartPole-v1", "Pendulum-v1", "rlcourse/TicTacToe-v0", "rlcourse/Bandit-v0", "rlcourse/RandomWalk-v0")
HEAVY = ("hidden", "n_envs", "buffer_size", "recurrent_size", "n_sims")  # large right values take memory, and are none of this file's


def call(function: Callable[[], Any], argument: str = "") -> str:
    """Return what is wrong with how a call ends: nothing where it ends well, or in a sentence of rlcourse's own.

    Where the wrong argument is named, the sentence must name it too, and what can be right for nothing must not be taken.
    """
    try:
        function()
    except (ValueError, TypeError, MemoryError, OSError, FloatingPointError) as error:
        return _doubt(error) or ("" if isinstance(error, OSError) else _unnamed(str(error), function, argument))
    except Exception as error:
        return f"{_kind(error)}: {str(error)[:120]!r} at {_place(error)}"
    if argument and argument not in ANYTHING and type(_wrong(function, argument)) in _NEVER:
        return "it was taken"
    return ""


_NEVER = (complex, bytes, type(_SOMETHING))  # right for no argument
ANYTHING = ("state", "episode_start", "text_of", "schedule")  # looked at where they are needed only: an agent without memory has none
_CALLED = {  # what a sentence may call an argument, where the name is not the clearest word
    "env": "environment", "envs": "environment", "observation_space": "observation", "name": "unknown|no model|memory|encoder|no figure",
    "text": "unknown|schedule", "path": "file", "copies": "num_envs", "pairs": "split", "memory": "encoder",
}  # fmt: skip


def _wrong(function: Any, argument: str) -> Any:
    """Return the wrong value of a call that `calls` or `method` made."""
    named, given = getattr(function, "keywords", {}), getattr(function, "args", ())
    return named.get(argument, given[-1] if given else None)


def _unnamed(text: str, function: Any, argument: str) -> str:
    if isinstance(path := _wrong(function, argument), str) and text.startswith(f"{path} holds "):  # what another call has saved there
        return ""
    words = "|".join([argument, _CALLED.get(argument, argument)])
    if not argument or re.search(rf"\b({words})\b", text) or _wrong(function, argument) is len:  # a function may be right, and then fails
        return ""
    return f"the argument is not named: {text[:120]!r}"


def _kind(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__name__}".removeprefix("builtins.")


def _doubt(error: BaseException) -> str:
    """Return why an error of wrong usage is none that a user can do something with."""
    text = str(error)
    ours = "/rlcourse/" in _place(error)
    signature = isinstance(error, TypeError) and ("argument" in text and "()" in text)  # Python's own, which names it
    gymnasiums = text.startswith("Expected env to be a `gymnasium.Env` but got")  # its wrappers', and as clear
    if not ours and not signature and not gymnasiums:
        return f"{_kind(error)} from within a library: {text[:120]!r} at {_place(error, True)}"
    if "\n" in text or len(text) > 400 or not text:
        return f"no sentence but {len(text)} characters at {_place(error)}: {text[:80]!r}"
    return ""


def _place(error: BaseException, ours: bool = False) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if ours:
        frames = traceback.StackSummary([frame for frame in frames if "/rlcourse/" in frame.filename] or list(frames))
    return f"{frames[-1].filename[-60:]}:{frames[-1].lineno}" if frames else "?"


@functools.cache
def agent_and_settings(name: str) -> tuple[Any, Any, dict[str, Any]]:
    """Return an agent's class, an environment that suits it, and small settings."""
    import gymnasium as gym

    from rlcourse import agents

    kind = getattr(agents, name)
    small = {"n_envs": 1, "hidden": (4,), "buffer_size": 50, "batch_size": 4, "n_steps": 4, "learning_starts": 2, "device": "cpu"}
    known = kind.Config.__dataclass_fields__
    tries = [{key: value for key, value in small.items() if key in known}, {}]
    for env in ENVIRONMENTS:
        for settings in tries:
            try:
                made = gym.make(env)
                kind(made, **settings)
            except (ValueError, gym.error.Error):
                continue
            return kind, made, settings
    raise RuntimeError(f"no environment for {name}")


def configuration(draw: random.Random) -> tuple[str, Callable[[], Any]]:
    """Draw an agent, one of its settings (or its seed, environment or policy) and a wrong value for it."""
    from rlcourse import agents

    name = draw.choice(sorted(agents.MODULES))
    kind, env, settings = agent_and_settings(name)
    field = draw.choice([*kind.Config.__dataclass_fields__, *kind.inputs, "seed", "config", "env", "no_such_setting"])
    value = draw.choice(WRONG)
    words = f"{name}({field}={value!r:.60})"
    if field == "env":
        return words, lambda: kind(value, **settings)
    if field == "n_envs" and isinstance(value, int) and value > 100:
        value = -value
    return words, lambda: kind(env, **{**settings, field: value})


PUBLIC = (
    *("envs", "encoders", "features", "wrappers", "pretraining", "sb3", "nn_numpy", "inspection", "presets", "figures"),
    "plotting",
)
CORE = ("exact", "evaluation", "schedules", "mdp", "vector", "horizon", "until_optimal", "word_vectors")  # what people call


def observation(draw: random.Random) -> tuple[str, Callable[[], Any]]:
    """Draw an agent, and an observation, a shape or a state of its that is none."""
    from rlcourse import agents

    name = draw.choice(sorted(agents.MODULES))
    agent = _agent(name)
    right = np.asarray(agent.observation_space.sample())
    odd = (
        right[None, None, None],
        right.astype(str),
        np.full(right.shape, np.nan),
        np.full(right.shape, 1e300),
        right.astype(object),
        -right - 1,
    )
    value = draw.choice([*WRONG, *odd, *odd])
    return f"{name}.predict({value!r:.60})", lambda: agent.predict(value)


def method(draw: random.Random) -> tuple[str, Callable[[], Any], str]:
    """Draw an agent, one of the methods that all have, one of its arguments, and a wrong value for it."""
    from rlcourse import agents

    name = draw.choice(sorted(agents.MODULES))
    verb, arguments = draw.choice(list(_METHODS.items()))
    field, value = draw.choice([key for key in arguments if key != "observation"]), draw.choice(WRONG)
    function = agent_and_settings(name)[0].load if verb == "load" else getattr(_agent(name), verb)
    right = dict(arguments)
    if verb == "predict":
        right["observation"] = _agent(name).observation_space.sample()
    return f"{name}.{verb}({field}={value!r:.60})", functools.partial(function, **{**right, field: value}), field


_METHODS: dict[str, dict[str, Any]] = {  # with right arguments
    "learn": {"total_timesteps": 4, "episodes": None, "callback": lambda agent: False, "callback_every": 1, "progress_bar": False},
    "predict": {"observation": None, "state": None, "episode_start": None, "deterministic": True},
    "save": {"path": "/nonexistent/x", "replay": True},
    "load": {"path": "/nonexistent/x", "env": None, "whole": False},
    "load_state_dict": {"state": {}},
}


@functools.cache
def _agent(name: str) -> Any:
    kind, env, settings = agent_and_settings(name)
    return kind(env, **settings)


ENDLESS = ("frames", "steps", "updates", "iterations", "total_timesteps")  # a large budget is right, and takes as long


INNER = ("SB3Agent", "masks", "value")  # a base class, found by `agent_class`; and what loops call at each step


def public_functions() -> dict[str, Any]:
    """Return every public function and class of the library by name, and what makes objects of classes; boxes and kernels are left out."""
    found: dict[str, Any] = {}
    for place in (*PUBLIC, *(f"core.{name}" for name in CORE)):
        module = importlib.import_module(f"rlcourse.{place}")
        for name in module.__all__:
            value = getattr(module, name)
            if (
                name in INNER or not (isinstance(value, type) or inspect.isroutine(value)) or hasattr(value, "python")
            ):  # a base class, found by `agent_class`; a box
                continue
            if isinstance(value, type):
                found |= {f"{place}.{name}.{each}": member for each, member in _makers(value)}
            if not (isinstance(value, type) and issubclass(value, tuple)):  # named tuples are data for compiled code
                found[f"{place}.{name}"] = value
    return found


def _makers(kind: type) -> Iterator[tuple[str, Any]]:
    """Yield the class methods of a class that are ours and public, such as `of`."""
    for name, member in inspect.getmembers(kind, inspect.ismethod):
        if not name.startswith("_") and member.__func__.__module__.startswith("rlcourse."):
            yield name, member


def right_call(name: str, function: Any) -> Callable[[], Any]:
    """Return a call of a function with right arguments."""
    positional, named = _right(name, function)
    return functools.partial(function, *positional, **named)


def _right(name: str, function: Any) -> tuple[list[Any], dict[str, Any]]:
    parameters = inspect.signature(function).parameters
    required = [p.name for p in parameters.values() if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    arguments = {key: value for key, value in right_values.of(name, required).items() if key in parameters}
    several = next((p.name for p in parameters.values() if p.kind is p.VAR_POSITIONAL), None)
    return ([arguments.pop(several)], arguments) if several else ([], arguments)


def calls(name: str, function: Any) -> list[tuple[str, Callable[[], Any], str]]:
    """Return calls of a function, each with one argument that is wrong and the others right, and the argument's name."""
    made = []
    for parameter in inspect.signature(function).parameters.values():
        for value in WRONG if parameter.kind is not parameter.VAR_KEYWORD else ():
            if parameter.name in ENDLESS and isinstance(value, int) and value > 1000:
                continue
            positional, named = _right(name, function)
            if parameter.kind is parameter.VAR_POSITIONAL:
                positional = [*positional, value]
            else:
                named[parameter.name] = value
            made.append((f"{name}({parameter.name}={value!r:.40})", functools.partial(function, *positional, **named), parameter.name))
    return made
