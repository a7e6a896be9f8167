"""Every box of the package, found and not listed: compiled and interpreted it does the same, bit for bit."""

import copy
import importlib
import inspect
import os
import pkgutil
import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest

import rlcourse
from rlcourse.agents import ExpectedSarsa, QLearning, Sarsa
from rlcourse.core.box import Box
from rlcourse.core.gymworld import GymWorld, as_world
from rlcourse.core.trial import Trial
from rlcourse.envs import CartPole, cliff_walk, windy_gridworld

T, N, S, A = 12, 3, 48, 4


def boxes() -> dict[str, Box]:
    found = {}
    for layer in ("core", "agents"):
        package = importlib.import_module(f"rlcourse.{layer}")
        for info in pkgutil.walk_packages(package.__path__, f"rlcourse.{layer}."):
            module = importlib.import_module(info.name)
            found |= {
                f"{info.name}.{name}": value
                for name, value in vars(module).items()
                if isinstance(value, Box) and value.__module__ == info.name
            }
    return found


def trial(steps: int = 3000) -> Trial:
    return Trial.of(cliff_walk(), steps=steps, limit=200)


def argument(name: str, function: str, rng: np.random.Generator):
    """Make an argument of a box by its name; a new name needs a line here."""
    vector = function.startswith("vector_")
    data = {
        "world": lambda: CartPole() if vector else trial(),
        "model": cliff_walk,
        "Q": lambda: np.zeros((S, A)),
        "V": lambda: np.zeros(S),
        "alpha": lambda: 0.3,
        "gamma": lambda: 0.97,
        "epsilon": lambda: 0.2,
        "theta": lambda: 1e-6,
        "lam": lambda: 0.8,
        "n": lambda: 2 if vector else 3,
        "rng": lambda: np.random.default_rng(7),
        "rewards": lambda: np.zeros(N) if vector else rng.normal(size=(T, N)),
        "values": lambda: rng.normal(size=(T, N)),
        "next_values": lambda: rng.normal(size=(T, N)),
        "terminated": lambda: np.zeros(N, bool) if vector else rng.random((T, N)) < 0.2,
        "ended": lambda: rng.random((T, N)) < 0.4,
        "states": lambda: rng.uniform(-0.05, 0.05, (N, 4)),
        "like": lambda: (0.0, 0.0, 0.0, 0.0),
        "observations": lambda: np.zeros((N, 4), np.float32),
        "final": lambda: np.zeros((N, 4), np.float32),
        "truncated": lambda: np.zeros(N, bool),
        "lengths": lambda: np.zeros(N, np.int64),
        "scores": lambda: np.zeros(N),
        "mask": lambda: np.array([True, False, True]),
        "actions": lambda: np.array([0, 1, 1]),
        "limit": lambda: 1,
        "mode": lambda: 0,
    }
    if name not in data:
        pytest.fail(f"box {function} has a parameter {name!r} that tests/test_two_speeds.py cannot make: add a line to argument()")
    return data[name]()


def same(a, b) -> bool:
    if isinstance(a, tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, np.random.Generator):
        return a.bit_generator.state == b.bit_generator.state
    return np.array_equal(np.asarray(a), np.asarray(b), equal_nan=True)


@pytest.mark.parametrize("name", sorted(boxes()))
def test_a_box_does_the_same_compiled_and_interpreted(name):
    box = boxes()[name]
    made = [argument(p, box.__name__, np.random.default_rng(3)) for p in inspect.signature(box.python).parameters]
    slow, fast = copy.deepcopy(made), copy.deepcopy(made)
    answer_slow, answer_fast = box.python(*slow), box.compiled(*fast)
    assert same(tuple(slow), tuple(fast)), "the arguments differ afterwards"
    assert answer_slow is answer_fast is None or same(answer_slow, answer_fast)


@pytest.mark.parametrize("world", [cliff_walk(), windy_gridworld(kings_moves=True, stochastic=True)])
@pytest.mark.parametrize("kind", [Sarsa, QLearning, ExpectedSarsa])
def test_an_agent_learns_the_same_table_at_both_speeds(kind, world):
    fast, slow = kind(world, seed=5), kind(world, seed=5)
    module = importlib.import_module(kind.__module__)
    box = next(value for value in vars(module).values() if isinstance(value, Box))
    fast.learn(4000)
    try:
        box.compiled, original = box.python, box.compiled
        slow.learn(4000)
    finally:
        del box.compiled
    assert original is not None
    assert np.array_equal(fast.Q, slow.Q)
    assert np.array_equal(fast.history.rows, slow.history.rows)


@pytest.mark.parametrize("id", ["FrozenLake-v1", "Taxi-v4", "CliffWalking-v1"])
def test_a_table_of_gymnasium_compiled_equals_its_environment_interpreted(id):
    class Opaque(gym.Wrapper):  # any wrapper that we do not know means the interpreter
        pass

    fast, slow = QLearning(id, seed=1, epsilon=0.3), QLearning(Opaque(gym.make(id)), seed=1, epsilon=0.3)
    assert not isinstance(fast.world, GymWorld)
    assert isinstance(slow.world, GymWorld)
    fast.learn(episodes=60)
    slow.learn(episodes=60)
    assert np.array_equal(fast.Q, slow.Q)
    assert np.array_equal(fast.history.rows, slow.history.rows)
    assert fast.rng.bit_generator.state == slow.rng.bit_generator.state


def test_time_limits_are_carried_over():
    assert as_world("FrozenLake-v1")[1] == 100
    assert as_world("Taxi-v4")[1] == 200
    assert as_world("rlcourse/CliffWalk-v0")[1] == 1000


@pytest.mark.skipif("NUMBA_BOUNDSCHECK" in os.environ, reason="this is the run within the run")
def test_every_box_also_passes_with_bounds_checks():
    environment = os.environ | {"NUMBA_BOUNDSCHECK": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", __file__, "-k", "a_box_does"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


def test_the_package_has_boxes():
    assert len(boxes()) >= 9, "discovery is broken"
    assert rlcourse.__version__
