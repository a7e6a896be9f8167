"""What an environment consists of: layers, what they were made with, and what tells its state by itself."""

from __future__ import annotations

import functools
import logging
import pathlib
import re
import sys
import types
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np

__all__ = [
    "LIBRARIES",
    "is_fixed",
    "is_kept",
    "is_layer",
    "is_own",
    "is_plain",
    "is_wrapper",
    "of_library",
    "package_of",
    "skipped",
    "spaces_within",
]

_ROUTINES = (types.FunctionType, types.ModuleType, type, property, staticmethod, functools.partial, np.ufunc)
_FIXED = (logging.Logger, pathlib.PurePath, re.Pattern, np.dtype, range, slice, gym.envs.registration.EnvSpec)
_STANDARD = sys.stdlib_module_names
_HARMLESS = {"abc", "argparse", "builtins", "collections", "typing"}  # of the standard library: bases, and settings
_SKIPPED = {"P", "_cached_spec", "_saved_kwargs", "env_fns", "metadata", "spec"}  # tables of a model, and how it was made
LIBRARIES = ("gymnasium", "stable_baselines3", "rlcourse")
_CLOCKS = {"episode_start_time", "episode_start_times", "episode_times", "t_start", "time_queue", "_previous_data"}
_FRAMES = {"frame_list", "recorded_frames", "recording", "_video_name"}  # a video, which ends where the run is stopped


class _Plain:
    """A class of Python alone, for the size of its instances."""


def package_of(kind: type) -> str:
    """Return the name of the package that a class is of."""
    return str(getattr(kind, "__module__", "")).split(".")[0]


def is_layer(value: Any) -> bool:
    """Whether a value is an environment, a wrapper, or something within that is reset and stepped as they are."""
    return not isinstance(value, type) and all(callable(getattr(type(value), name, None)) for name in ("reset", "step"))


def is_own(value: Any) -> bool:
    """Whether a value tells its state by itself, and takes it over."""
    return all(callable(getattr(type(value), name, None)) for name in ("state_dict", "load_state_dict"))


def is_wrapper(value: Any) -> bool:
    """Whether there is an environment inside this one."""
    return isinstance(value, gym.Wrapper | gym.vector.VectorWrapper)


def skipped(owner: Any, name: str) -> bool:
    """Whether an attribute of an environment is no state of it: how it was made, wall clocks of libraries, pictures."""
    if name.startswith("__") and name.endswith("__"):
        return True
    return is_layer(owner) and (name in _SKIPPED or (of_library(owner) and (name in _CLOCKS or name in _FRAMES)))


def of_library(value: Any) -> bool:
    """Whether the class of a value is Gymnasium's, stable-baselines3's or ours."""
    return package_of(type(value)) in LIBRARIES


def is_kept(value: Any) -> bool:
    """Whether a value remains itself where a state is put: a layer, what tells its state by itself, or a space."""
    return is_layer(value) or is_own(value) or isinstance(value, gym.Space)


def is_fixed(value: Any) -> bool:
    """Whether a value is what the environment was made with and never changes."""
    builtin = isinstance(value, types.BuiltinFunctionType) and isinstance(value.__self__, types.ModuleType | None)
    return builtin or isinstance(value, _ROUTINES + _FIXED) or package_of(type(value)) == "pygame"


def spaces_within(space: gym.Space[Any]) -> list[gym.Space[Any]]:
    """Return a space and the spaces that it is made of, each of which has a generator."""
    found = [space]
    for value in vars(space).values():
        parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else [value]
        for part in parts:
            if isinstance(part, gym.Space):
                found += spaces_within(part)
    return found


def is_plain(kind: type) -> bool:
    """Whether instances are nothing but their attributes, and none of the standard library's, such as a process or what writes a log."""
    same_size = kind.__basicsize__ == _Plain.__basicsize__ and kind.__dictoffset__ == _Plain.__dictoffset__
    return same_size and all(package_of(base) in _HARMLESS or package_of(base) not in _STANDARD for base in kind.__mro__)
