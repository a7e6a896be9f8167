"""What lives in an environment as JSON and bytes, and back: numbers, arrays, generators, containers, and Python objects of these.

Nothing is pickled and no code is named: a function or a class that an environment holds is taken from the environment that the state is
put into, and so are its classes. Whatever is none of this has no state that can be read, and is refused by name.
"""

from __future__ import annotations

import collections
import enum
import hashlib
import math
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import gymnasium as gym
import numpy as np

from rlcourse.core.admitted import Unfitting, require_key
from rlcourse.core.generators import GENERATORS, told
from rlcourse.core.layers import is_fixed, is_kept, is_layer, is_own, is_plain, is_wrapper, skipped, spaces_within

__all__ = ["Encoder", "Unreadable"]

_SEQUENCES = (tuple, list, set, frozenset, collections.deque)
_MAPPINGS = (dict, collections.OrderedDict, collections.Counter, collections.defaultdict)
_SEEDED = {"_np_random", "_np_random_seed"}  # of a class, until the first reset
_MOST = 100_000  # values that hold others


_NOTHING: Mapping[str, Any] = types.MappingProxyType({})


class Unreadable(ValueError):
    """Something that is no state we can read; its text is a sentence that names it."""


class Encoder:
    """Turns a value into nodes, each of which JSON can hold, and bytes.

    A node is a value that JSON has, or a dict with its kind under ``is``. What is met twice is written once.

    Parameters
    ----------
    given : dict
        By name, what is somebody else's and known where the value is put back, such as the generator of an agent.
    undrawn : dict of str to str
        `draws` of before: a space that nobody has drawn from since then keeps its generator, seeded by chance as it may be, to itself.

    Attributes
    ----------
    leaves, draws : dict of str to str
        By where it is, a digest of every number, text and array, and of the generator of every space.
    """

    def __init__(self, given: Mapping[str, Any] = _NOTHING, undrawn: Mapping[str, str] = _NOTHING) -> None:
        self.leaves: dict[str, str] = {}
        self.draws: dict[str, str] = {}
        self._undrawn = undrawn
        self._given = {id(value): name for name, value in given.items()}
        self._met: dict[int, dict[str, Any]] = {}
        self._kept: list[Any] = list(given.values())  # or an id might be another's soon
        self._arrays: list[tuple[dict[str, Any], np.ndarray]] = []
        self._numbered = 0

    def encode(self, value: Any, where: str, path: str | None = "") -> Any:
        """Return the node of a value.

        Parameters
        ----------
        value
        where : str
            Class and attribute, for a sentence.
        path : str
            All attributes on the way; None within generators.

        Raises
        ------
        Unreadable
        """
        if value is None or type(value) in (bool, int, str):
            self._leaf(path, repr(value))
            return value
        if type(value) in (float, complex):
            self._leaf(path, repr(value))
            if type(value) is float and math.isfinite(value):
                return value
            return {"is": type(value).__name__, "parts": [part.hex() for part in (value.real, value.imag)]}
        if isinstance(value, np.generic):
            self._leaf(path, repr(value))
            return {"is": "number", "dtype": _dtype(value.dtype, where), "bytes": value.tobytes().hex()}
        if isinstance(value, bytes | bytearray):
            return {"is": type(value).__name__, "bytes": bytes(value).hex()}
        if id(value) in self._given:
            return {"is": "given", "name": self._given[id(value)]}
        if is_fixed(value):
            return {"is": "fixed", "class": type(value).__name__}
        return self._once(value, where, path)

    def _leaf(self, path: str | None, digest: str) -> None:
        if path is not None:
            self.leaves[path] = digest

    def _once(self, value: Any, where: str, path: str | None) -> dict[str, Any]:
        known = self._met.get(id(value))
        if known is not None:
            if "id" not in known:
                known["id"] = self._numbered = self._numbered + 1
            return {"is": "same", "id": known["id"]}
        node = self._met[id(value)] = dict[str, Any]()
        self._kept.append(value)
        if len(self._kept) > _MOST:
            raise Unreadable(f"{where} is of too many parts to be captured")
        for kinds, fill in self._FILLS:
            if isinstance(value, kinds):
                fill(self, node, value, where, path)
                return node
        self._object(node, value, where, path)
        return node

    @property
    def spaces(self) -> list[gym.Space[Any]]:
        """The spaces that were met."""
        return [value for value in self._kept if isinstance(value, gym.Space)]

    @property
    def layers(self) -> dict[int, tuple[Any, frozenset[str]]]:
        """The environments and wrappers that were met, by id, and the names of their attributes but those that come with a seed."""
        return {id(value): (value, frozenset(vars(value)) - _SEEDED) for value in self._kept if is_layer(value) and is_plain(type(value))}

    def finish(self) -> bytes:
        """Return the bytes of all arrays, each memory once, and complete their nodes."""
        groups: dict[int, list[tuple[dict[str, Any], np.ndarray]]] = {}
        for node, array in self._arrays:
            groups.setdefault(id(_root(array)), []).append((node, array))
        data = bytearray()
        for members in groups.values():
            root = _root(members[0][1])
            alone = len(members) == 1 and members[0][1].flags.c_contiguous
            if alone or not (root.flags.c_contiguous or root.flags.f_contiguous):
                for node, array in members:
                    whole = np.ascontiguousarray(array).reshape(array.shape)
                    node |= {"block": [len(data), whole.nbytes], "offset": 0, "strides": list(whole.strides)}
                    data += whole.tobytes()
                continue
            start, address = len(data), root.__array_interface__["data"][0]
            data += root.tobytes(order="A")
            for node, array in members:
                offset = array.__array_interface__["data"][0] - address
                node |= {"block": [start, root.nbytes], "offset": offset, "strides": list(array.strides)}
        return bytes(data)

    # Kinds ------------------------------------------------------------------------------------------------------------

    def _array(self, node: dict[str, Any], value: np.ndarray, where: str, path: str | None) -> None:
        if type(value) is not np.ndarray:
            raise Unreadable(f"{where} holds a value of class {type(value).__name__}, whose state cannot be read")
        node["shape"] = list(value.shape)
        if value.dtype == object:
            items = [self.encode(item, where, _below(path, f"[{i}]")) for i, item in enumerate(value.reshape(-1))]
            node |= {"is": "objects", "items": items}
            return
        if value.nbytes > _root(value).nbytes:
            raise Unreadable(f"{where} is an array that shows some numbers more than once; copy it")
        self._leaf(path, hashlib.sha1(np.ascontiguousarray(value).tobytes(), usedforsecurity=False).hexdigest()[:16])
        node |= {"is": "array", "dtype": _dtype(value.dtype, where), "writeable": value.flags.writeable}
        self._arrays.append((node, value))

    def _generator(self, node: dict[str, Any], value: Any, where: str, path: str | None) -> None:
        try:
            kind, state = told(value)
        except ValueError as error:
            raise Unreadable(f"{where}: {error}") from error
        node |= {"is": "generator", "class": kind, "state": self.encode(state, where, None)}

    def _space(self, node: dict[str, Any], value: gym.Space[Any], where: str, path: str | None) -> None:
        node["is"] = "space"
        node["generators"] = []
        for i, each in enumerate(spaces_within(value)):
            generator, drawn = each._np_random, f"{path}[{i}]"
            self.draws[drawn] = "" if generator is None else repr(generator.bit_generator.state)
            still = generator is not None and self.draws[drawn] == self._undrawn.get(drawn)
            node["generators"].append({"is": "undrawn"} if still else self.encode(generator, where, None))

    def _enum(self, node: dict[str, Any], value: enum.Enum, where: str, path: str | None) -> None:
        node |= {"is": "enum", "class": type(value).__qualname__, "name": value.name}

    def _method(self, node: dict[str, Any], value: types.MethodType | types.BuiltinMethodType, where: str, path: str | None) -> None:
        if not is_kept(value.__self__):  # it would be bound to what is made anew
            raise Unreadable(f"{where} holds a method of a {type(value.__self__).__name__}, which only the environment itself could bind")
        node |= {"is": "method", "name": value.__name__, "of": self.encode(value.__self__, where, _below(path, ".self"))}

    def _sequence(self, node: dict[str, Any], value: Any, where: str, path: str | None) -> None:
        named = isinstance(value, tuple) and hasattr(value, "_fields")
        if type(value) not in _SEQUENCES and not named:
            raise Unreadable(f"{where} holds a {type(value).__name__}, a kind of container that is not known")
        node |= {"is": "named" if named else type(value).__name__, "class": type(value).__qualname__}
        node["items"] = [self.encode(item, where, _below(path, f"[{i}]")) for i, item in enumerate(value)]
        if isinstance(value, set | frozenset):
            _require_keys(value, where)
        if isinstance(value, collections.deque):
            node["maxlen"] = value.maxlen

    def _mapping(self, node: dict[str, Any], value: Any, where: str, path: str | None) -> None:
        if type(value) not in _MAPPINGS:
            raise Unreadable(f"{where} holds a {type(value).__name__}, a kind of container that is not known")
        node["is"] = type(value).__name__
        _require_keys(value, where)
        node["items"] = [
            [
                self.encode(key, where, _below(path, f".key{i}")),
                self.encode(item, where, _below(path, f"[{key if isinstance(key, str) else i}]")),
            ]
            for i, (key, item) in enumerate(value.items())
        ]

    _FILLS: tuple[tuple[Any, Callable[..., None]], ...] = (
        (np.ndarray, _array),
        (GENERATORS, _generator),
        (gym.Space, _space),
        (enum.Enum, _enum),
        ((types.MethodType, types.BuiltinMethodType), _method),
        (_SEQUENCES, _sequence),
        (_MAPPINGS, _mapping),
    )

    def _object(self, node: dict[str, Any], value: Any, where: str, path: str | None) -> None:
        kind = type(value)
        node["class"] = kind.__qualname__
        if is_own(value):
            node |= {"is": "own", "state": self.encode(dict(value.state_dict()), kind.__name__, _below(path, ".own"))}
            if is_wrapper(value):
                node["env"] = self.encode(value.env, f"{kind.__name__}.env", _below(path, ".env"))
            return
        if isinstance(value, gym.vector.AsyncVectorEnv):
            raise Unreadable("AsyncVectorEnv has its copies in other processes, which cannot be read; take SyncVectorEnv")
        if not is_plain(kind):
            holder = ".".join(where.split(".")[:2]) or "the environment"
            raise Unreadable(f"{holder} holds a value of class {kind.__name__}, whose state cannot be read")
        node["is"] = "layer" if is_layer(value) else "object"
        mine = {name: item for name, item in vars(value).items() if not skipped(value, name)}
        within = kind.__name__ if node["is"] == "layer" else where
        node["vars"] = [[name, self.encode(item, f"{within}.{name}", _below(path, f".{name}"))] for name, item in mine.items()]
        if node["is"] == "layer":
            shared = {name: item for base in kind.__mro__ for name, item in vars(base).items() if isinstance(item, gym.Space)}
            node["shared"] = [
                [name, self.encode(item, f"{kind.__name__}.{name}", _below(path, f".{name}"))] for name, item in shared.items()
            ]


def _below(path: str | None, name: str) -> str | None:
    return None if path is None else path + name


def _require_keys(keys: Iterable[Any], where: str) -> None:
    try:
        for key in keys:
            require_key(key, where)
    except Unfitting as error:
        raise Unreadable(str(error)) from None


def _root(array: np.ndarray) -> np.ndarray:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _dtype(dtype: np.dtype[Any], where: str) -> str:
    if dtype.kind not in "biufcSUmM":
        raise Unreadable(f"{where} is an array of {dtype}, which cannot be written")
    return dtype.str
