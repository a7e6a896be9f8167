"""What binary features save: semi-gradient Sarsa in the mountain car with tile coding, by indices and by vectors.

    python benchmarks/linear_speed.py
    python benchmarks/linear_speed.py --json

Both sides run the same compiled box over the same steps: 8 tilings of 9 x 9 tiles, 648 features for each of three actions, of which 8 are
active. `Tiles` gives their indices; `Dense` of it gives the vector of zeros and ones that they stand for. Weights must agree to 1e-12 of
the largest, and histories exactly. Seconds are the processor's, in turns, the median of five rounds. Where indices are not ten times as
fast, the exit code is 1. "interpreted" is the same box as plain Python in the same world.

The report goes to benchmarks/results/linear_speed.txt.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
from box_speed import machine

from rlcourse.agents.approximation.semi_gradient_sarsa import semi_gradient_sarsa
from rlcourse.core.trial import Trial
from rlcourse.envs import MountainCar
from rlcourse.features import Dense, Tiles

RESULTS = Path(__file__).parent / "results"
ROUNDS, NEEDED = 5, 10.0


def learn(features: object, steps: int, python: bool = False) -> tuple[np.ndarray, np.ndarray, float]:
    """Return weights, history and seconds of the processor."""
    trial, w = Trial.of(MountainCar(), steps=steps, limit=1000), np.zeros((3, features.size))
    box = semi_gradient_sarsa.python if python else semi_gradient_sarsa
    began = time.process_time()
    box(trial, features, w, 0.5 / 8, 1.0, 0.05, np.random.default_rng(0))
    return w, trial.take_rows(), time.process_time() - began


def main() -> int:
    """Measure, check and print; return 1 where indices are not fast enough."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--steps", type=int, default=100_000)
    given = parser.parse_args()
    tiles = Tiles.of([-1.2, -0.07], [0.5, 0.07], 8, 8)
    kinds = {"indices": tiles, "vectors": Dense.of(tiles)}
    seconds: dict[str, list[float]] = {name: [] for name in kinds}
    for features in kinds.values():
        learn(features, 100)  # compiles
    for _ in range(ROUNDS):
        found = {name: learn(features, given.steps) for name, features in kinds.items()}
        for name, result in found.items():
            seconds[name].append(result[2])
    difference = float(np.abs(found["indices"][0] - found["vectors"][0]).max() / np.abs(found["indices"][0]).max())
    same = difference <= 1e-12 and np.array_equal(found["indices"][1], found["vectors"][1])
    rates = {name: given.steps / statistics.median(each) for name, each in seconds.items()}
    rates["interpreted"] = given.steps / 20 / learn(tiles, given.steps // 20, python=True)[2]
    ratio = rates["indices"] / rates["vectors"]
    answer = {"steps_per_second": rates, "ratio": ratio, "difference": difference, "same": same}
    lines = [
        f"indices      {rates['indices']:12,.0f} steps/s, compiled",
        f"vectors      {rates['vectors']:12,.0f} steps/s, compiled",
        f"interpreted  {rates['interpreted']:12,.0f} steps/s, indices",
        f"indices are {ratio:.1f} times as fast as vectors, and {rates['indices'] / rates['interpreted']:.0f} times as fast as interpreted",
        f"largest difference of weights {difference:.1e} of the largest weight; histories are {'the same' if same else 'NOT the same'}",
        f"mountain car, 8 tilings of 9 x 9 tiles, 3 actions, {given.steps:,} steps; {machine()}",
    ]
    print(json.dumps(answer) if given.json else "\n".join(lines))
    if not given.json:
        (RESULTS / "linear_speed.txt").write_text("\n".join(lines) + "\n")
    return 0 if same and ratio >= NEEDED else 1


if __name__ == "__main__":
    raise SystemExit(main())
