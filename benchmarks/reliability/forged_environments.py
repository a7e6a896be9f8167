"""Checkpoints with a right digest and another state of their environment: what they load is stepped in a process of its own."""

from __future__ import annotations

import collections
import json
import os
import random
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import gymnasium as gym
import numpy as np
from gymnasium import wrappers
from outcome import Outcome
from watching import watched

from rlcourse import agents
from rlcourse.core import files
from rlcourse.core.contract import misfit
from rlcourse.core.generators import GENERATORS

__all__ = ["outcome"]

SECONDS, BYTES, STEPS = 10, 300e6, 50
IDS = ("CartPole-v1", "Acrobot-v1", "MountainCar-v0", "Pendulum-v1", "FrozenLake-v1", "Taxi-v4", "Blackjack-v1")
DEEP = {"n_envs": 1, "n_steps": 16, "batch_size": 16, "n_epochs": 1, "hidden": (4,), "device": "cpu"}
PLAIN = (
    *(type(None), bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, np.ndarray, np.generic),
    *(collections.deque, collections.OrderedDict, collections.Counter, *GENERATORS),
)
SCALARS = (None, True, False, -1, 0, 1, 3, 10**6, -(10**6), 2**70, 0.5, -0.0, 1e30, -1e308, "", "x", "os.system", "human", "rgb_array", [])
WHOLE, BROKEN = (-1, 0, 1, 5, 100, 10**6, -(10**6), 2**63, 2**70), (0.5, 0.1, -2.5, 1e30, -1e308, 1e-308)
HONEST = ("<f8", "<f4", "<i8", "<i4", "|u1", "|i1", "|b1")  # dtypes of numbers that environments hold
CLASSES = ("RunningMeanStd", "TimeLimit", "CartPoleEnv", "Popen", "Path", "EnvSpec", "Thread", "AutoresetMode", "list", "Discrete", "")
NAMES = ("state", "s", "step", "render_mode", "__class__", "__dict__", "_elapsed_steps", "env", "np_random", "_np_random", "unwrapped", "P")
Made = tuple[str, Callable[[], gym.Env[Any, Any]], Path]  # a name, what makes the environment, and the file of an agent in it


def outcome(folder: Path, number: int, seed: int) -> Outcome:
    """Forge the environment's state in checkpoints, load them and go on."""
    folder.mkdir()
    made = _made(folder)
    known = {name: _kinds_in(agents.load(file, make()).env) for name, make, file in made}
    failures, counted, lost = [], collections.Counter[str](), 0
    for i in range(number):
        draw = random.Random(f"{seed}-{i}")
        name, make, file = draw.choice(made)
        what = _forge(draw, file, folder / "forged.safetensors")
        verdict = _apart(lambda name=name, make=make: _verdict(folder / "forged.safetensors", make, known[name]))
        counted[verdict] += 1
        if verdict not in ("refused", "new episodes", "went on", "was stopped"):
            failures.append(f"case {seed}-{i}: {name}: {what}: {verdict}")
            lost += verdict.startswith(("ran", "made", "imported", "ended by"))
    promise = (
        f"one sentence, or {STEPS} more steps with observations of their space; nothing run, written, imported, or made of another class"
    )
    told = ", ".join(f"{how} {counted[how]}" for how in ("refused", "new episodes", "was stopped", "went on"))
    return Outcome("forged states of environments", number, number - len(failures), lost, f"{promise} ({told})", tuple(failures))


def _made(folder: Path) -> list[Made]:
    """Save agents in the middle of an episode, of each environment alone and of one with wrappers."""

    def counted(name: str) -> gym.Env[Any, Any]:
        return wrappers.RecordEpisodeStatistics(gym.make(name))  # so that it is none of our worlds

    def stacked() -> gym.Env[Any, Any]:
        return wrappers.NormalizeObservation(wrappers.TimeLimit(wrappers.RecordEpisodeStatistics(gym.make("CartPole-v1")), 300))

    made: list[Made] = []
    for name in (*IDS, "stack"):
        make = stacked if name == "stack" else lambda name=name: counted(name)
        book = {"FrozenLake-v1": "QLearning", "Taxi-v4": "QLearning", "Blackjack-v1": "QLearning"}.get(name, "SemiGradientSarsa")
        for kind, settings in (("PPO", DEEP), *([] if name == "Pendulum-v1" else [(book, {})])):
            agent = getattr(agents, kind)(make(), seed=0, **settings).learn(60)
            made.append((f"{kind} in {name}", make, agent.save(folder / f"{kind}-{name}.safetensors")))
    return made


# What is forged -------------------------------------------------------------------------------------------------------


def _forge(draw: random.Random, file: Path, target: Path) -> str:
    """Write a checkpoint with another state of its environment; return what is another."""
    arrays, metadata = files.read(file)
    metadata.pop("format")
    layout, data = json.loads(arrays["env.layout"].tobytes()), bytearray(arrays["env.data"].tobytes())
    if draw.random() < 0.7:  # whatever is there is said to have moved since the environment was made
        layout["moved"] = list(layout["made"])
    what = []
    for _ in range(draw.choice((1, 1, 2, 5))):
        if data and draw.random() < 0.15:
            at = 8 * draw.randrange(max(1, len(data) // 8))
            value = np.array(draw.choice((np.nan, np.inf, -1e300, 1e30, 100.0, draw.random())))
            data[at : at + 8] = draw.choice((value.tobytes(), draw.randbytes(8), value.astype(np.float32).tobytes() * 2))[: len(data) - at]
            what.append(f"data[{at}]")
            continue
        numbers = list(_numbers(layout["env"]))
        if numbers and draw.random() < 0.4:  # a number of the same kind, which nothing refuses
            inmost = max(path.count("vars") for path, _ in numbers)  # of the environment itself
            inner = [each for each in numbers if each[0].count("vars") == inmost and "generators" not in each[0]]
            path, number = draw.choice(inner if inner and draw.random() < 0.7 else numbers)
            value = _kin(draw, number)
        else:
            path, value = _place(draw, layout["env"]), _other(draw, layout["env"], len(data))
        what.append(f"{path} = {str(value)[:100]}")
        _put(draw, layout["env"], path, value)
    if draw.random() < 0.05:
        del data[draw.randrange(len(data) + 1) :]
    arrays["env.layout"] = np.frombuffer(json.dumps(layout).encode(), np.uint8)
    arrays["env.data"] = np.frombuffer(bytes(data), np.uint8)
    files.write(target, arrays, metadata)
    return "; ".join(what)


def _numbers(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[list[Any], Any]]:
    """Yield the places of all numbers, but of those that say how an array lies in its bytes."""
    for key, inner in node.items() if isinstance(node, dict) else enumerate(node):
        if type(inner) in (int, float) or (isinstance(inner, dict) and inner.get("is") == "number" and inner["dtype"] in HONEST):
            yield [*path, key], inner
        elif isinstance(inner, dict | list) and key not in ("block", "strides", "shape"):
            yield from _numbers(inner, (*path, key))


def _kin(draw: random.Random, number: Any) -> Any:
    """Draw another number of the same kind."""
    if isinstance(number, int):
        return draw.choice(WHOLE)
    if isinstance(number, float):
        return float(draw.choice((*WHOLE, *BROKEN)))
    dtype = np.dtype(number["dtype"])
    value = draw.choice(WHOLE[:7] if dtype.kind in "iu" else (*WHOLE, *BROKEN))
    return {**number, "bytes": np.array(value).astype(dtype).tobytes().hex()}


def _place(draw: random.Random, node: Any) -> list[Any]:
    """Draw a place within a node: leaves and inner ones."""
    path: list[Any] = []
    while isinstance(node, dict | list) and node and (not path or draw.random() < 0.97):
        names = list(node) if isinstance(node, dict) else list(range(len(node)))
        deep = [name for name in names if isinstance(node[name], dict | list)]
        path.append(draw.choice(deep if deep and draw.random() < 0.8 else names))
        node = node[path[-1]]
    return path


def _put(draw: random.Random, node: Any, path: list[Any], value: Any) -> None:
    for key in path[:-1]:
        node = node[key]
    if not path:
        return
    if draw.random() < 0.05:
        del node[path[-1]]
    elif isinstance(node, list) and draw.random() < 0.1:
        node.insert(path[-1], [draw.choice(NAMES), value])
    else:
        node[path[-1]] = value


def _other(draw: random.Random, layout: Any, size: int) -> Any:
    """Draw a value of JSON, a node as the encoder writes it, one as it never would, or one from elsewhere in the state."""
    how = draw.random()
    if how < 0.4:
        return draw.choice(SCALARS)
    if how < 0.55:
        inner = layout
        for key in _place(draw, layout):
            inner = inner[key]
        return json.loads(json.dumps(inner))
    dtype = draw.choice(("<f8", "<f4", "<i8", "|b1", "|u1", "<U3", "|S4", "<M8[s]", "|O", "|V8", ">f8", "x"))
    items = [draw.choice(SCALARS) for _ in range(draw.randrange(5))]
    count = draw.choice((0, 1, 2, 4, 7, 2**40))
    name = draw.choice(CLASSES)
    return draw.choice(
        (
            {"is": "number", "dtype": dtype, "bytes": draw.randbytes(draw.choice((1, 4, 8))).hex()},
            {"is": "float", "parts": [draw.choice(("nan", "inf", "-inf", "0x1p-1074", "x")), "0x0p+0"]},
            {"is": draw.choice(("bytes", "bytearray")), "bytes": draw.randbytes(3).hex()},
            {
                **{"is": "array", "dtype": dtype, "shape": draw.choice(([count], [], [count, 2], [-1])), "writeable": True},
                **{"block": [draw.choice((0, 8, -8)), draw.choice((size, 8, 0, 2**40))], "offset": draw.choice((0, 8, -8, 2**40))},
                "strides": draw.choice(([8], [0], [-8], [], [8, 4])),
            },
            {"is": draw.choice(("list", "tuple", "set", "frozenset")), "class": "list", "items": items},
            {"is": "deque", "class": "deque", "items": items, "maxlen": draw.choice((None, 0, 100, -1, 2**62))},
            {"is": draw.choice(("dict", "OrderedDict", "Counter", "defaultdict")), "items": [[item, 1] for item in items]},
            {"is": draw.choice(("objects", "named", "enum", "space", "layer", "own")), "class": name, "items": items, "name": "SAME_STEP"},
            {"is": "object", "class": name, "vars": [[draw.choice(NAMES), draw.choice(SCALARS)]]},
            {"is": "method", "name": draw.choice(("close", "pop", "__init__", "system")), "of": {"is": "list", "items": items}},
            {"is": "generator", "class": draw.choice(("PCG64", "MT19937", "Random", "x")), "state": {"is": "dict", "items": []}},
            {"is": "same", "id": draw.choice((0, 1, 2, 99, "x"))},
            {"is": "given", "name": draw.choice(("rng", "x"))},
            {"is": "fixed", "class": draw.choice(("function", "Surface", "type", "module"))},
        )
    )


# What comes of it -----------------------------------------------------------------------------------------------------


def _apart(function: Callable[[], str]) -> str:
    """Return what a function says in a forked process, or how that process ended."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    process = os.fork()
    if process == 0:
        try:
            signal.setitimer(signal.ITIMER_PROF, SECONDS)  # of the processor; it ends the process
            os.write(writing, function().encode(errors="replace")[:2_000])
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as said:
        text = said.read().decode(errors="replace")
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    return f"hung for {SECONDS} s" if -status == signal.SIGPROF else text or f"ended by {status}"


def _verdict(file: Path, make: Callable[[], gym.Env[Any, Any]], known: set[type]) -> str:
    """Load a checkpoint and go on; return how that went."""
    env, modules, before = make(), set(sys.modules), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outside: list[str] = []
    with watched() as noted:
        try:
            agent = agents.load(file, env)
        except (ValueError, OSError) as error:
            how = "refused" if "\n" not in str(error) and file.stem in str(error) and len(str(error)) < 2_000 else f"says {error!s:.200}"
        except BaseException as error:
            how = f"{type(error).__name__} on loading: {error!s:.200}"
        else:
            how = _gone_on(agent, env, outside)
            if other := sorted(kind.__name__ for kind in _kinds_in(agent.env) - known):
                how = f"made a {', '.join(other)}"
    if noted:
        return f"ran {noted[0]}"
    if brought := sorted(set(sys.modules) - modules):
        return f"imported {', '.join(brought[:3])}"
    if (peak := (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024) > BYTES:
        return f"took {peak / 1e6:.0f} MB"
    return f"in silence: {outside[0]}" if outside and how in ("went on", "new episodes") else how


def _gone_on(agent: Any, env: gym.Env[Any, Any], outside: list[str]) -> str:
    """Take the next steps; note observations that are none."""
    kind: Any = type(env.unwrapped)
    step = kind.step

    def looked_at(self: Any, action: Any) -> Any:
        answer = step(self, action)
        wrong = misfit(self.observation_space, answer[0])
        numbers = np.asarray(answer[0]) if isinstance(self.observation_space, gym.spaces.Box) else np.zeros(1)
        if wrong or not np.isfinite(numbers).all():
            outside.append(wrong or f"observation {answer[0]}")
        return answer

    missed = agent.env_state.missed
    with mock.patch.object(kind, "step", looked_at):
        try:
            agent.learn(STEPS)
        except (ValueError, FloatingPointError) as error:
            text = str(error)
            ours = "the environment" in text or "diverged" in text or "not finite" in text or "finite number" in text
            return "was stopped" if ours and "\n" not in text and len(text) < 1_000 else f"{type(error).__name__} on going on: {text[:200]}"
        except BaseException as error:
            return f"{type(error).__name__} on going on: {error!s:.200}"
    return "new episodes" if missed else "went on"


def _kinds_in(value: Any) -> set[type]:
    """Return the classes of whatever an environment holds that is no plain value."""
    found: set[type] = set()
    seen: set[int] = set()
    for each in _within(value, seen):
        if not isinstance(each, PLAIN) or (isinstance(each, tuple) and type(each) is not tuple):
            found.add(type(each))
    return found


def _within(value: Any, seen: set[int]) -> Iterator[Any]:
    level = [value]
    while level:
        each = level.pop()
        if id(each) in seen or callable(each):
            continue
        seen.add(id(each))
        yield each
        if isinstance(each, dict):
            level += [*each.keys(), *each.values()]
        elif isinstance(each, list | tuple | set | frozenset | collections.deque):
            level += each
        elif isinstance(each, gym.Env | gym.vector.VectorEnv) or type(each).__module__.startswith(("gymnasium", "rlcourse")):
            level += [item for name, item in getattr(each, "__dict__", {}).items() if name not in ("P", "spec")]
