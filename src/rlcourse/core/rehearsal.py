"""`rehearse`: whether an environment that is captured and restored really goes on as it would have."""

from __future__ import annotations

import contextlib
import copy
import io
import itertools
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym
import numpy as np

from rlcourse.core.env_state import Unfitting, Unreadable, capture, restore, spaces_of
from rlcourse.core.generators import undisturbed

__all__ = ["rehearse"]

_BEFORE, _AFTER = 11, 50  # steps before the state is captured, and those that are compared, at most
_OUTSIDE = "this environment draws or keeps something outside itself"
_PATIENCE = 0.5  # seconds, after which a slow environment is compared no further


def rehearse(make: Callable[[], gym.Env[Any, Any]]) -> str:
    """Return in one sentence why an environment would not go on exactly when its state is restored, or nothing.

    One copy plays, its state is captured, and it plays on; another copy, put into that state, plays on with the same actions. Whatever
    `rlcourse.core.env_state` overlooks, such as a generator of a module or of a library in C, shows as another observation or reward.

    Parameters
    ----------
    make : callable
        Makes a copy. The environment that learns is not touched, nor are the global generators of Python and numpy.
    """
    with _as_it_was(), contextlib.ExitStack() as stack:
        try:
            copies = []
            for _ in range(2):
                copies.append(make())
                stack.callback(copies[-1].close)
            for space in spaces_of(copies[0]):  # those of a class are the learning environment's too
                stack.callback(_put_back, space, space._np_random, copy.deepcopy(space._np_random))
            return _difference(*copies)
        except (Unreadable, Unfitting) as error:
            return str(error)
        except (Exception, SystemExit) as error:  # of the environment's own: learning will meet it too, and say what it is
            return f"a rehearsal ended with {type(error).__name__}: {' '.join(str(error).split())}"


def _difference(first: gym.Env[Any, Any], second: gym.Env[Any, Any]) -> str:
    actions = copy.deepcopy(first.action_space)
    actions.seed(0)
    capture(first)  # before it does anything: what cannot be read need not be played
    first.reset(seed=0)
    list(_played(first, (actions.sample() for _ in range(_BEFORE))))
    state = capture(first)
    chosen = [actions.sample() for _ in range(_AFTER)]
    until = time.perf_counter() + _PATIENCE
    expected = list(itertools.takewhile(lambda _: time.perf_counter() < until, _played(first, chosen)))
    whole = len(expected) == _AFTER
    beginning = first.reset()[0] if whole else None
    restore(second, state)
    for step, (theirs, mine) in enumerate(zip(expected, _played(second, chosen), strict=False), start=1):
        for what, before, after in zip(("observations", "rewards", "ends of episodes"), mine, theirs, strict=True):
            if not _same(before, after):
                return f"{_OUTSIDE}: restored, its {what} differ from step {step} on"
    if whole and not _same(second.reset()[0], beginning):
        return f"{_OUTSIDE}: restored, its next episode begins otherwise"
    return ""


def _played(env: gym.Env[Any, Any], actions: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Yield all that is seen, rewards, and whether the episode ended."""
    for action in actions:
        seen, reward, terminated, truncated, _ = env.step(action)
        begun = env.reset()[0] if terminated or truncated else None
        yield copy.deepcopy((seen, begun)), reward, (bool(terminated), bool(truncated))


def _same(a: Any, b: Any) -> bool:
    """Whether two observations are the same to the last bit."""
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return isinstance(b, list | tuple) and len(a) == len(b) and all(map(_same, a, b))
    if a is None or isinstance(a, str):
        return bool(a == b)
    one, other = np.asarray(a), np.asarray(b)
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return bool(np.all(one == other)) if one.dtype.hasobject else one.tobytes() == other.tobytes()


@contextlib.contextmanager
def _as_it_was() -> Iterator[None]:
    """Leave the global generators as they are, and say nothing."""
    with undisturbed(), warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def _put_back(space: gym.Space[Any], generator: Any, before: Any) -> None:
    space._np_random = generator
    if generator is not None:
        generator.bit_generator.state = before.bit_generator.state
