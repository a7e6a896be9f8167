"""Copies of an environment in subprocesses, for at most so long an answer: one that hangs or dies ends learning, not the program.

Gymnasium's `AsyncVectorEnv` waits for ever for a copy that hangs, and its `close` for one that has died. Here every wait has an end, the
sentence names the copy, and no process stays behind, also where this one is killed. Ctrl-C, which a terminal sends to all of them, is for
this process alone, and an error comes with its traceback, also where it cannot be pickled.
"""

from __future__ import annotations

import contextlib
import importlib.machinery
import multiprocessing
import multiprocessing.util
import os
import queue
import sys
import time
from collections.abc import Callable, Iterable
from multiprocessing.reduction import ForkingPickler
from typing import Any

import gymnasium as gym
from gymnasium.vector import AsyncVectorEnv, AutoresetMode

from rlcourse.core.copy_process import Maker, serve
from rlcourse.core.faults import EnvironmentFault

__all__ = ["InSubprocesses", "SubprocessVectorEnv"]

GRACE = 1.0  # seconds for processes to end by themselves
STARTING = 300.0  # seconds for processes to start and to import what an environment needs, on a machine that is busy


class InSubprocesses(gym.Wrapper[Any, Any, Any, Any]):
    """An environment whose copies an agent steps in subprocesses.

    >>> PPO(InSubprocesses(gym.make("Pendulum-v1"), timeout=30), n_envs=4)

    Parameters
    ----------
    env : Env
        That Gymnasium can make again.
    timeout : float
        Seconds that a step, a reset or being made may take; starting its process and importing what it needs do not count.

    Raises
    ------
    ValueError
        Where it cannot be made again, or the time is not positive.
    """

    def __init__(self, env: gym.Env[Any, Any], timeout: float = 60.0) -> None:
        super().__init__(env)
        if env.spec is None:
            raise ValueError("env: copies in processes of their own need an id that Gymnasium can make; register it")
        if not timeout > 0:
            raise ValueError(f"timeout must be a positive number of seconds, not {timeout!r}")
        self.timeout = float(timeout)
        self._alone: _Alone | None = None

    @property
    def spec(self) -> Any:  # type: ignore[override]
        """That of the environment inside: where its copies are is nothing that a saved agent depends on."""
        return self.env.spec

    def copies(self, num_envs: int) -> SubprocessVectorEnv:
        """Start the processes."""
        module = sys.modules.get(type(self.env.unwrapped).__module__)
        file = getattr(module, "__file__", None)
        if module is None or file is None or importlib.machinery.PathFinder.find_spec(module.__name__.partition(".")[0]) is not None:
            return SubprocessVectorEnv([Maker(self.env.spec, i) for i in range(num_envs)], self.timeout)
        sys.path.append(os.path.dirname(file))  # the processes, which get this list, import the module that was loaded from a file
        try:
            return SubprocessVectorEnv([Maker(self.env.spec, i) for i in range(num_envs)], self.timeout)
        finally:
            sys.path.remove(os.path.dirname(file))

    def alone(self) -> gym.Env[Any, Any]:
        """Return one copy, as an environment whose answers come as they are; its process lives until `close`, or until it fails."""
        if self._alone is None or self._alone.copy.closed:
            self._alone = _Alone(self.copies(1))
        return self._alone

    def close(self) -> None:
        """Close the environment, and end the process of `alone`."""
        if self._alone is not None:
            self._alone.close()
        super().close()


class _Alone(gym.Env[Any, Any]):
    """A copy in a subprocess as an environment."""

    def __init__(self, copy: SubprocessVectorEnv) -> None:
        self.copy, self.metadata = copy, copy.metadata
        self.observation_space, self.action_space = copy.single_observation_space, copy.single_action_space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        answer: tuple[Any, dict[str, Any]] = self.copy.ask("reset", seed=seed, options=options)
        return answer

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        answer: tuple[Any, Any, bool, bool, dict[str, Any]] = self.copy.ask("step", action)
        return answer

    def close(self) -> None:
        if not self.copy.closed:
            self.copy.close()


class _Raised(Exception):
    """Holds an error of the environment, which so is not taken for one of its process."""


class SubprocessVectorEnv(AsyncVectorEnv):
    """Copies in processes of their own, which reset in the same step.

    Parameters
    ----------
    makers : list of callable
        One for each copy; pickled.
    timeout : float
        Seconds that a call may take.

    Raises
    ------
    EnvironmentFault
        From every call: where a copy does not answer in time, or its process has ended. All processes have then ended.
    """

    def __init__(self, makers: list[Callable[[], gym.Env[Any, Any]]], timeout: float) -> None:
        self.timeout = timeout
        context = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"  # a fork would inherit our threads
        super().__init__(makers, copy=False, context=context, worker=serve, autoreset_mode=AutoresetMode.SAME_STEP)
        multiprocessing.util.Finalize(self, _kill, [self.processes], exitpriority=0)  # Python's end waits for them, after a SIGTERM

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> Any:
        """Reset the copies."""
        with self._ended_by_fault("reset()"):
            self.reset_async(seed=seed, options=options)
            return self.reset_wait(self.timeout)

    def step(self, actions: Any) -> Any:
        """Step the copies."""
        with self._ended_by_fault("step()"):
            self.step_async(actions)
            return self.step_wait(self.timeout)

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Call a method of every copy."""
        with self._ended_by_fault(f"{name}"):
            self.call_async(name, *args, **kwargs)
            return self.call_wait(self.timeout)

    def ask(self, method: str, *arguments: Any, **options: Any) -> Any:
        """Reset or step the only copy, which does not reset by itself; the answer is that of an environment."""
        with self._ended_by_fault(f"{method}()"):
            self.call_async("answer", method, *arguments, **options)
            return self.call_wait(self.timeout)[0]

    def _check_spaces(self) -> None:
        with self._ended_by_fault("being made"):
            self._wait_until_started()
            if not self._poll_sent():
                raise multiprocessing.TimeoutError
            super()._check_spaces()

    def _wait_until_started(self) -> None:
        """Wait for the first word of every process, which comes before its environment is made: none of this is the environment's time."""
        if not self._poll_pipe_envs(STARTING):
            silent = next(i for i, pipe in enumerate(self.parent_pipes) if not pipe.poll(0))
            why = "import what it needs faster, or start fewer copies"
            self._fail(f"was not imported within {STARTING:g} s, in the process of copy {silent}: {why}")
        for pipe in self.parent_pipes:
            pipe.recv()

    def _poll_sent(self) -> bool:
        """Whether every process has begun to answer: it is asked for a name that every environment has."""
        for pipe in self.parent_pipes:
            pipe.send(("_call", ("metadata", (), {})))
        if not self._poll_pipe_envs(self.timeout):
            return False
        for pipe in self.parent_pipes:
            pipe.recv()
        return True

    def _raise_if_errors(self, successes: Iterable[bool]) -> None:
        """Raise the error of the first copy that has one, with the traceback from its process."""
        if all(successes):
            return
        try:
            _, whole, said, trace = min(self.error_queue.get(timeout=self.timeout) for success in successes if not success)
        except queue.Empty:
            raise multiprocessing.TimeoutError from None
        try:
            error = ForkingPickler.loads(whole)
        except Exception:  # there are no bytes, or this process lacks the module of its class
            error = RuntimeError(said)
        if not isinstance(error, EnvironmentFault):
            error.add_note(trace)
        raise _Raised(error)

    @contextlib.contextmanager
    def _ended_by_fault(self, asked: str) -> Any:
        """Let a call that fails end all processes, and say which copy it was."""
        try:
            yield
        except multiprocessing.TimeoutError:
            silent = [i for i, pipe in enumerate(self.parent_pipes) if not pipe.closed and not pipe.poll(0)]
            where = f"in copy {silent[0] if silent else 0}: mend it, or give it more time with --env-timeout"
            self._fail(f"did not answer to {asked} within {self.timeout:g} s, {where}")
        except (EOFError, OSError):
            time.sleep(0.05)  # until it is known how the process has ended
            dead = next((i for i, process in enumerate(self.processes) if not process.is_alive()), 0)
            self._fail(f"has lost its process in {asked} (exit code {self.processes[dead].exitcode}), in copy {dead}: mend what ends it")
        except _Raised as raised:
            self.close(terminate=True)
            raise raised.args[0] from None
        except BaseException:
            self.close(terminate=True)
            raise

    def _fail(self, what: str) -> None:
        self.close(terminate=True)
        raise EnvironmentFault(f"the environment {what}") from None

    def close_extras(self, timeout: float | None = None, terminate: bool = False) -> None:
        """End all processes: by asking them, and those that do not listen by a signal."""
        if not terminate:
            for pipe in self.parent_pipes:
                with contextlib.suppress(OSError):
                    pipe.send(("close", None))
            until = time.monotonic() + GRACE
            for process in self.processes:
                process.join(max(0.0, until - time.monotonic()))
        _kill(self.processes)
        for pipe in self.parent_pipes:
            pipe.close()


def _kill(processes: list[Any]) -> None:
    for process in processes:
        if process.is_alive():
            process.kill()
    until = time.monotonic() + GRACE
    for process in processes:
        process.join(max(0.0, until - time.monotonic()))
