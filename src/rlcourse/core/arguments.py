"""Arguments of public functions, checked where they come in: one sentence says which is wrong and what it must be."""

from __future__ import annotations

import collections.abc
import contextlib
import functools
import inspect
import math
import os
import sys
import types
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from rlcourse.core.config import check
from rlcourse.core.irregular import require_regular

__all__ = ["OneEnvironment", "checked", "checked_fields", "number", "numbers", "require_file"]

F = TypeVar("F", bound=Callable[..., Any])
_ROWS = [(part, *more) for part in (int, float, str, bool) for more in ((), (...,))]  # of a sequence, a list, a tuple of any length
_PLAIN: dict[Any, str] = {
    **{str: "a text", int: "a whole number", float: "a number", bool: "true or false"},
    **{collections.abc.Callable: "a function", collections.abc.Sequence: "a list", np.ndarray: "an array", os.PathLike: "a path"},
}


def checked(function: F) -> F:
    """Let a function refuse arguments that are not what its annotations say, bounds of `rlcourse.core.config` included.

    For what people call, not for what loops call.

    Raises
    ------
    ValueError
        By the function, naming the argument.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def calling(*given: Any, **named: Any) -> Any:
        hints = _hints(function)
        for name, value in signature.bind(*given, **named).arguments.items():
            if name in hints:
                _check(name, value.item() if isinstance(value, np.generic) else value, hints[name])
        return function(*given, **named)

    return calling  # type: ignore[return-value]


@functools.cache
def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the annotations of single parameters; those that only a type checker can read are left out."""
    found = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            continue
        shape = type("_", (), {"__annotations__": {name: parameter.annotation}})
        with contextlib.suppress(NameError, AttributeError):
            found[name] = get_type_hints(shape, vars(sys.modules[function.__module__]), include_extras=True)[name]
    return {name: hint for name, hint in found.items() if hint is not inspect.Parameter.empty}


def _check(name: str, value: Any, hint: Any) -> None:
    if hint is Any:
        return
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (types.UnionType, Union):
        if value is None and type(None) in parts:
            return
        known = [part for part in parts if part is not type(None)]
        fits = next((part for part in known if _is(value, part)), known[0] if len(known) == 1 else None)
        if fits is None:
            given = repr(value)[:60] if value is None or isinstance(value, str | int | float) else f"a {type(value).__name__}"
            raise ValueError(f"{name} must be {' or '.join(map(_said, known))}, not {given}")
        _check(name, value, fits)
    elif origin in (Annotated, Literal) or hint in (int, float, bool, str):
        check(name, value, hint)
    elif not _is(value, hint):
        raise ValueError(f"{name} must be {_said(hint)}, not {type(value).__name__}")
    elif origin in (collections.abc.Sequence, list, tuple) and parts in _ROWS:
        for i, part in enumerate(value):
            _check(f"{name}[{i}]", part.item() if isinstance(part, np.generic) else part, parts[0])
    elif hint is np.ndarray and value.dtype.kind not in "biuf":
        raise ValueError(f"{name} must be an array of numbers, not of {value.dtype}")


def _is(value: Any, hint: Any) -> bool:
    """Whether a value is of the class of an annotation; true where that is none that can be asked."""
    kind = get_origin(hint) or hint
    if kind is Annotated:
        return _is(value, get_args(hint)[0])
    if not isinstance(kind, type):
        return True
    if getattr(kind, "_is_protocol", False) and kind.__module__.startswith("rlcourse"):
        return all(hasattr(value, name) for name in dir(kind) if not name.startswith("_"))
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is collections.abc.Iterable:
        return isinstance(value, kind) and not isinstance(value, bytes) and getattr(value, "ndim", 1) > 0
    if kind is collections.abc.Sequence:
        return value.ndim > 0 if isinstance(value, np.ndarray) else isinstance(value, kind) and not isinstance(value, str | bytes)
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))


def _said(hint: Any) -> str:
    kind = get_origin(hint) or hint
    if kind is Annotated:
        return _said(get_args(hint)[0])
    if kind in _PLAIN:
        return _PLAIN[kind]
    name = getattr(kind, "__name__", str(kind))
    home = getattr(kind, "__module__", "").partition(".")[0]
    name = f"{home}.{name}" if home in ("gymnasium", "numpy", "torch") else name
    return f"a{'n' * (name[0] in 'AEIOUaeiou')} {name}"


@functools.cache
def _fields(kind: Any) -> dict[str, Any]:
    """Return the types of the fields; reading them runs our own annotations, which is never to be mistaken for what a file says."""
    return get_type_hints(kind, include_extras=True)


def checked_fields(instance: Any) -> None:
    """Refuse fields of a dataclass that are not what its annotations say, as `checked` does arguments; for `__post_init__`."""
    kind: Any = type(instance)
    for name, hint in _fields(kind).items():
        _check(name, getattr(instance, name), hint)


class OneEnvironment:
    """What is made of one environment; all else has a name."""

    def __new__(cls, *given: Any, **named: Any) -> Any:
        """Refuse a policy in front of the environment, which other libraries take."""
        if len(given) > 1:
            raise ValueError(
                f"env: {cls.__name__}(env, ...) takes the environment first, and all else by name, not {given[0]!r:.60} before it"
            )
        return super().__new__(cls)


def require_file(path: Any) -> None:
    """Refuse a path that cannot be that of a file to write."""
    if not str(path) or os.path.isdir(path):
        raise ValueError(f"path must name a file, such as agent.safetensors, not {'nothing' if not str(path) else f'the folder {path}'}")
    require_regular(path)


def number(name: str, value: Any, low: float = -math.inf, high: float = math.inf) -> float:
    """Return the number that an argument is.

    Raises
    ------
    ValueError
        Naming the argument, where it is no finite number or out of bounds.
    """
    plain = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not plain or abs(value) > 1e300 or not low <= value <= high:  # nan is never within
        raise ValueError(f"{name} must be a number in [{low:g}, {high:g}], not {value!r:.60}")
    return float(value)


def numbers(name: str, value: Any, shape: tuple[int | str, ...], finite: bool = True) -> np.ndarray:
    """Return the array of numbers that an argument is, as float64.

    Parameters
    ----------
    name : str
        Of the argument.
    value : array_like
    shape : tuple of int or str
        Lengths of the axes; a text stands for any length, and says what it is.
    finite : bool
        Whether nan and infinity are refused.

    Raises
    ------
    ValueError
        Naming the argument, where it is none, or of another shape.
    """
    said = f"[{', '.join(map(str, shape))}]"
    try:
        given = np.asarray(value)
        array = given.astype(float) if given.dtype.kind in "biuf" else None
    except (ValueError, TypeError, OverflowError):
        array = None
    if array is None:
        raise ValueError(f"{name} must be an array of numbers of shape {said}, not {type(value).__name__}")
    if array.ndim != len(shape) or any(isinstance(want, int) and want != have for want, have in zip(shape, array.shape, strict=True)):
        raise ValueError(f"{name} must have shape {said}, not {list(array.shape)}")
    if finite and not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, and holds nan or infinity")
    return array
