"""``rlcourse train --seeds K``: one process per seed, one curve with a confidence band."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from rlcourse.cli.folder import RunFolder
from rlcourse.cli.report import result_of
from rlcourse.cli.targets import Target
from rlcourse.core.files import write_bytes

__all__ = ["train_many"]


def train_many(argv: list[str], target: Target, name: str, parsed: Any) -> int:
    """Run the same command once per seed, as many at a time as there are cores, then draw all of them."""
    words = _without(argv, {"--seeds", "--seed", "--out", "-o"}, {"-q", "--quiet", "--no-progress"})
    parent = RunFolder.create(parsed.out, target.label, f"{name.lower()}-{parsed.seeds}-seeds", parsed.seed).path
    (parent / "checkpoints").rmdir()
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    waiting = list(range(parsed.seed, parsed.seed + parsed.seeds))
    running: dict[int, subprocess.Popen[str]] = {}
    results: dict[int, tuple[float, Path]] = {}
    failed = 0
    try:
        while waiting or running:
            while waiting and len(running) < (os.cpu_count() or 1):
                seed = waiting.pop(0)
                command = [sys.executable, "-m", "rlcourse", "train", *words, "--seed", str(seed), "--out", str(parent), "-q"]
                running[seed] = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
            for seed, process in list(running.items()):
                if process.poll() is None:
                    continue
                output = process.communicate()[0]
                del running[seed]
                if process.returncode:
                    failed = failed or process.returncode
                    continue
                mean, _, path = output.strip().splitlines()[-1].partition(" ")
                results[seed] = float(mean), Path(path)
                if not parsed.quiet:
                    ended = result_of(Path(path)) or {"last": float(mean)}
                    print(f"seed {seed}: {float(mean):.2f}   last {ended['last']:.2f}   {path}", flush=True)
            time.sleep(0.05)
    except KeyboardInterrupt:
        for process in running.values():
            process.send_signal(signal.SIGINT)
        for process in running.values():
            process.wait()
        print(f"rlcourse: interrupted; every seed was saved below {parent}", file=sys.stderr)
        return 130
    if results:
        _summary(parent, target, name, results, parsed.quiet)
    return failed


def _summary(parent: Path, target: Target, name: str, results: dict[int, tuple[float, Path]], quiet: bool) -> None:
    from rlcourse.plotting import seeds_curve

    tables = [RunFolder(path).rows("episodes.csv") for _, path in results.values()]
    column = next(iter(tables[0][0])) if tables[0] else "return"
    runs = [(np.array([row["timesteps"] for row in rows]), np.array([row[column] for row in rows])) for rows in tables if rows]
    goal = target.preset.target if target.preset else None
    if runs:
        seeds_curve(parent / "curve.png", f"{name} on {target.text}", runs, goal if column == "return" else None, column)
    means = np.array([mean for _, (mean, _) in sorted(results.items())])
    ended = {str(seed): result_of(path) or {} for seed, (_, path) in sorted(results.items())}
    last = np.array([each.get("last", mean) for each, mean in zip(ended.values(), means, strict=True)])
    answer = {"agent": name, "env": target.text, "target": goal, "best": float(means.mean()), "last": float(last.mean()), "seeds": ended}
    write_bytes(parent / "result.json", json.dumps(answer, indent=1).encode())
    passed = "" if goal is None else f", {int((means >= goal).sum())} of {len(means)} seeds reach {goal:g}"
    line = (
        f"greedy return over seeds: mean {means.mean():.2f}, median {np.median(means):.2f}, worst {means.min():.2f}{passed}; "
        f"last checkpoints: mean {last.mean():.2f}, worst {last.min():.2f}"
    )
    seeds = "".join(f"* seed {seed}: best {each.get('best', 0):.2f}, last {each.get('last', 0):.2f}\n" for seed, each in ended.items())
    (parent / "card.md").write_text(f"# {name} on {target.text}, {len(means)} seeds\n\n{line}\n\n{seeds}\n![learning curve](curve.png)\n")
    print(f"{means.mean():.2f} {parent}" if quiet else f"{line}\n{parent / 'curve.png'}")


def _without(argv: list[str], with_value: set[str], alone: set[str]) -> list[str]:
    """Return the words without some options."""
    kept: list[str] = []
    skip = False
    for word in argv:
        if skip:
            skip = False
        elif word in with_value:
            skip = True
        elif word not in alone and word.split("=")[0] not in with_value:
            kept.append(word)
    return kept
