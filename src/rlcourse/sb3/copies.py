"""The single environments in a Gymnasium vector environment: attributes, methods and wrappers of some of them.

Where they live in this process they are reached one by one; where they live in others only through calls to all of them; the copies
of a world share the world, so that its attributes are those of every copy.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym

from rlcourse.core.vector import WorldVectorEnv

__all__ = ["call", "get", "is_wrapped", "pictures", "put"]


def get(env: Any, name: str, indices: list[int]) -> list[Any]:
    """Return an attribute of some copies; raises AttributeError where they have none."""
    inner = env.unwrapped
    if isinstance(inner, WorldVectorEnv):
        if name == "render_mode":
            return [None for _ in indices]
        return [getattr(inner.world, name) if hasattr(inner.world, name) else getattr(inner, name) for _ in indices]
    singles = getattr(inner, "envs", None)
    if singles is not None:
        return [singles[i].get_wrapper_attr(name) for i in indices]
    values = inner.get_attr(name) if hasattr(inner, "get_attr") else [getattr(inner, name)] * env.num_envs
    return [values[i] for i in indices]


def put(env: Any, name: str, value: Any, indices: list[int]) -> None:
    """Set an attribute of some copies, where a wrapper or the environment has it, else on the outermost."""
    inner = env.unwrapped
    if isinstance(inner, WorldVectorEnv):
        if set(indices) != set(range(env.num_envs)) or name not in getattr(inner.world, "_fields", ()):
            raise AttributeError(f"{name!r}: the copies of a world share its fields; set a field of the world, for all copies at once")
        world: Any = inner.world
        inner.world = world._replace(**{name: value})
        inner._step = None  # compiled for the world as it was
        return
    singles = getattr(inner, "envs", None)
    if singles is not None:
        for i in indices:
            singles[i].set_wrapper_attr(name, value)
        return
    values = list(inner.get_attr(name)) if len(indices) < env.num_envs else [None] * env.num_envs
    for i in indices:
        values[i] = value
    inner.set_attr(name, values)


def call(env: Any, name: str, indices: list[int], *args: Any, **kwargs: Any) -> list[Any]:
    """Call a method of some copies; where they live in other processes all are called, and some are answered."""
    inner = env.unwrapped
    singles = getattr(inner, "envs", None)
    if singles is not None:
        return [singles[i].get_wrapper_attr(name)(*args, **kwargs) for i in indices]
    if hasattr(inner, "venv"):
        answers: list[Any] = inner.venv.env_method(name, *args, indices=indices, **kwargs)
        return answers
    if hasattr(inner, "call"):
        every = inner.call(name, *args, **kwargs)
        return [every[i] for i in indices]
    return [method(*args, **kwargs) for method in get(env, name, indices)]


def is_wrapped(env: Any, kind: Any, indices: list[int]) -> list[bool]:
    """Whether some copies have a wrapper of a class."""
    inner = env.unwrapped
    if hasattr(inner, "venv"):
        answers: list[bool] = inner.venv.env_is_wrapped(kind, indices=indices)
        return answers
    singles = getattr(inner, "envs", None)
    return [singles is not None and _has(singles[i], kind) for i in indices]


def _has(env: Any, kind: Any) -> bool:
    while isinstance(env, gym.Wrapper):
        if isinstance(env, kind):
            return True
        env = env.env
    return isinstance(env, kind)


def pictures(env: Any) -> Any:
    """Return a picture of every copy; None where they cannot draw."""
    return None if isinstance(env.unwrapped, WorldVectorEnv) or env.unwrapped.render_mode != "rgb_array" else env.render()
