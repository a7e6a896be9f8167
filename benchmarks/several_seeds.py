"""What ten seeds cost beside one: wall time of `rlcourse train cartpole --seeds 10` over that of `rlcourse train cartpole`.

    python benchmarks/several_seeds.py              # PPO; needs an idle machine
    python benchmarks/several_seeds.py sb3:ppo -n 20k

One seed is the median over seeds 0, 1 and 2, because seeds end at different steps. Words after the agent go to both commands.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time


def wall(words: list[str]) -> float:
    """Return the seconds that a command takes."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "rlcourse", "train", "cartpole", *words, "-q"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    os.environ["OMP_NUM_THREADS"] = "1"
    algo, *more = sys.argv[1:] or ["ppo"]
    words = ["--algo", algo, *more]
    with tempfile.TemporaryDirectory() as out:
        wall([*words, "--out", out, "-n", "1000"])  # boxes are compiled once and for all
        ones = [wall([*words, "--seed", str(seed), "--out", out]) for seed in range(3)]
        ten = wall([*words, "--seeds", "10", "--out", out])
    one = statistics.median(ones)
    shown = ", ".join(f"{seconds:.1f}" for seconds in ones)
    print(f"{algo}: one seed {one:.1f} s ({shown}), ten seeds {ten:.1f} s on {os.cpu_count()} cores: {ten / one:.2f} times")


if __name__ == "__main__":
    main()
