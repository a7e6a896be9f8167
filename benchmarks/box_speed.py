"""Boxes compiled, interpreted from the same source, and through Gymnasium's own environment; nanoseconds per step, side by side.

    python benchmarks/box_speed.py            # a table
    python benchmarks/box_speed.py --json

Compiled and interpreted runs are checked to be bit-identical on the way. The last line is a vectorised world: CartPole in 1,024 copies.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time

os.environ["OMP_NUM_THREADS"] = "1"

import gymnasium as gym
import numpy as np

from rlcourse.agents.expected_sarsa import expected_sarsa
from rlcourse.agents.q_learning import q_learning
from rlcourse.agents.sarsa import sarsa
from rlcourse.core.gymworld import GymWorld, as_world
from rlcourse.core.trial import Trial
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.envs import CartPole, cliff_walk

LIMIT = 200
COMPILED_STEPS, PYTHON_STEPS, REPEATS = 2_000_000, 30_000, 5


def run(function, world, steps: int) -> tuple[float, np.ndarray]:
    """Return nanoseconds per step and the learned table."""
    table = np.zeros((world.observation_space.n, world.action_space.n))
    trial = Trial.of(world, steps=steps, limit=LIMIT, capacity=steps)
    rng = np.random.default_rng(0)
    before = time.perf_counter()
    function(trial, table, 0.5, 0.99, 0.1, rng)
    return (time.perf_counter() - before) / steps * 1e9, table


def measure(box, world, env_id: str) -> dict[str, float]:
    """Measure one box in one world in turns, and check that both speeds agree."""
    environment = GymWorld(gym.make(env_id).unwrapped)
    fast = run(box.compiled, world, PYTHON_STEPS)[1]  # compiles
    slow = run(box.python, world, PYTHON_STEPS)[1]
    assert np.array_equal(fast, slow), "compiled and interpreted differ"
    times = {"compiled": [], "interpreted": [], "gymnasium": []}
    for _ in range(REPEATS):
        times["compiled"].append(run(box.compiled, world, COMPILED_STEPS)[0])
        times["interpreted"].append(run(box.python, world, PYTHON_STEPS)[0])
        times["gymnasium"].append(run(box.python, environment, PYTHON_STEPS)[0])
    result = {name: statistics.median(values) for name, values in times.items()}
    ratios = [slow / fast for slow, fast in zip(times["interpreted"], times["compiled"], strict=True)]
    return result | {"ratio": statistics.median(ratios)}


def vector_speed(copies: int = 1024, steps: int = 2000) -> float:
    """Return steps per second of a vectorised CartPole, one core."""
    envs = WorldVectorEnv(CartPole(), copies, 500, copy=False)
    envs.reset(seed=0)
    actions = np.random.default_rng(0).integers(0, 2, (64, copies))
    envs.step(actions[0])
    before = time.perf_counter()
    for i in range(steps):
        envs.step(actions[i % 64])
    return copies * steps / (time.perf_counter() - before)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    worlds = {"CliffWalk": (cliff_walk(), "CliffWalking-v1"), "FrozenLake": (as_world("FrozenLake-v1")[0], "FrozenLake-v1")}
    rows = []
    for name, (world, env_id) in worlds.items():
        for box in (sarsa, q_learning, expected_sarsa):
            rows.append({"world": name, "box": box.__name__, **measure(box, world, env_id)})
    speed = vector_speed()
    if as_json:
        print(json.dumps({"boxes": rows, "cartpole_steps_per_second": speed}, indent=1))
        return
    print(f"{'ns per step':24}{'compiled':>10}{'interpreted':>13}{'Gymnasium env':>15}{'interpreted/compiled':>22}")
    for row in rows:
        label = f"{row['world']} {row['box']}"
        print(f"{label:24}{row['compiled']:10.1f}{row['interpreted']:13.0f}{row['gymnasium']:15.0f}{row['ratio']:22.0f}")
    print(f"CartPole, 1,024 copies in one compiled call: {speed / 1e6:.1f} million steps/s on one core")


if __name__ == "__main__":
    main()
