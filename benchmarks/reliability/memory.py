"""Memory by rate: how much a run grows with its steps, after it has warmed up, and how many files it holds open."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator

from outcome import Outcome

COUNTS = {"measurements": 4}
BOUND = 10e6  # bytes of growth that a million steps may cost
RUNS = (
    ("tabular, compiled", 40_000_000, ["cliffwalk", "--algo", "q-learning"]),
    ("linear, compiled", 4_000_000, ["mountaincar", "--algo", "sarsa-lambda"]),
    ("PPO", 400_000, ["CartPole-v1", "--algo", "ppo"]),
    ("DQN with a full memory", 60_000, ["CartPole-v1", "--algo", "dqn", "--buffer-size", "5000"]),
)


def campaign(count: Callable[[str], int], seed: int) -> Iterator[Outcome]:
    """Train, and compare the memory after half of the steps with that at the end."""
    kept, failures, shown = 0, [], []
    chosen = RUNS[: count("measurements")]
    for name, steps, words in chosen:
        with tempfile.TemporaryDirectory() as folder:
            command = [*words, "-n", str(steps), "--eval-every", str(steps // 20), "--eval-episodes", "1", "--seed", str(seed), "-q"]
            done = subprocess.run(
                [sys.executable, __file__, *command, "--out", folder], capture_output=True, text=True, check=False, env=os.environ
            )
        if done.returncode:
            failures.append(f"{name}: {done.stderr.strip()[-200:]}")
            continue
        rate, handles = measured(json.loads(done.stdout.strip().splitlines()[-1]))
        shown.append(f"{name} {rate / 1e6:+.1f} MB")
        kept += rate < BOUND and handles <= 0
        if not (rate < BOUND and handles <= 0):
            failures.append(f"{name}: {rate / 1e6:.1f} MB in a million steps, {handles} more open files")
    what = f"growth of a run in a million steps ({'; '.join(shown)})"
    yield Outcome(what, len(chosen), kept, len(chosen) - kept, "less than 10 MB, no more open files", tuple(failures))


def measured(rows: list[list[float]]) -> tuple[float, float]:
    """Return the growth in bytes of a million steps, by least squares over the later (step, bytes, open files), and the further files."""
    late = rows[len(rows) // 2 :]
    mean = [sum(row[k] for row in late) / len(late) for k in (0, 1)]
    spread = sum((row[0] - mean[0]) ** 2 for row in late)
    slope = sum((row[0] - mean[0]) * (row[1] - mean[1]) for row in late) / max(spread, 1.0)
    return 1e6 * slope, late[-1][2] - late[0][2]


def _train(words: list[str]) -> int:
    """Train, and print what was measured whenever the run has written its tables."""
    from rlcourse.cli.folder import RunFolder
    from rlcourse.cli.main import main

    rows: list[list[float]] = []
    log = RunFolder.log

    def watched(self: RunFolder, agent: object, **options: bool) -> None:
        log(self, agent, **options)  # type: ignore[arg-type]
        with open("/proc/self/statm") as file:
            rows.append([agent.num_timesteps, int(file.read().split()[1]) * 4096, len(os.listdir("/proc/self/fd"))])  # type: ignore[attr-defined]

    RunFolder.log = watched  # type: ignore[method-assign, assignment]
    code = main(["train", *words])
    print(json.dumps(rows))
    return code


if __name__ == "__main__":
    sys.exit(_train(sys.argv[1:]))
