"""``file.py:Class``: an environment or a world from a file of the user."""

from __future__ import annotations

import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym

from rlcourse.cli.usage import UsageError
from rlcourse.core.config import did_you_mean
from rlcourse.core.world import WorldEnv, is_world

__all__ = ["from_file"]

_METHODS = ("reset", "step", "observe")  # of a world
_SPACES = ("observation_space", "action_space")


def from_file(text: str) -> tuple[str, Callable[..., gym.Env[Any, Any]], Any]:
    """Return the label, the maker and what an agent is given of ``file.py:Class``, or of a function of a file.

    Raises
    ------
    UsageError
        Where there is none, it cannot be made without arguments, or is no environment; an error of its own is its own.
    """
    path_text, _, name = text.rpartition(":")
    expanded = os.path.expanduser(path_text)
    if not os.path.isfile(expanded) or not expanded.endswith(".py"):
        raise UsageError(f"environment {text!r}: there is no file {path_text}")
    path = Path(expanded).resolve()
    module = _imported(path, path_text)
    made = getattr(module, name, None)
    if not callable(made):
        public = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise UsageError(f"{path_text} has no class or function {name!r}{did_you_mean(name, public)}")
    _require_no_arguments(text, made)

    def make(**kwargs: Any) -> gym.Env[Any, Any]:
        env: Any = made() if not kwargs or not (isinstance(made, type) and issubclass(made, gym.Env)) else made(**kwargs)
        _require_spaces(text, env)
        return WorldEnv(env) if is_world(env) else env

    example = made()
    _require_spaces(text, example)
    label = f"{path.stem}-{name}"
    return label, make, example if is_world(example) else _Made.of(make, name)


def _require_no_arguments(text: str, made: Callable[..., Any]) -> None:
    """Raise UsageError where something cannot be called without arguments, which nobody could give."""
    try:
        parameters = inspect.signature(made).parameters.values()
    except (TypeError, ValueError):  # not written in Python
        return
    needed = [each.name for each in parameters if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
    if needed:
        many = len(needed) > 1
        how = "give each a default" if many else "give it a default"
        raise UsageError(f"{text} needs {' and '.join(needed)}: {how}, or name a function that makes the environment without arguments")


def _require_spaces(text: str, env: Any) -> None:
    """Raise UsageError for what is no environment and no world, or lacks what says what it shows and takes."""
    if not isinstance(env, gym.Env) and not all(hasattr(env, name) for name in _METHODS):
        raise UsageError(f"{text} is neither a gymnasium.Env nor a world, but {type(env).__name__}")
    for name in _SPACES:
        try:
            space = getattr(env, name)
        except AttributeError:
            if inspect.getattr_static(getattr(env, "unwrapped", env), name, None) is not None:
                raise  # it is there, and fails
            where = f"set self.{name} in its __init__" if isinstance(env, gym.Env) else f"give it the property {name}"
            raise UsageError(f"{text} has no {name}: {where}, for example gymnasium.spaces.Discrete(4)") from None
        if not isinstance(space, gym.Space):
            raise UsageError(f"{text} has {space!r:.60} as its {name}: it must be one of gymnasium.spaces, for example Discrete(4)")


def _imported(path: Path, said: str) -> Any:
    """Import a file of the user; raises UsageError with what is wrong in it, and where."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    known = sys.modules.setdefault(path.stem, module)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        if known is module:
            del sys.modules[path.stem]
        lines = [each.lineno for each in traceback.extract_tb(error.__traceback__) if each.filename == str(path)]
        where = f", line {lines[-1]}" if lines else ""
        raise UsageError(f"{said} cannot be imported{where}: {type(error).__name__}: {error}") from error
    return module


class _Made(gym.Wrapper[Any, Any, Any, Any]):
    """What a function of the user makes and Gymnasium could not make again: copies are made by that function."""

    def __init__(self, env: gym.Env[Any, Any], spec: Any) -> None:
        super().__init__(env)
        self._spec = spec

    @property
    def spec(self) -> Any:  # type: ignore[override]
        """How Gymnasium makes a copy."""
        return self._spec

    @classmethod
    def of(cls, make: Callable[..., gym.Env[Any, Any]], name: str) -> gym.Env[Any, Any]:
        """Return an environment that was made, with a spec by which it can be made again."""
        env = make()
        known = env.spec is not None and all(wrapper.kwargs is not None for wrapper in env.spec.additional_wrappers)

        def again(**kwargs: Any) -> gym.Env[Any, Any]:
            return cls(make(**kwargs), spec)

        spec = gym.envs.registration.EnvSpec(name, entry_point=again, disable_env_checker=True)
        return env if known else cls(env, spec)
