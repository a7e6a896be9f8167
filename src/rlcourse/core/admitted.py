"""What the state of an environment may put where: a file chooses values, never what is called, or where a wrapper writes."""

from __future__ import annotations

import collections
import enum
import inspect
import math
import re
import sys
from typing import Any

import gymnasium as gym
import numpy as np

from rlcourse.core.generators import GENERATORS
from rlcourse.core.layers import is_fixed, is_layer, is_own, is_plain, is_wrapper, of_library, package_of, skipped

__all__ = [
    "ABSENT",
    "Unfitting",
    "array_in",
    "class_in",
    "look_in",
    "require_key",
    "require_name",
    "require_plain",
    "require_same_kind",
    "shape_in",
    "simple_in",
]

ABSENT: Any = object()
_DTYPE = re.compile(r"[<>|=][biufcSUmM]\d{0,9}(\[\w{1,8}\])?")
_LAST_LETTER = 0x10FFFF
_MOST_OF_A_KEY = 1000
_FAR = 1e6
_KEYS = (type(None), bool, int, float, complex, str, bytes, np.generic, enum.Enum)
_NEVER = ("__del__", "__get__", "__set__", "__delete__", "__getattribute__")  # would run, or hide what is put in
_FAMILIES: tuple[tuple[Any, ...], ...] = (
    (bool, int, float, complex, np.number, np.bool_),
    (str, np.str_),
    (bytes, np.bytes_),
    (bytearray,),
    (np.ndarray, tuple),  # a state that reset makes as the one, and step as the other
    (list,),
    (collections.deque,),
    (set,),
    (frozenset,),
    (dict,),
    *((kind,) for kind in GENERATORS),
)


class Unfitting(ValueError):
    """A state that does not fit an environment; its text is a sentence that says where."""


def require_name(owner: Any, name: Any, where: str) -> None:
    """Raise Unfitting where a name can be no attribute that is state."""
    if not isinstance(name, str) or not name.isidentifier() or skipped(owner, name):
        raise Unfitting(f"{where}.{str(name)[:50]} is no state")


def require_same_kind(owner: Any, name: str, existing: Any, made: Any, where: str) -> None:
    """Raise Unfitting where an attribute would become what it never was: a number a text, a method of its class a value."""
    if made is existing:
        return
    of_class = inspect.getattr_static(type(owner), name, None)
    if callable(of_class) or hasattr(of_class, "__set__") or hasattr(of_class, "__delete__"):
        raise Unfitting(f"{where} is a part of its class")
    wrapper = is_wrapper(owner) or (is_layer(owner) and not isinstance(owner, gym.Env))
    chosen = isinstance(made, str) or name == "num_envs"
    if chosen and wrapper and of_library(owner) and made != existing:  # a path, a choice, how many copies were made
        raise Unfitting(f"this environment differs from the saved one in {where}")
    if is_layer(owner) and name == "_np_random" and not isinstance(made, (*GENERATORS, type(None))):
        raise Unfitting(f"{where} was no generator")
    if package_of(type(owner)) == "gymnasium" and isinstance(owner, gym.Env) and not is_wrapper(owner):
        _require_usual(existing, of_class, made, where)
        if name == "s" and hasattr(owner, "P") and not (isinstance(made, int | np.integer) and made in owner.P):
            raise Unfitting(f"{where} was no state of its table")
    existing = of_class if existing is ABSENT else existing
    if existing is None or made is None:
        return
    existing, made = (each[()] if isinstance(each, np.ndarray) and each.ndim == 0 else each for each in (existing, made))
    for kinds in _FAMILIES:
        if isinstance(existing, kinds) and not isinstance(made, kinds):
            raise Unfitting(f"{where} was a {type(made).__name__}, and is a {type(existing).__name__} here")
    if isinstance(existing, np.ndarray) and isinstance(made, np.ndarray) and existing.dtype.kind != made.dtype.kind:
        raise Unfitting(f"{where} was an array of {made.dtype}, and is one of {existing.dtype} here")
    if isinstance(existing, enum.Enum) and type(made) is not type(existing):
        raise Unfitting(f"{where} was no {type(existing).__name__}")


def _require_usual(existing: Any, of_class: Any, made: Any, where: str) -> None:
    """Raise Unfitting where an environment of Gymnasium's would step for ever: Acrobot turns an angle back by 2 pi at a time."""
    if existing is ABSENT and of_class is not None:
        raise Unfitting(f"{where} is a part of its class")
    numbers = np.asarray(made) if isinstance(made, float | np.floating | np.ndarray | list | tuple) else np.zeros(1)
    if numbers.dtype.kind == "f" and not (np.abs(numbers) <= _FAR).all():
        raise Unfitting(f"{where} had a number that no environment of Gymnasium's comes to")


def class_in(name: str, existing: Any, modules: dict[str, None], where: str) -> Any:
    """Return a class by its name: that of what is there now, or one in the modules that the environment's own layers are of."""
    kind: Any = type(existing) if type(existing).__qualname__ == name else None
    packages = {module.split(".")[0] for module in modules}
    for module in [] if kind else list(modules):
        found = vars(sys.modules.get(module, enum)).get(name)
        if isinstance(found, type) and package_of(found) in packages:
            kind = found
            break
    if kind is None:
        raise Unfitting(f"{where} was a {name}, a class that this environment does not show")
    if package_of(kind) in packages:
        look_in(kind, modules)
    return kind


def look_in(kind: type, modules: dict[str, None]) -> None:
    """Add the modules of a class of the environment's own package, its bases there included."""
    for base in kind.__mro__:
        if package_of(base) == package_of(kind):
            modules[base.__module__] = None


def require_plain(kind: type, where: str) -> None:
    """Raise Unfitting for a class whose instances are more than their attributes, or layers, or tell their state by themselves."""
    bare: Any = object.__new__(kind) if is_plain(kind) and not _surprises(kind) else ABSENT
    if bare is ABSENT or is_layer(bare) or is_own(bare) or is_fixed(bare) or isinstance(bare, gym.Space | BaseException):
        raise Unfitting(f"{where} was a {kind.__name__}, which only the environment itself could make")


def _surprises(kind: type) -> bool:
    bases = [vars(base) for base in kind.__mro__ if base is not object]
    return any(name in base for base in bases for name in _NEVER) or any(base.get("__slots__") for base in bases)


def require_key(value: Any, where: str) -> None:
    """Raise Unfitting for a key, or a member of a set, that is no plain value: its class would be asked for a hash."""
    level, seen = [value], 0
    while level:
        each = level.pop()
        seen += 1
        if isinstance(each, tuple | frozenset):
            level += each
        elif not isinstance(each, _KEYS):
            raise Unfitting(f"{where} has a {type(each).__name__} as a key, or in a set")
        if seen > _MOST_OF_A_KEY:
            raise Unfitting(f"{where} has a key of too many parts")


def dtype_in(text: Any, where: str) -> np.dtype[Any]:
    """Return a dtype of plain numbers or texts: bytes of a file would else be taken for addresses."""
    if not isinstance(text, str) or not _DTYPE.fullmatch(text):
        raise Unfitting(f"{where} was an array of {'object' if text == 'O' else str(text)[:50]}, which no file holds")
    return np.dtype(text)


def simple_in(node: dict[str, Any], where: str) -> Any:
    """Return a number, or bytes."""
    if node["is"] == "float":
        return float.fromhex(node["parts"][0])
    if node["is"] == "complex":
        return complex(*map(float.fromhex, node["parts"]))
    data = bytes.fromhex(node["bytes"])
    if node["is"] == "number":
        return _number(dtype_in(node["dtype"], where), data, where)
    return bytearray(data) if node["is"] == "bytearray" else data


def _number(dtype: np.dtype[Any], data: bytes, where: str) -> Any:
    if len(data) != dtype.itemsize:
        raise Unfitting(f"{where} was a number of {len(data)} bytes")
    return _sane(np.frombuffer(data, dtype) if data else np.zeros(1, dtype), where)[0]


def array_in(node: dict[str, Any], block: np.ndarray, where: str) -> np.ndarray:
    """Return an array that lies in a block of bytes, and is no larger."""
    dtype, shape = dtype_in(node["dtype"], where), shape_in(node["shape"], where)
    if math.prod(shape) * max(1, dtype.itemsize) > max(block.nbytes, dtype.itemsize == 0):
        raise Unfitting(f"{where} was an array that is larger than its bytes")
    made: np.ndarray = np.ndarray(shape, dtype, block, node["offset"], node["strides"])
    _sane(made, where).flags.writeable = bool(node["writeable"])
    return made


def shape_in(shape: Any, where: str) -> tuple[int, ...]:
    """Return a shape, if it is one."""
    if not isinstance(shape, list) or len(shape) > 32 or not all(type(axis) is int and 0 <= axis < 2**40 for axis in shape):
        raise Unfitting(f"{where} was an array of no shape")
    return tuple(shape)


def _sane(array: np.ndarray, where: str) -> np.ndarray:
    """Return an array; raises Unfitting for letters that are none and truths that are neither: numpy does not look."""
    whole = np.ascontiguousarray(array)
    letters = whole.dtype.kind == "U" and whole.nbytes > 0
    if letters and whole.view(np.dtype(np.uint32).newbyteorder(whole.dtype.byteorder)).max() > _LAST_LETTER:
        raise Unfitting(f"{where} was a text of letters that are none")
    if whole.dtype.kind == "b" and whole.size and whole.view(np.uint8).max() > 1:
        raise Unfitting(f"{where} was neither true nor false")
    return array
