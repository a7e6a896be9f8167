"""How often a preset reaches its target: `rlcourse train PRESET --algo ALGO --seeds K`, judged on 100 fresh greedy episodes a seed.

What is judged is the best checkpoint by in-training evaluation; the last one's score stands beside it.

    python benchmarks/pass_rates.py                 # 20 seeds of cartpole, 10 of every other preset
    python benchmarks/pass_rates.py taxi --seeds 10
    python benchmarks/pass_rates.py cartpole:a2c    # another agent than the preset's own

Each result goes to benchmarks/results/pass_rate_<preset>.txt, or pass_rate_<preset>_<algo>.txt, with the 95 % lower bound of
the pass rate (Clopper-Pearson).
"""

from __future__ import annotations

import argparse
import json
import math
import platform
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
    """Train a preset with several seeds; return the report. `name` is PRESET or PRESET:ALGO."""
    preset, _, algo = name.partition(":")
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "rlcourse", "train", preset, "--seeds", str(seeds), "--out", out]
        subprocess.run(command + (["--algo", algo] if algo else []), check=True, capture_output=True)
        results = [json.loads(path.read_text()) for path in Path(out).rglob("result.json")]
    results = sorted((result for result in results if "seed" in result), key=lambda result: result["best"])
    assert len(results) == seeds, f"{len(results)} results of {seeds} seeds"
    target = presets.load(preset).of(algo).target if algo else presets.load(preset).target
    passed = sum(result["best"] >= target for result in results)
    return "\n".join(
        [
            f"{name}: {passed} of {seeds} seeds reach {target:g} (95 % lower bound {lower_bound(passed, seeds):.2f})",
            "best checkpoints: " + ", ".join(f"{result['best']:.2f}" for result in results),
            "their last ones:  " + ", ".join(f"{result['last']:.2f}" for result in results),
            "steps taken:      " + ", ".join(f"{result['steps']:,}" for result in results),
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
        (RESULTS / f"pass_rate_{name.replace(':', '_')}.txt").write_text(report + "\n")
        print(report, flush=True)


if __name__ == "__main__":
    main()
