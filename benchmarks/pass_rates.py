"""How often a preset reaches its target: `rlcourse train PRESET --algo ALGO --seeds K`, judged on 100 fresh greedy episodes a seed.

What is judged is the best checkpoint by in-training evaluation; the last one's score stands beside it.

    python benchmarks/pass_rates.py                          # every preset with its own agent: 20 seeds of cartpole, 10 of the others
    python benchmarks/pass_rates.py cartpole:a2c             # another agent than the preset's own
    python benchmarks/pass_rates.py taxi --seeds 10 --jobs 2 # two processes at once, one thread each
    python benchmarks/pass_rates.py taxi --keep runs         # leave the runs there: learning_curves.py --runs draws them

Each result goes to benchmarks/results/pass_rate_<preset>_<algo>.txt, in the order of the seeds, with the 95 % lower bound of the pass
rate (Clopper-Pearson). `benchmarks/deep_table.py` makes one table of all of them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import platform
import subprocess
import sys
import tempfile
from dataclasses import replace
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


def measure(preset: presets.Preset, seeds: int, jobs: int, keep: str | None = None) -> str:
    """Train a preset's agent with several seeds, in a folder that may be kept; return the report."""
    with contextlib.nullcontext(tempfile.mkdtemp(dir=keep)) if keep else tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "rlcourse", "train", preset.name, "--algo", preset.algo, "--seeds", str(seeds)]
        done = subprocess.run([*command, "--jobs", str(jobs), "--out", out], capture_output=True, text=True)
        results = [json.loads(path.read_text()) for path in Path(out).rglob("result.json")]
    results = sorted((result for result in results if "seed" in result), key=lambda result: result["seed"])
    if len(results) != seeds:
        sys.exit(f"{preset.name}:{preset.algo}: {len(results)} results of {seeds} seeds\n{done.stderr[-2000:]}")
    assert preset.target is not None
    budget = f"{preset.episodes:,} episodes" if preset.episodes else f"{preset.total_timesteps:,} steps"
    passed = sum(result["met"] for result in results)
    rate = f"{passed} of {seeds} seeds reach {preset.target:g} within {budget}"
    return "\n".join(
        [
            f"{preset.name}:{preset.algo}: {rate} (95 % lower bound {lower_bound(passed, seeds):.2f})",
            "best checkpoints: " + ", ".join(f"{result['best']:.2f}" for result in results),
            "their last ones:  " + ", ".join(f"{result['last']:.2f}" for result in results),
            "steps taken:      " + ", ".join(f"{result['steps']:,}" for result in results),
            "seconds:          " + ", ".join(f"{result['seconds']:.1f}" for result in results),
            f"python {platform.python_version()}, {platform.machine()}, {jobs} at once",
        ]
    )


def main() -> None:
    """Measure the presets asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*", metavar="PRESET[:ALGO]")
    parser.add_argument("--seeds", type=int, help="[10; cartpole:ppo 20]")
    parser.add_argument("--jobs", type=int, default=1, help="processes at once, one thread each [1]")
    parser.add_argument("--keep", metavar="DIR", help="an existing folder where the runs stay [they are removed]")
    arguments = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    for asked in arguments.presets or [name for name in presets.names() if presets.load(name).target is not None]:
        name, _, algo = asked.partition(":")
        preset = presets.load(name)
        algo = (algo or preset.algo).replace("-", "_")
        preset = replace(preset.of(algo), algo=algo)
        if preset.target is None:
            sys.exit(f"preset {name!r} has no target")
        report = measure(preset, arguments.seeds or (20 if (name, algo) == ("cartpole", "ppo") else 10), arguments.jobs, arguments.keep)
        (RESULTS / f"pass_rate_{name}_{algo.replace(':', '-')}.txt").write_text(report + "\n")
        print(report, flush=True)


if __name__ == "__main__":
    main()
