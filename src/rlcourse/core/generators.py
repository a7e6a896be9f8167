"""Random generators that environments own, of numpy and of Python: their states as values, and generators made again of them."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from typing import Any

import numpy as np

__all__ = ["GENERATORS", "remade", "told", "undisturbed"]

GENERATORS = (np.random.Generator, np.random.RandomState, random.Random)
_BITS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


def told(generator: Any) -> tuple[str, Any]:
    """Return the kind and the state of a generator; ValueError where the kind is not known."""
    if type(generator) is random.Random:
        return "Random", generator.getstate()
    if type(generator) is np.random.RandomState:
        return "RandomState", generator.get_state(legacy=False)
    name = type(generator.bit_generator).__name__ if type(generator) is np.random.Generator else type(generator).__name__
    if name not in _BITS:
        raise ValueError(f"a generator of kind {name} is not known")
    return name, generator.bit_generator.state


def remade(name: str, state: Any) -> Any:
    """Return a generator of a kind, in a state; ValueError where the kind is not known, or the state is none: numpy does not look."""
    if name == "Random":
        made = random.Random(0)
        version, words, gauss = state
        if version != 3 or not all(type(word) is int for word in words) or not any(words[:-1]) or not isinstance(gauss, float | None):
            raise ValueError("a generator of kind Random cannot be in this state")
        made.setstate((version, words, gauss))
        return made
    if name == "RandomState":
        _require("MT19937", state)
        if state["has_gauss"] not in (0, 1) or not isinstance(state["gauss"], float):
            raise ValueError("a generator of kind RandomState cannot be in this state")
        legacy = np.random.RandomState(0)
        legacy.set_state(state)
        return legacy
    if name not in _BITS:
        raise ValueError(f"a generator of kind {name} is not known")
    _require(name, state)
    bits = getattr(np.random, name)(0)
    bits.state = state
    return np.random.Generator(bits)


def _require(name: str, state: Any) -> None:
    """Raise ValueError where a bit generator of numpy's would draw from beyond its words, or the same for ever."""
    inner, whole = state["state"], state["bit_generator"] == name
    if name == "MT19937":
        whole &= _words(inner["key"], np.uint32, 624) and inner["key"].any() and _within(inner["pos"], 625)
    elif name == "Philox":
        whole &= _words(inner["counter"], np.uint64, 4) and _words(inner["key"], np.uint64, 2)
        whole &= _words(state["buffer"], np.uint64, 4) and _within(state["buffer_pos"], 5)
    elif name == "SFC64":
        whole &= _words(inner["state"], np.uint64, 4)
    else:
        whole &= _within(inner["state"], 2**128) and _within(inner["inc"], 2**128) and inner["inc"] % 2 == 1
    if name != "MT19937":  # half a word that is left
        whole &= _within(state["has_uint32"], 2) and _within(state["uinteger"], 2**32)
    if not whole:
        raise ValueError(f"a generator of kind {name} cannot be in this state")


def _words(value: Any, dtype: Any, count: int) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == dtype and value.shape == (count,)


def _within(value: Any, limit: int) -> bool:
    return isinstance(value, int) and 0 <= value < limit


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Put the global generators of Python and numpy back afterwards: an environment may draw from them."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
