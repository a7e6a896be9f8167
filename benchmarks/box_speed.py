"""Boxes compiled, interpreted from the same source, and through Gymnasium's own environment; nanoseconds per step, side by side.

    python benchmarks/box_speed.py            # a table
    python benchmarks/box_speed.py --json

All three take the very same steps: same seed, same table at the end, bit for bit, which is checked on every run. Times are of the
processor, one thread, so that waiting for a busy machine does not count. The last part is CartPole in 1,024 copies on one core.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from importlib import metadata
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import gymnasium as gym
import numpy as np

from rlcourse.agents.temporal_difference.expected_sarsa import expected_sarsa
from rlcourse.agents.temporal_difference.q_learning import q_learning
from rlcourse.agents.temporal_difference.sarsa import sarsa
from rlcourse.core.gymworld import GymWorld, as_world
from rlcourse.core.trial import Trial
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.envs import CartPole, cliff_walk

LIMIT = 200  # steps an episode
STEPS, ROUNDS, COMPILED_RUNS = 200_000, 5, 9  # a round: the median of nine compiled runs, one interpreted, one through Gymnasium
BOXES = (sarsa, q_learning, expected_sarsa)


def run(function, world) -> tuple[float, np.ndarray]:
    """Return nanoseconds per step and the learned table; the sheet is flushed as agents flush it."""
    table = np.zeros((world.observation_space.n, world.action_space.n))
    trial = Trial.of(world, steps=STEPS, limit=LIMIT)
    rng = np.random.default_rng(0)
    before = time.process_time()
    while not trial.spent():
        function(trial, table, 0.5, 0.99, 0.1, rng)
        trial.take_rows()
    return (time.process_time() - before) / STEPS * 1e9, table


def measure(box, world, env_id: str) -> dict[str, float]:
    """Measure one box in one world in turns, and check that all runs learn the same table."""
    environment = GymWorld(gym.make(env_id).unwrapped)
    expected = run(box.compiled, world)[1]  # compiles, too
    sides = {
        "compiled": (box.compiled, world, COMPILED_RUNS),
        "interpreted": (box.python, world, 1),
        "gymnasium": (box.python, environment, 1),
    }
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, (function, where, runs) in sides.items():
            done = [run(function, where) for _ in range(runs)]
            assert all(np.array_equal(table, expected) for _, table in done), f"{box.__name__} in {env_id}: {name} learned another table"
            times[name].append(statistics.median(ns for ns, _ in done))
    result = {name: statistics.median(values) for name, values in times.items()}
    for name in ("interpreted", "gymnasium"):
        ratios = [slow / fast for slow, fast in zip(times[name], times["compiled"], strict=True)]
        result[f"{name}_ratio"] = statistics.median(ratios)
    return result


def vector_speed(copies: int = 1024, steps: int = 2000) -> float:
    """Return steps per second of a vectorised CartPole, one core: the median of some rounds."""
    envs = WorldVectorEnv(CartPole(), copies, 500, copy=False)
    envs.reset(seed=0)
    actions = np.random.default_rng(0).integers(0, 2, (64, copies))
    envs.step(actions[0])  # compiles
    rates = []
    for _ in range(ROUNDS):
        before = time.process_time()
        for i in range(steps):
            envs.step(actions[i % 64])
        rates.append(copies * steps / (time.process_time() - before))
    return statistics.median(rates)


def machine() -> str:
    """Return processor and versions."""
    path = Path("/proc/cpuinfo")
    names = [line.split(":")[1].strip() for line in path.read_text().splitlines() if line.startswith("model name")] if path.exists() else []
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("numba", "numpy", "gymnasium", "rlcourse"))
    return f"{names[0] if names else platform.processor() or platform.machine()}, python {platform.python_version()}, {versions}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    worlds = {"CliffWalk": (cliff_walk(), "CliffWalking-v1"), "FrozenLake": (as_world("FrozenLake-v1")[0], "FrozenLake-v1")}
    rows = [{"world": name, "box": box.__name__, **measure(box, *pair)} for name, pair in worlds.items() for box in BOXES]
    speed = vector_speed()
    if as_json:
        print(json.dumps({"boxes": rows, "cartpole_steps_per_second": speed, "machine": machine()}, indent=1))
        return
    print(f"{'ns per step':26}{'compiled':>10}{'interpreted':>14}{'ratio':>7}{'Gymnasium env':>16}{'ratio':>7}")
    for row in rows:
        print(
            f"{row['world']:11}{row['box']:15}{row['compiled']:10.1f}{row['interpreted']:14,.0f}{row['interpreted_ratio']:7.0f}"
            f"{row['gymnasium']:16,.0f}{row['gymnasium_ratio']:7.0f}"
        )
    print(f"The same {STEPS:,} steps on each side, the same table bit for bit.")
    print(f"CartPole, 1,024 copies in one compiled call: {speed / 1e6:.1f} million steps/s on one core")
    print(machine())


if __name__ == "__main__":
    main()
