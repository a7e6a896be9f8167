"""What `rlcourse.core.encoder` wrote, back into an environment that is made as the first one was."""

from __future__ import annotations

import collections
import enum
import math
import types
from collections.abc import Callable, Mapping
from typing import Any

import gymnasium as gym
import numpy as np

from rlcourse.core.admitted import (
    ABSENT,
    Unfitting,
    array_in,
    class_in,
    look_in,
    require_key,
    require_name,
    require_plain,
    require_same_kind,
    shape_in,
    simple_in,
)
from rlcourse.core.generators import remade
from rlcourse.core.layers import LIBRARIES, is_fixed, is_kept, is_layer, is_own, is_wrapper, package_of, skipped, spaces_within

__all__ = ["Decoder", "Unfitting"]

_PYGAMES = ("Surface", "Clock", "Font", "Window")  # drawn anew
_MAPPINGS: dict[str, Callable[[], Any]] = {"dict": dict, "OrderedDict": collections.OrderedDict, "Counter": collections.Counter}
_METHODS = (types.MethodType, types.BuiltinMethodType)


class Decoder:
    """Turns nodes and bytes into values, with what only the environment itself has: its layers, functions and classes.

    Environments, wrappers, spaces and what tells its state by itself are changed in place, all of them at once by `apply`; anything else
    is made anew, so that what an environment shares with others is left alone. A file may be anybody's: what is called, what an
    environment consists of and where it writes is the environment's own (`rlcourse.core.admitted`).

    Parameters
    ----------
    data : bytes
    given, names : dict
        As for the encoder; and by the id of a layer, attributes that no state of it lacks.
    """

    def __init__(self, data: bytes, given: Mapping[str, Any], names: Mapping[int, frozenset[str]]) -> None:
        self._data, self._lent, self._names = data, given, names
        self._numbered: dict[int, Any] = {}
        self._blocks: dict[tuple[int, int], np.ndarray] = {}
        self._taken = 0  # bytes of blocks
        self._modules: dict[str, None] = {}  # where classes of the environment are looked for
        self._layers: list[tuple[Any, dict[str, Any]]] = []
        self._told: list[tuple[Any, dict[str, Any]]] = []
        self._drawing: list[tuple[Any, Any]] = []

    def decode(self, node: Any, existing: Any, where: str) -> Any:
        """Return the value of a node.

        Parameters
        ----------
        node
        existing
            What is in its place now.
        where : str
            Class and attribute, for a sentence.

        Raises
        ------
        Unfitting
        """
        made = self._made(node, existing, where) if isinstance(node, dict) else node
        if made is existing or made is None:
            return made
        if isinstance(node, list) or isinstance(existing, _METHODS) or is_fixed(existing):
            raise Unfitting(f"{where} was a {type(made).__name__}, and here it is what no state replaces")
        if is_kept(existing) and type(made) is not type(existing):
            raise Unfitting(f"{where} was a {type(made).__name__}, and is a {type(existing).__name__} here")
        return made

    def begin(self, node: Any, env: Any) -> None:
        """Decode the outermost node, which must be that of the environment; then `apply` can change it."""
        if not isinstance(node, dict) or node.get("is") not in ("layer", "own"):
            raise Unfitting("the state of the environment is damaged (it is no environment's)")
        self.decode(node, env, "")

    def _made(self, node: dict[str, Any], existing: Any, where: str) -> Any:
        if node["is"] == "same":
            return self._numbered[node["id"]]
        made = self._KINDS[node["is"]](self, node, existing, where)
        if node["is"] not in ("fixed", "method"):
            self._note(node, made)
        return made

    def apply(self) -> None:
        """Change what is changed in place."""
        for layer, values in self._layers:
            mine = vars(layer)
            for name in [name for name in mine if name not in values and not skipped(layer, name)]:
                del mine[name]
            mine.update(values)
        for space, generator in self._drawing:
            space._np_random = generator
        for owner, state in self._told:
            owner.load_state_dict(state)

    @property
    def layers(self) -> list[Any]:
        """The environments and wrappers that are changed, from the outermost."""
        return [layer for layer, _ in self._layers]

    def _note(self, node: dict[str, Any], made: Any) -> None:
        if "id" in node:
            self._numbered[node["id"]] = made

    # Values -----------------------------------------------------------------------------------------------------------

    def _of_given(self, node: dict[str, Any], existing: Any, where: str) -> Any:
        if node["name"] not in self._lent:
            raise Unfitting(f"{where} was the agent's {node['name']}")
        return self._lent[node["name"]]

    def _of_fixed(self, node: dict[str, Any], existing: Any, where: str) -> Any:
        if is_fixed(existing) and type(existing).__name__ == node["class"]:
            return existing
        if node["class"] in _PYGAMES:
            return None
        raise Unfitting(f"{where} was a {node['class']} that only the environment itself could make")

    def _of_enum(self, node: dict[str, Any], existing: Any, where: str) -> Any:
        kind = class_in(node["class"], existing, self._modules, where)
        if not issubclass(kind, enum.Enum):
            raise Unfitting(f"{where} was a {node['class']}, which is no enumeration here")
        return kind.__members__[node["name"]]

    def _of_method(self, node: dict[str, Any], existing: Any, where: str) -> Any:
        if not isinstance(existing, _METHODS) or existing.__name__ != node["name"] or not is_kept(existing.__self__):
            raise Unfitting(f"{where} was another method")
        if self.decode(node["of"], existing.__self__, where) is not existing.__self__:
            raise Unfitting(f"{where} was a method of something else")
        return existing

    def _of_array(self, node: dict[str, Any], existing: Any, where: str) -> np.ndarray:
        start, length = node["block"]
        if (start, length) not in self._blocks:
            self._taken += length
            if not (0 <= start <= start + length <= len(self._data) and self._taken <= len(self._data)):
                raise Unfitting(f"{where} was an array of more bytes than the file has")
            self._blocks[start, length] = np.array(memoryview(self._data)[start : start + length], np.uint8)
        return array_in(node, self._blocks[start, length], where)

    def _of_objects(self, node: dict[str, Any], existing: Any, where: str) -> np.ndarray:
        shape = shape_in(node["shape"], where)
        if math.prod(shape) != len(node["items"]):
            raise Unfitting(f"{where} was an array of other parts than it has")
        made = np.empty(shape, dtype=object)
        self._note(node, made)
        before = list(existing.reshape(-1)) if isinstance(existing, np.ndarray) else []
        for i, value in enumerate(self._items(node, before, where)):
            made.reshape(-1)[i] = value
        return made

    def _of_generator(self, node: dict[str, Any], existing: Any, where: str) -> Any:
        return remade(node["class"], self.decode(node["state"], ABSENT, where))

    # Containers -------------------------------------------------------------------------------------------------------

    def _items(self, node: dict[str, Any], before: list[Any], where: str) -> list[Any]:
        if any(is_layer(each) for each in before[len(node["items"]) :]):
            raise Unfitting(f"{where} was of fewer parts than it has here")
        return [self.decode(item, before[i] if i < len(before) else ABSENT, where) for i, item in enumerate(node["items"])]

    def _of_list(self, node: dict[str, Any], existing: Any, where: str) -> list[Any]:
        made: list[Any] = []
        self._note(node, made)
        made += self._items(node, existing if isinstance(existing, list) else [], where)
        return made

    def _of_deque(self, node: dict[str, Any], existing: Any, where: str) -> collections.deque[Any]:
        made: collections.deque[Any] = collections.deque(maxlen=node["maxlen"])
        self._note(node, made)
        made.extend(self._items(node, list(existing) if isinstance(existing, collections.deque) else [], where))
        return made

    def _of_tuple(self, node: dict[str, Any], existing: Any, where: str) -> tuple[Any, ...]:
        return tuple(self._items(node, list(existing) if isinstance(existing, tuple) else [], where))

    def _of_named(self, node: dict[str, Any], existing: Any, where: str) -> Any:
        kind = class_in(node["class"], existing, self._modules, where)
        items = self._items(node, list(existing) if isinstance(existing, tuple) else [], where)
        if not (issubclass(kind, tuple) and len(getattr(kind, "_fields", ())) == len(items) > 0) or hasattr(kind, "__del__"):
            raise Unfitting(f"{where} was a {node['class']}, which is no such named tuple here")
        return tuple.__new__(kind, items)

    def _of_set(self, node: dict[str, Any], existing: Any, where: str) -> set[Any]:
        items = self._items(node, [], where)
        for item in items:
            require_key(item, where)
        return set(items)

    def _of_frozenset(self, node: dict[str, Any], existing: Any, where: str) -> frozenset[Any]:
        return frozenset(self._of_set(node, existing, where))

    def _of_dict(self, node: dict[str, Any], existing: Any, where: str, made: Any = None) -> Any:
        made = _MAPPINGS[node["is"]]() if made is None else made
        self._note(node, made)
        before = existing if isinstance(existing, dict) else {}
        for key, item in node["items"]:
            key = self.decode(key, ABSENT, where)
            require_key(key, where)
            made[key] = self.decode(item, before.get(key, ABSENT), where)
        return made

    def _of_defaultdict(self, node: dict[str, Any], existing: Any, where: str) -> Any:
        if not isinstance(existing, collections.defaultdict):
            raise Unfitting(f"{where} was a defaultdict, whose function only the environment itself has")
        return self._of_dict(node, existing, where, collections.defaultdict(existing.default_factory))

    # Objects ----------------------------------------------------------------------------------------------------------

    def _of_space(self, node: dict[str, Any], existing: Any, where: str) -> Any:
        spaces = spaces_within(existing) if isinstance(existing, gym.Space) else []
        if len(spaces) != len(node["generators"]):
            raise Unfitting(f"{where} was another space")
        told = [(space, each) for space, each in zip(spaces, node["generators"], strict=True) if each != {"is": "undrawn"}]
        self._drawing += [(space, self.decode(each, ABSENT, where)) for space, each in told]
        if not all(isinstance(generator, np.random.Generator | None) for _, generator in self._drawing):
            raise Unfitting(f"{where} drew from no generator")
        return existing

    def _of_own(self, node: dict[str, Any], existing: Any, where: str) -> Any:
        self._same_class(node, existing, where, is_own(existing))
        self._note(node, existing)
        state = self.decode(node["state"], ABSENT, where)
        if not isinstance(state, dict):
            raise Unfitting(f"{where} was told by no dictionary")
        self._told.append((existing, state))
        if is_wrapper(existing) and self.decode(node["env"], existing.env, f"{node['class']}.env") is not existing.env:
            raise Unfitting(f"{node['class']}.env was another environment")
        return existing

    def _of_layer(self, node: dict[str, Any], existing: Any, where: str) -> Any:
        self._same_class(node, existing, where, is_layer(existing) and not is_own(existing))
        if any(layer is existing for layer in self.layers):
            raise Unfitting(f"{where} is told twice")
        self._note(node, existing)
        values: dict[str, Any] = {}
        self._layers.append((existing, values))
        self._fill(node, existing, values, vars(existing))
        for name, value in [each for each in vars(existing).items() if each[0] not in values and not skipped(existing, each[0])]:
            if name in self._names.get(id(existing), ()) or is_kept(value) or is_fixed(value):
                raise Unfitting(f"{node['class']} was without {name}")
        shared = {name: item for base in type(existing).__mro__ for name, item in vars(base).items() if isinstance(item, gym.Space)}
        for name, item in node["shared"]:
            if name not in shared or self.decode(item, shared[name], f"{node['class']}.{name}") is not shared[name]:
                raise Unfitting(f"{node['class']}.{name} is no space of its class")
        return existing

    def _of_object(self, node: dict[str, Any], existing: Any, where: str) -> Any:
        kind = class_in(node["class"], existing, self._modules, where)
        require_plain(kind, where)
        made = object.__new__(kind)
        self._note(node, made)
        self._fill(node, made, vars(made), vars(existing) if type(existing) is kind else {})
        return made

    def _fill(self, node: dict[str, Any], owner: Any, values: dict[str, Any], before: dict[str, Any]) -> None:
        for name, item in node["vars"]:
            where = f"{node['class']}.{name}"
            require_name(owner, name, node["class"])
            existing = before.get(name, ABSENT)
            made = self.decode(item, existing, where)
            if name == "env" and is_wrapper(owner) and made is not existing:
                raise Unfitting(f"{where} was another environment")
            require_same_kind(owner, name, existing, made, where)
            values[name] = made

    def _same_class(self, node: dict[str, Any], existing: Any, where: str, so: bool) -> None:
        kind = type(existing)
        if not so or kind.__qualname__ != node["class"]:
            found = "nothing" if existing is ABSENT else f"a {kind.__name__}"
            raise Unfitting(f"where the state has a {node['class']}{f' ({where})' if where else ''}, this environment has {found}")
        if package_of(kind) not in LIBRARIES:
            look_in(kind, self._modules)

    _KINDS: Mapping[str, Callable[..., Any]] = types.MappingProxyType(
        {
            **dict.fromkeys(("float", "complex", "number", "bytes", "bytearray"), lambda _, node, existing, where: simple_in(node, where)),
            **{"given": _of_given, "fixed": _of_fixed, "enum": _of_enum, "method": _of_method, "generator": _of_generator},
            **{"array": _of_array, "objects": _of_objects, "list": _of_list, "deque": _of_deque, "tuple": _of_tuple},
            **{"named": _of_named, "set": _of_set, "frozenset": _of_frozenset, "dict": _of_dict, "OrderedDict": _of_dict},
            **{"Counter": _of_dict, "defaultdict": _of_defaultdict},
            **{"space": _of_space, "own": _of_own, "layer": _of_layer, "object": _of_object},
        }
    )
