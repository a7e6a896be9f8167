"""The process of one copy of an environment, as `SubprocessVectorEnv` starts it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import traceback
from multiprocessing.reduction import ForkingPickler
from typing import Any

import gymnasium as gym
from gymnasium.vector.async_vector_env import _async_worker

from rlcourse.core.contract import Checked

__all__ = ["Maker", "serve"]


class Maker:
    """Makes a copy."""

    def __init__(self, spec: Any, copy: int) -> None:
        self.spec, self.copy = spec, copy

    def __call__(self) -> gym.Env[Any, Any]:
        """Make it."""
        return _Asked(gym.make(self.spec), self.copy)


class _Asked(Checked):
    """An environment in its process, which can also be asked for the answer of one method as it is."""

    def answer(self, method: str, *arguments: Any, **options: Any) -> Any:
        return getattr(self, method)(*arguments, **options)


def serve(copy: int, maker: Any, pipe: Any, other: Any, memory: Any, errors: Any, *rest: Any) -> None:
    """Answer in the process of a copy, which only the one that started it ends: by asking, by SIGKILL, or by its own end."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=[multiprocessing.parent_process()], daemon=True).start()
    with contextlib.suppress(BrokenPipeError):  # nobody listens any more
        _import(getattr(maker, "fn", None))
        pipe.send("started")
        caught: Any = _Errors(errors)
        _async_worker(copy, maker, pipe, other, memory, caught, *rest)


def _import(maker: Any) -> None:
    """Import what making an environment needs; what fails here fails again when it is made, and is said then."""
    spec = getattr(maker, "spec", None)
    wrappers = getattr(spec, "additional_wrappers", ())
    for name in (getattr(each, "entry_point", None) for each in (spec, *wrappers)):
        if isinstance(name, str):
            with contextlib.suppress(Exception):
                gym.envs.registration.load_env_creator(name)


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)


class _Errors:
    """The queue to which errors go: as text, and as bytes where these make the same error again."""

    def __init__(self, sent: Any) -> None:
        self.sent = sent

    def put(self, found: tuple[int, type[BaseException], BaseException, str]) -> None:
        copy, kind, error, trace = found
        said = traceback.format_exception_only(kind, error)[0].strip()
        self.sent.put((copy, _packed(error), f"the environment raised {said}, in copy {copy}: mend the environment", trace))


def _packed(error: BaseException) -> bytes:
    """Return a pickled error; nothing where it is no ordinary one, or would come out as another."""
    try:
        whole = bytes(ForkingPickler.dumps(error))
        again = ForkingPickler.loads(whole)
        return whole if isinstance(error, Exception) and type(again) is type(error) and str(again) == str(error) else b""
    except Exception:
        return b""
