"""What `rlcourse doctor` measures: steps/s of an environment in every mode, of training in every mode, and of the stages of training."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from rlcourse.agents.deep.measure import rate, round_of, throw_away, warm_up_of
from rlcourse.agents.deep.programs.copies import Copies
from rlcourse.agents.deep.programs.together import hindrance, learn_together
from rlcourse.core.box import is_data
from rlcourse.core.vector import WorldVectorEnv

__all__ = ["Stages", "Training", "environments", "pace", "staged", "training"]

_FOREIGN = 16  # copies of an environment that is stepped one by one: more of them are no faster
_ROWS = 16  # steps of copies that are kept
_ENDLESS = 2**40  # episodes: with a budget of them an agent learns on the host


class Stages(NamedTuple):
    """Seconds of each environment step in training: of the environment, of choosing and storing, of learning from what was stored."""

    environment: float
    inference: float
    update: float


class Training(NamedTuple):
    """Steps/s of training by mode, stages by device where the environment is on the host, and why a mode is not there."""

    rates: dict[str, float]
    stages: dict[str, Stages]
    lacking: dict[str, str]


def pace(work: Callable[[], int], seconds: float = 0.4, clock: Callable[[], float] = time.perf_counter) -> float:
    """Return how much work is done in a second, as the median of five stretches after a warm-up; `work` returns how much it has done."""
    rates = []
    for stretch in range(6):
        began, done, spent = clock(), 0, 0.0
        while spent < seconds / 5:
            done += work()
            spent = clock() - began
        if stretch:  # the first one warms up
            rates.append(done / spent)
    return median(rates)


def environments(make: Callable[[], gym.Env[Any, Any]], venv: Any, devices: list[str]) -> dict[str, float]:
    """Return steps/s under random actions: of one copy, of copies stepped one by one, in one compiled call, and as a program.

    Parameters
    ----------
    make : callable
        Makes one environment.
    venv : VectorEnv
        Copies as an agent steps them.
    devices : list of str
        Where copies of a program may be.
    """
    found = {"one copy": _of_one(make())}
    n = min(venv.num_envs, _FOREIGN)
    makers: list[Any] = [make] * n
    found[f"SyncVectorEnv of {n}"] = _of_many(SyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP))
    inner = venv.unwrapped
    if isinstance(inner, WorldVectorEnv):
        found[f"compiled, {venv.num_envs:,} copies"] = _of_many(inner)
        if is_data(inner.world) and not hasattr(inner.world, "clock"):
            for device in devices:
                with contextlib.suppress(Exception):  # without numba-cuda, or with a driver that it cannot use: `training` says why
                    found[f"program on the {_NAMES[device]}, {venv.num_envs:,} copies"] = _of_program(inner, torch.device(device))
    return found


_NAMES = {"cpu": "CPU", "cuda": "GPU"}


def _of_one(env: gym.Env[Any, Any]) -> float:
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(64)]
    env.reset(seed=0)
    taken = 0

    def work() -> int:
        nonlocal taken
        _, _, terminated, truncated, _ = env.step(actions[taken % 64])
        if terminated or truncated:
            env.reset()
        taken += 1
        return 1

    speed = pace(work)
    env.close()
    return speed


def _of_many(venv: Any) -> float:
    venv.action_space.seed(0)
    actions = [venv.action_space.sample() for _ in range(16)]
    venv.reset(seed=0)
    taken = 0

    def work() -> int:
        nonlocal taken
        venv.step(actions[taken % 16])
        taken += 1
        return int(venv.num_envs)

    return pace(work)


def _of_program(venv: WorldVectorEnv, device: torch.device) -> float:
    copies = Copies(venv.world, venv.max_episode_steps, [0], venv.num_envs, _ROWS, device)
    actions = torch.as_tensor(np.array(venv.action_space.sample()), dtype=copies.actions.dtype)
    copies.actions.copy_(actions.reshape(copies.actions.shape))
    copies.reset()

    def work() -> int:
        for t in range(_ROWS):
            copies.step(t)
        copies.turn(_ROWS)
        _wait(device)
        return _ROWS * venv.num_envs

    return pace(work)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def training(agent: Any, devices: list[str]) -> Training:
    """Return how fast an agent with these settings trains, by mode: with the environment on the host, and as a program."""
    found = Training({}, {}, {})
    for device in devices:
        mode = f"host, network on the {_NAMES[device]}"
        try:
            found.rates[mode], found.stages[device] = staged(throw_away(agent, device, agent.seed))
        except Exception as error:
            if device == "cpu":
                raise
            found.lacking[mode] = _reason(error)
        mode = f"program on the {_NAMES[device]}"
        try:
            resident = throw_away(agent, device, agent.seed)
            if reason := hindrance([resident]):
                found.lacking[mode] = reason
            else:
                found.rates[mode] = rate(partial(learn_together, [resident]), round_of(resident), warm_up_of(resident, device == "cuda"))
        except Exception as error:  # the page is for those whose GPU does not do what it should
            found.lacking[mode] = _reason(error)
    return found


def _reason(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def staged(agent: Any, clock: Callable[[], float] = time.perf_counter) -> tuple[float, Stages]:
    """Train an agent with its environment on the host; return steps/s, and the seconds of the stages."""
    spent = dict.fromkeys(("environment", "collection", "all", "steps"), 0.0)

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **options: Any) -> Any:
            _wait(agent.device)
            before = clock()
            answer = function(*arguments, **options)
            _wait(agent.device)
            spent[name] += clock() - before
            return answer

        return run

    agent.venv.step = timed("environment", agent.venv.step)
    agent._collect = timed("collection", agent._collect)
    learn = timed("all", agent.learn)

    def counted(steps: int) -> None:
        spent.update(dict.fromkeys(spent, 0.0), steps=float(steps))
        learn(steps, episodes=_ENDLESS)

    speed = rate(counted, round_of(agent), warm_up_of(agent, False))
    whole, collection, environment = (spent[name] / spent["steps"] for name in ("all", "collection", "environment"))
    return speed, Stages(environment, max(0.0, collection - environment), max(0.0, whole - collection))
