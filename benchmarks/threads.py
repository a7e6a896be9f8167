"""What `--threads 2` does for one run on two cores: steps/s by the wall, and processor time, beside one thread.

    python benchmarks/threads.py            # PPO and DQN, small, large and convolutional networks
    python benchmarks/threads.py 1024       # the cases whose name holds this

Both take turns in one process, each learning on for as many steps; the medians of the rounds are printed. ``OMP_NUM_THREADS`` is taken
away first. Threads that wait for each other spin: where the other core has work of its own, processor time and wall say what that costs.
"""

from __future__ import annotations

import argparse
import os
import time
from statistics import median
from typing import Any

os.environ.pop("OMP_NUM_THREADS", None)

import torch

from rlcourse.agents import DQN, PPO

CASES: dict[str, tuple[Any, str, dict[str, Any], int]] = {  # name: agent, environment, settings, steps of a round
    "PPO 64 x 64": (PPO, "CartPole-v1", {"hidden": (64, 64)}, 4096),
    "DQN 64 x 64": (DQN, "CartPole-v1", {"hidden": (64, 64)}, 2048),
    "PPO 1024 x 1024": (PPO, "CartPole-v1", {"hidden": (1024, 1024)}, 2048),
    "DQN 1024 x 1024": (DQN, "CartPole-v1", {"hidden": (1024, 1024)}, 1024),
    "PPO CNN": (PPO, "rlcourse/PixelCatch-v0", {}, 1024),
    "DQN CNN": (DQN, "rlcourse/PixelCatch-v0", {"buffer_size": 2000}, 1024),
}


def rounds(name: str, number: int) -> dict[int, list[tuple[float, float]]]:
    """Return seconds by the wall and of the processor of each round, by threads."""
    kind, env, settings, steps = CASES[name]
    if kind is DQN:
        settings = settings | {"learning_starts": 100, "train_freq": 4, "batch_size": 64}
    learners = {threads: kind(env, seed=0, device="cpu", **settings) for threads in (1, 2)}
    found: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
    for i in range(number + 1):
        for threads, agent in learners.items():
            torch.set_num_threads(threads)
            wall, processor = time.perf_counter(), time.process_time()
            agent.learn(steps)
            if i:  # the first one compiles, and fills what is not full yet
                found[threads].append((time.perf_counter() - wall, time.process_time() - processor))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", default="", help="of a case's name")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    print(f"torch {torch.__version__}, {os.cpu_count()} cores; medians of {given.rounds} rounds, one and two threads in turns")
    print(f"{'':18}{'steps/s, 1':>12}{'2 threads':>12}{'gain':>8}{'processor s, 1':>17}{'2 threads':>12}{'price':>8}")
    for name in CASES:
        if given.part not in name:
            continue
        found = rounds(name, given.rounds)
        (wall, processor), (wall2, processor2) = ([median(part) for part in zip(*found[t], strict=True)] for t in (1, 2))
        steps = CASES[name][3]
        print(
            f"{name:18}{steps / wall:12,.0f}{steps / wall2:12,.0f}{wall / wall2:7.2f}x"
            f"{processor:17.2f}{processor2:12.2f}{processor2 / processor:7.2f}x",
            flush=True,
        )


if __name__ == "__main__":
    main()
