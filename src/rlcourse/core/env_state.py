"""Where a Gymnasium environment is, its wrappers and copies included, so that learning goes on in the middle of an episode.

`capture` reads what an environment consists of, layer by layer from the outermost: numbers, texts, arrays, generators of numpy and of
`random`, containers, and Python objects of these; what occurs twice remains one. Functions, classes, how the environment was made,
Gymnasium's table ``P``, wall clocks and pictures are no state. A layer, or an object in it, with ``state_dict()`` and
``load_state_dict(state)`` tells by itself: of itself alone, not of the environment inside. What hides its state (a physics engine,
another process, a file) is refused in a sentence that names it: `cannot`.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.wrappers import PassiveEnvChecker

from rlcourse.core.decoder import Decoder, Unfitting
from rlcourse.core.encoder import Encoder, Unreadable
from rlcourse.core.header import DamagedFile, parsed

__all__ = ["EnvState", "Unfitting", "Unreadable", "cannot", "capture", "restore", "spaces_of"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_DEPTH = 400  # of JSON: twenty wrappers, and an environment with parts of parts


def capture(env: Any, given: Mapping[str, Any] = _NOTHING) -> dict[str, np.ndarray]:
    """Return where an environment is: two arrays of bytes, ``layout`` and ``data``.

    Parameters
    ----------
    env : gymnasium.Env or gymnasium.vector.VectorEnv
    given : dict
        By name, what is not the environment's own, such as an agent's generator that it draws from.

    Raises
    ------
    Unreadable
        In one sentence, where something hides its state; a ValueError.
    """
    return _written(*_read(env, given))


def restore(env: Any, state: Mapping[str, np.ndarray], given: Mapping[str, Any] = _NOTHING) -> None:
    """Put an environment that was made as another one was where that one was when it was captured.

    Raises
    ------
    Unfitting
        In one sentence, where it is not made as that one was, and then nothing has changed; a ValueError.
    """
    _put(env, _layout(state), state, given, {})


def cannot(env: Any) -> str:
    """Return in one sentence why the state of an environment cannot be captured, or nothing; it is not stepped."""
    try:
        _read(env, _NOTHING)
    except Unreadable as error:
        return str(error)
    return ""


def spaces_of(env: Any) -> list[gym.Space[Any]]:
    """Return the spaces that an environment holds, its own and those of its class; none where it cannot be read."""
    encoder = Encoder()
    with contextlib.suppress(Unreadable):
        encoder.encode(env, "")
    return encoder.spaces


class EnvState:
    """The environment of an agent as a part of the agent's state.

    Numbers that have not changed since it was made, such as a gravity or a time limit, must be the same in the environment that a state is
    put into: who loads an agent into another environment means that one, and new episodes begin there.

    Parameters
    ----------
    env : gymnasium.Env or gymnasium.vector.VectorEnv
    given : dict
        See `capture`.

    Attributes
    ----------
    note : str
        Why the state cannot be captured, in one sentence; empty where it can.
    missed : str
        Why new episodes begin after the last `load_state_dict`; empty where none need to.
    """

    def __init__(self, env: Any, given: Mapping[str, Any] = _NOTHING) -> None:
        self.env, self.given = env, given
        self.note = self.missed = ""
        try:
            made = _read(env, given)[1]
            self._layers = made.layers  # with the names that they have now: code counts on them
        except Unreadable as error:
            self.note = str(error)
        else:
            self._made, self._undrawn = made.leaves, made.draws  # when the agent was made that learned first

    def state_dict(self) -> dict[str, Any]:
        """Return the captured state, or why there is none."""
        if not self.note:
            try:
                node, encoder = _read(self.env, self.given, self._undrawn)
                moved = [path for path, digest in self._made.items() if encoder.leaves.get(path) != digest]
                undrawn = [path for path, digest in self._undrawn.items() if encoder.draws.get(path) == digest]
                return _written(node, encoder, {"made": self._made, "moved": moved, "undrawn": undrawn})
            except Unreadable as error:
                self.note = str(error)
        return {"note": self.note}

    def load_state_dict(self, state: Mapping[str, Any]) -> bool:
        """Go on from a state that `state_dict` returned; return False where new episodes must begin."""
        self.missed = self.note = self.note or str(state.get("note", ""))
        if not self.note and "layout" not in state:
            self.missed = "the file does not say where the environment was"
        if self.missed:
            return False
        try:
            layout = _layout(state, noted=True)
            kept = layout["made"].keys() - set(layout["moved"])
            other = sorted(path for path in kept if self._made.get(path, layout["made"][path]) != layout["made"][path])
            if other:
                raise Unfitting(f"this environment differs from the saved one in {other[0].lstrip('.') or 'itself'}")
            _put(self.env, layout, state, self.given, {key: names for key, (_, names) in self._layers.items()})
        except Unfitting as error:
            self.missed = str(error)
        else:
            self._made = layout["made"]
            self._undrawn = {path: digest for path, digest in self._undrawn.items() if path in layout["undrawn"]}
        return not self.missed


def _read(env: Any, given: Mapping[str, Any], undrawn: Mapping[str, str] = _NOTHING) -> tuple[Any, Encoder]:
    encoder = Encoder(given, undrawn)
    try:
        return encoder.encode(env, ""), encoder
    except RecursionError:
        raise Unreadable(f"{type(env.unwrapped).__name__} holds parts within parts too deep to be captured") from None


def _written(node: Any, encoder: Encoder, notes: Mapping[str, Any] = _NOTHING) -> dict[str, np.ndarray]:
    data = encoder.finish()
    text = json.dumps({"env": node, **notes}, allow_nan=False, separators=(",", ":"))
    try:
        parsed(text, _DEPTH)
    except DamagedFile:
        raise Unreadable("this environment holds too many parts, or parts within parts too deep, to be captured") from None
    return {"layout": np.frombuffer(text.encode(), np.uint8), "data": np.frombuffer(data, np.uint8)}


def _layout(state: Mapping[str, np.ndarray], noted: bool = False) -> dict[str, Any]:
    """Return what a state says, of which only the outermost is looked at here; raises Unfitting where that cannot be."""
    try:
        for name in ("layout", "data"):
            if state[name].dtype != np.uint8 or state[name].ndim != 1:
                raise ValueError(f"its {name} is no text")
        layout = parsed(state["layout"].tobytes().decode(), _DEPTH)
        notes = [layout["moved"], layout["undrawn"], list(layout["made"].keys()), list(layout["made"].values())] if noted else []
        if not isinstance(layout["env"], dict) or not all(isinstance(text, str) for texts in notes for text in texts):
            raise ValueError("it is no environment's")
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise Unfitting("the state of the environment is damaged") from error
    found: dict[str, Any] = layout
    return found


def _put(
    env: Any, layout: dict[str, Any], state: Mapping[str, np.ndarray], given: Mapping[str, Any], names: Mapping[int, frozenset[str]]
) -> None:
    decoder = Decoder(state["data"].tobytes(), given, names)
    try:
        decoder.begin(layout["env"], env)
    except Unfitting:
        raise
    except (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError) as error:
        raise Unfitting(f"the state of the environment is damaged ({type(error).__name__}: {error})") from error
    decoder.apply()
    for layer in decoder.layers:
        _begin_clocks(layer)


def _begin_clocks(layer: Any) -> None:
    """Let the wall clocks of a layer begin now, and Gymnasium's checker, which remembers what it has seen, check no more."""
    now, mine = time.perf_counter(), vars(layer)
    if isinstance(mine.get("episode_start_times"), np.ndarray):
        mine["episode_start_times"] = np.full_like(mine["episode_start_times"], now)
    elif "episode_start_time" in mine:
        mine["episode_start_time"] = now
    if isinstance(layer, PassiveEnvChecker):
        mine |= {"checked_reset": True, "checked_step": True, "checked_data_reuse": True, "_previous_data": None}
