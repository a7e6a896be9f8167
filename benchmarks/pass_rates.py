"""How often a preset reaches its target: `rlcourse train PRESET --seeds K`, judged on 100 fresh greedy episodes a seed.

    python benchmarks/pass_rates.py                 # 20 seeds of cartpole, 10 of every other preset
    python benchmarks/pass_rates.py taxi --seeds 10

Each result goes to benchmarks/results/pass_rate_<preset>.txt, with the 95 % lower bound of the pass rate (Clopper-Pearson).
"""

from __future__ import annotations

import argparse
import math
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rlcourse import presets

RESULTS = Path(__file__).parent / "results"


def lower_bound(passed: int, seeds: int, confidence: float = 0.95) -> float:
    """Return the one-sided Clopper-Pearson lower bound of a proportion, by bisection."""
    if passed == 0:
        return 0.0

    def at_least(p: float) -> float:
        return sum(math.comb(seeds, k) * p**k * (1 - p) ** (seeds - k) for k in range(passed, seeds + 1))

    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if at_least(middle) < 1 - confidence else (low, middle)
    return low


def measure(name: str, seeds: int) -> str:
    """Train a preset with several seeds; return the report."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "rlcourse", "train", name, "--seeds", str(seeds), "--out", out]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    target = presets.load(name).target
    scores = [float(match[1]) for line in lines if (match := re.match(r"seed \d+: (\S+)", line))]
    passed = sum(score >= target for score in scores)
    head = f"{name}: {passed} of {seeds} seeds reach {target:g} (95 % lower bound {lower_bound(passed, seeds):.2f})"
    return "\n".join(
        [
            head,
            "scores: " + ", ".join(f"{score:.2f}" for score in sorted(scores)),
            f"python {platform.python_version()}, {platform.machine()}",
        ]
    )


def main() -> None:
    """Measure the presets asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*", default=[])
    parser.add_argument("--seeds", type=int)
    arguments = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    for name in arguments.presets or [name for name in presets.names() if presets.load(name).target is not None]:
        report = measure(name, arguments.seeds or (20 if name == "cartpole" else 10))
        (RESULTS / f"pass_rate_{name}.txt").write_text(report + "\n")
        print(report, flush=True)


if __name__ == "__main__":
    main()
