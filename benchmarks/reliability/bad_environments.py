"""Environments that go wrong on purpose, for the campaign `environments` and its tests."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

__all__ = ["FAULTS", "INVALID", "MOMENTS", "ODD", "Bad", "Failing"]

Answer = tuple[Any, ...]
PLANE = spaces.Box(-1, 1, (2,))


class Bad(gym.Env[Any, Any]):
    """Episodes of seven steps; answers go through `step`, from step `at` on, counted over episodes, and through `reset`."""

    def __init__(
        self,
        step: Callable[..., Any] | None = None,
        reset: Callable[..., Any] | None = None,
        seen: Any = PLANE,
        acted: Any = None,
        shown: Any = None,
        at: int = 1,
    ) -> None:
        self.observation_space, self.action_space = seen, spaces.Discrete(2) if acted is None else acted
        self._step, self._reset, self.shown, self.at, self.taken, self.t = step, reset, shown, at, 0, 0

    def _observation(self) -> Any:
        if self.shown is not None:
            return self.shown() if callable(self.shown) else self.shown
        return np.full(2, 0.1 * (self.t % 5), np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Begin an episode."""
        super().reset(seed=seed)
        self.t = 0
        answer = self._observation(), {}
        return answer if self._reset is None else self._reset(*answer)

    def step(self, action: Any) -> Any:
        """Answer, rightly or wrongly."""
        self.t += 1
        self.taken += 1
        answer = self._observation(), float(self.t % 3), self.t == 7, False, {}
        return answer if self._step is None or self.taken < self.at else self._step(*answer)


def _of(**options: Any) -> Callable[[], Bad]:
    return lambda: Bad(**options)


TEXT = spaces.Dict({"a": spaces.Box(-1, 1, (2,)), "b": spaces.Dict({"c": spaces.Discrete(3)})})
DEEP = {"a": np.zeros(2, np.float32), "b": {"c": 1}}

INVALID: dict[str, Callable[[], Bad]] = {  # refused in one sentence
    "an observation of another shape": _of(step=lambda o, *rest: (np.zeros(3, np.float32), *rest)),
    "an observation that would be broadcast": _of(step=lambda o, *rest: (np.zeros(1, np.float32), *rest)),
    "an observation that is None": _of(step=lambda o, *rest: (None, *rest)),
    "an observation of texts": _of(step=lambda o, *rest: (np.array(["a", "b"]), *rest)),
    "complex observations": _of(step=lambda o, *rest: (o.astype(complex), *rest)),
    "floats in a Box of bytes": _of(seen=spaces.Box(0, 255, (2,), np.uint8), shown=np.array([0.5, 0.5])),
    "numbers that bytes do not hold": _of(seen=spaces.Box(0, 255, (2,), np.uint8), shown=np.array([300, -1])),
    "a number above Discrete": _of(seen=spaces.Discrete(3), shown=3),
    "a number below Discrete(start)": _of(seen=spaces.Discrete(3, start=2), shown=1),
    "a float in Discrete": _of(seen=spaces.Discrete(3), shown=1.5),
    "a MultiDiscrete out of range": _of(seen=spaces.MultiDiscrete([2, 3]), shown=np.array([0, 3])),
    "a two in MultiBinary": _of(seen=spaces.MultiBinary(2), shown=np.array([0, 2], np.int8)),
    "a Dict without a key": _of(seen=TEXT, shown={"a": DEEP["a"], "b": {}}),
    "a Dict that is a list": _of(seen=TEXT, shown=[1, 2]),
    "a bad number deep in a Dict": _of(seen=TEXT, shown={"a": DEEP["a"], "b": {"c": 5}}),
    "a reward that is None": _of(step=lambda o, r, *rest: (o, None, *rest)),
    "a reward that is an array": _of(step=lambda o, r, *rest: (o, np.ones(2), *rest)),
    "a complex reward": _of(step=lambda o, r, *rest: (o, 1j, *rest)),
    "a reward that is a text": _of(step=lambda o, r, *rest: (o, "1.0", *rest)),
    "terminated that is a text": _of(step=lambda o, r, te, *rest: (o, r, "no", *rest)),
    "truncated that is an info": _of(step=lambda o, r, te, tr, info: (o, r, te, info, {})),
    "four values from step, as gym had": _of(step=lambda o, r, te, tr, info: (o, r, te, info)),
    "six values from step": _of(step=lambda *answer: (*answer, None)),
    "an observation alone from reset": _of(reset=lambda o, info: o),
    "None from reset": _of(reset=lambda o, info: None),
    "an info that is no dict": _of(step=lambda o, r, te, tr, info: (o, r, te, tr, [])),
    "an observation space without numbers": _of(seen=spaces.Box(-1, 1, (0,)), shown=np.zeros(0, np.float32)),
    "an action space without numbers": _of(acted=spaces.Box(-1, 1, (0,))),
    "no observation space": _of(seen=None),
}

ODD: dict[str, Callable[[], Bad]] = {  # valid, and learned in
    "float64 observations in a Box of float32": _of(shown=np.zeros(2)),
    "whole numbers in a Box of floats": _of(shown=np.zeros(2, np.int64)),
    "a Box of int8": _of(seen=spaces.Box(-5, 5, (2,), np.int8), shown=np.array([-5, 5], np.int8)),
    "a Box of one number without an axis": _of(seen=spaces.Box(-1, 1, ()), shown=np.array(0.5, np.float32)),
    "a Box without bounds": _of(seen=spaces.Box(-np.inf, np.inf, (2,)), shown=np.array([1e30, -1e30], np.float32)),
    "MultiBinary": _of(seen=spaces.MultiBinary(3), shown=np.array([0, 1, 1], np.int8)),
    "MultiDiscrete": _of(seen=spaces.MultiDiscrete([2, 3]), shown=np.array([1, 2])),
    "Discrete that begins at -2": _of(seen=spaces.Discrete(3, start=-2), shown=-2),
    "a Dict in a Dict": _of(seen=TEXT, shown=DEEP),
    "a Dict with a further key": _of(seen=TEXT, shown={**DEEP, "z": 1}),
    "a Tuple": _of(seen=spaces.Tuple((spaces.Discrete(2), spaces.Box(-1, 1, (1,)))), shown=lambda: (1, np.zeros(1, np.float32))),
    "a reward of numpy": _of(step=lambda o, r, *rest: (o, np.float32(r), *rest)),
    "a reward that is a bool": _of(step=lambda o, r, *rest: (o, True, *rest)),
    "flags of numpy": _of(step=lambda o, r, te, tr, info: (o, r, np.bool_(te), np.bool_(tr), info)),
    "actions that begin at 5": _of(acted=spaces.Discrete(2, start=5)),
}

FAULTS: dict[str, Callable[[], Any]] = {  # of a subprocess
    "raises": lambda: 1 / 0,
    "is killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "exits": lambda: os._exit(3),
    "sleeps for ever": lambda: time.sleep(10_000),
    "gives another shape": lambda: np.zeros(3, np.float32),
    "gives another type": lambda: np.array(["a", "b"]),
}
MOMENTS = ("at the start", "in the middle", "at the close")


class Failing(gym.Env[Any, Any]):
    """Goes wrong in a process of its own: in its first reset, in its twentieth step, or when it is closed."""

    observation_space, action_space = PLANE, spaces.Discrete(2)

    def __init__(self, fault: str = "", moment: str = "") -> None:
        self.fault, self.moment, self.t = fault, moment, 0

    def _answer(self, now: bool) -> Any:
        fails = now and self.fault and multiprocessing.parent_process() is not None
        return FAULTS[self.fault]() if fails else np.zeros(2, np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Begin an episode."""
        super().reset(seed=seed)
        return self._answer(self.moment == MOMENTS[0]), {}

    def step(self, action: Any) -> Any:
        """Take a step."""
        self.t += 1
        return self._answer(self.moment == MOMENTS[1] and self.t == 20), 1.0, False, False, {}

    def close(self) -> None:
        """Close."""
        self._answer(self.moment == MOMENTS[2])
