"""Environments and numbers that go wrong: NaN and infinity everywhere, failing subprocesses, interfaces that are not kept to."""

from __future__ import annotations

import multiprocessing
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym
import numpy as np
from bad_environments import FAULTS, INVALID, MOMENTS, ODD, Bad, Failing
from outcome import Outcome

from rlcourse import agents
from rlcourse.core.faults import EnvironmentFault
from rlcourse.core.subprocesses import InSubprocesses

__all__ = ["COUNTS", "campaign"]

COUNTS = {"NaN or infinity": 128, "subprocesses": 18, "bad environments": 29, "odd environments": 15}
TIMEOUT = 3.0  # seconds that a subprocess may take
AT = 23  # the step that goes wrong
SMALL = {"learning_starts": 16, "batch_size": 8, "buffer_size": 400, "hidden": (8,), "n_steps": 8, "train_freq": 1, "n_envs": 1}
SMALL |= {"sequence_length": 4, "burn_in": 2, "memory_size": 8, "actor_hidden": (8,), "episodes_per_update": 1, "n_epochs": 1}
DISCRETE = ("A2C", "PPO", "RecurrentPPO", "REINFORCE", "PQN", "DQN", "DRQN", "DiscreteSAC", "sb3:ppo", "sb3:dqn")
CONTINUOUS = ("SAC", "TD3", "DDPG", "CrossQ", "sb3:sac", "sb3:td3")
LINEAR = ("SemiGradientSarsa", "GaussianActorCritic")


def make(name: str, env: Any) -> Any:
    """Return a small agent."""
    if name.startswith("sb3:"):
        from rlcourse.sb3 import agent_class

        kind = agent_class(name)
    else:
        kind = getattr(agents, name)
    fields = kind.Config.__dataclass_fields__
    settings = {field: value for field, value in SMALL.items() if field in fields and not (field == "n_steps" and "buffer_size" in fields)}
    return kind(env, seed=0, **settings)


def poisoned(place: str, value: float, name: str) -> Bad:
    """Return an environment that gives one bad number at step AT, or in the next last observation of an episode."""
    acted = gym.spaces.Box(-1, 1, (1,)) if name in (*CONTINUOUS, "GaussianActorCritic") else None
    space = gym.spaces.Box(-np.inf, np.inf, (2,))
    if place == "reward":
        return Bad(lambda o, r, *rest: (o, value, *rest), seen=space, acted=acted, at=AT)
    bad = np.array([0.0, value], np.float32)
    if place == "observation":
        return Bad(lambda o, *rest: (bad, *rest), seen=space, acted=acted, at=AT)
    cut = place == "last observation, truncated"
    return Bad(lambda o, r, te, tr, i: (bad if te else o, r, te and not cut, te and cut, i), seen=space, acted=acted, at=AT)


def numbers() -> Iterator[tuple[str, Callable[[], str]]]:
    """Yield the cases of NaN and infinity, each with a function that returns what went wrong, or nothing."""
    places = ("reward", "observation", "last observation, terminated", "last observation, truncated")
    for name in (*DISCRETE, *CONTINUOUS, *LINEAR):
        for place in places:
            for value in (np.nan, np.inf)[: 1 if place.startswith("last") else 2]:
                yield f"{value} in {place}, {name}", lambda n=name, p=place, v=value: environment_fault(n, p, v)  # type: ignore[misc]
    for value in (np.nan, np.inf):
        yield f"{value} in reward, QLearning", lambda v=value: tabular_fault(v)  # type: ignore[misc]
    for name in ("A2C", "PPO", "DQN", "SAC", "TD3", "DRQN"):
        for place in ("loss", "gradient", "weights"):
            yield f"nan in {place}, {name}", lambda n=name, p=place: network_fault(n, p)  # type: ignore[misc]


def environment_fault(name: str, place: str, value: float) -> str:
    """Learn in an environment that gives a bad number."""
    at = AT if not place.startswith("last") else -(-AT // 7) * 7
    return fault(lambda: make(name, poisoned(place, value, name)).learn(300), EnvironmentFault, f"step {at} ", "copy 0")


def tabular_fault(value: float) -> str:
    """Learn by a table from a bad reward."""
    env = Bad(lambda o, r, *rest: (o, value, *rest), seen=gym.spaces.Discrete(3), shown=1, at=AT)
    return fault(lambda: agents.QLearning(env, seed=0).learn(300), EnvironmentFault, f"step {AT} ", "copy 0")


def network_fault(name: str, place: str) -> str:
    """Learn on after a loss, a gradient or a weight has become NaN."""
    env = Bad(acted=gym.spaces.Box(-1, 1, (1,)) if name in CONTINUOUS else None)
    agent = make(name, env).learn(100)
    optimizer = next(part for part in agent.parts().values() if hasattr(part, "descend"))
    step, descend = optimizer.step, optimizer.descend
    if place == "weights":
        optimizer.parameters[0] = np.nan
    elif place == "loss" and name == "DQN":  # whose descent is a tape of its own
        targets = agent._targets
        agent._targets = lambda batch: targets(batch) * np.nan
    elif place == "loss":
        optimizer.step = lambda loss, *rest: step(loss * np.nan, *rest)
    else:
        optimizer.descend = lambda *rest: (optimizer.gradient.fill_(np.nan), descend(*rest))
    return fault(lambda: agent.learn(200), FloatingPointError, "step ", "")


def fault(learn: Callable[[], Any], kind: type[Exception], *told: str) -> str:
    """Return what was not as promised: one sentence of one line, of the right kind, that tells where."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            learn()
    except kind as error:
        lacking = [words for words in told if words not in f"{error} "]
        return f"does not say {lacking}: {error}" if lacking or "\n" in str(error) else ""
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "passed in silence"


def trains(env: Bad) -> str:
    """Return what keeps two agents from learning in a valid environment."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            make("PPO", env).learn(40)
            make("DQN", env).learn(40)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def bad(name: str) -> str:
    """Return what was not as promised of an invalid environment, for two agents."""
    return fault(lambda: make("PPO", INVALID[name]()).learn(40), ValueError) or fault(
        lambda: make("DQN", INVALID[name]()).learn(40), ValueError
    )


def subprocess(what: str, moment: str) -> str:
    """Learn with a process that fails; return what was not as promised."""
    gym.register("Failing-v0", Failing)
    env = InSubprocesses(gym.make("Failing-v0", disable_env_checker=True, fault=what, moment=moment), TIMEOUT)
    agent = make("A2C", env)
    agent.venv.unwrapped.get_attr("metadata")  # the processes have started
    wrong, began, kind = "", time.perf_counter(), ZeroDivisionError if what == "raises" else EnvironmentFault
    if moment == MOMENTS[2]:
        agent.learn(40)
        agent.venv.close()
    else:
        way = "mend the environment" if "another" in what else "mend what ends it"
        way = "mend it, or give it more time" if what == "sleeps for ever" else way
        wrong = fault(lambda: agent.learn(200), kind, "" if what == "raises" else f"copy 0: {way}")
    took = time.perf_counter() - began
    left = multiprocessing.active_children()
    return wrong or (f"took {took:.1f} s" if took > TIMEOUT + 2 else "") or (f"{len(left)} processes are left" if left else "")


def row(what: str, cases: list[tuple[str, Callable[[], str]]], promise: str) -> Outcome:
    """Try cases, and count those in which something passed in silence."""
    found = [(name, case()) for name, case in cases]
    failures = tuple(f"{name}: {wrong}" for name, wrong in found if wrong)
    silent = sum(wrong == "passed in silence" for _, wrong in found)
    return Outcome(what, len(found), len(found) - len(failures), silent, promise, failures)


def campaign(count: Callable[[str], int], seed: int) -> Iterator[Outcome]:
    """Yield the rows."""
    order = np.random.default_rng(seed)
    every = list(numbers())
    some = [every[i] for i in order.permutation(len(every))[: count("NaN or infinity")]]
    yield row("NaN or infinity", some, "learning stops in one sentence that names step, copy and quantity")
    pairs = [(what, moment) for moment in MOMENTS for what in FAULTS][: count("subprocesses")]
    processes = [(f"{what} {moment}", lambda w=what, m=moment: subprocess(w, m)) for what, moment in pairs]  # type: ignore[misc]
    yield row("subprocesses", processes, "one sentence that names the copy within the timeout and 2 s, no process left")
    names = list(INVALID)[: count("bad environments")]
    yield row("bad environments", [(name, lambda n=name: bad(n)) for name in names], "refused in one sentence")  # type: ignore[misc]
    names = list(ODD)[: count("odd environments")]
    yield row("odd environments", [(name, lambda n=name: trains(ODD[n]())) for name in names], "learned in")  # type: ignore[misc]
