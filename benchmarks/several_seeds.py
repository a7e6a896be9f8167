"""What ten seeds cost beside one: wall time of `rlcourse train cartpole --seeds 10` over that of `rlcourse train cartpole`.

    python benchmarks/several_seeds.py              # PPO; needs an idle machine
    python benchmarks/several_seeds.py sb3:ppo -n 20k

One seed is the median over seeds 0, 1 and 2, because seeds end at different steps. Words after the agent go to both commands. The
processor's seconds are printed too: shared between the cores, they are what an idle machine would take, however busy this one is.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time


def measure(words: list[str]) -> tuple[float, float]:
    """Return the seconds that a command takes, and those that it spends on processors."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "rlcourse", "train", "cartpole", *words, "-q"], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - began, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure and print."""
    os.environ["OMP_NUM_THREADS"] = "1"
    algo, *more = sys.argv[1:] or ["ppo"]
    words = ["--algo", algo, *more]
    with tempfile.TemporaryDirectory() as out:
        measure([*words, "--out", out, "-n", "1000"])  # boxes are compiled once and for all
        ones = [measure([*words, "--seed", str(seed), "--out", out]) for seed in range(3)]
        ten = measure([*words, "--seeds", "10", "--out", out])
    one = [statistics.median(column) for column in zip(*ones, strict=True)]
    cores = os.cpu_count() or 1
    print(f"{algo}, wall: one seed {one[0]:.1f} s, ten seeds {ten[0]:.1f} s on {cores} cores: {ten[0] / one[0]:.2f} times")
    print(
        f"{algo}, processor: one seed {one[1]:.1f} s, ten seeds {ten[1]:.1f} s: {ten[1] / one[1] / cores:.2f} times on {cores} idle cores"
    )
    print(f"machine: load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
