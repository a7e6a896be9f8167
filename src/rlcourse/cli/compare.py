"""`rlcourse compare`: runs side by side, seeds of one agent together.

An agent is judged by the greedy returns of its best and of its last checkpoint in fresh episodes, the same ones for every run. With
several seeds the interval is that of the mean over seeds, with one seed that of the mean over episodes: it then says nothing of how
another seed would have done.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rlcourse import presets
from rlcourse.cli.config_file import read_config
from rlcourse.cli.folder import RunFolder
from rlcourse.cli.judging import judge
from rlcourse.cli.numerics import FINAL_SEEDS
from rlcourse.cli.options import Parser
from rlcourse.cli.outputs import file_to_write, writing
from rlcourse.cli.report import result_of
from rlcourse.cli.settings import algo_key
from rlcourse.cli.table import print_table
from rlcourse.cli.targets import agent_name, find_agent, seeds_of
from rlcourse.cli.usage import UsageError
from rlcourse.cli.ways import way_on

__all__ = ["compare"]

EPISODES = 100  # of a run that has no result yet
RESAMPLES = 2000


class _Run(NamedTuple):
    """One seed: its folder, config.toml and result.json."""

    path: Path
    config: dict[str, Any]
    result: dict[str, Any]


class _Group(NamedTuple):
    """Runs of one agent with the same settings."""

    label: str
    runs: list[_Run]


def compare(argv: Sequence[str]) -> int:
    """Compare runs; see ``rlcourse compare --help``."""
    parser = Parser(
        prog="rlcourse compare",
        description="Agents side by side: greedy returns of best and last checkpoints, and a picture. Runs of one agent with the same "
        "settings are one line; where a seed is among them twice, the last run of it counts, and the others are named.",
    )
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", help="run folder, or a folder with runs below it (all seeds of --seeds), or latest"
    )
    parser.add_argument("--out", "-o", default="compare.png", metavar="FILE", help="picture to write [compare.png]")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parsed = parser.parse(argv)
    picture = file_to_write("--out", parsed.out, (".png", ".pdf", ".svg"))
    paths = [path for text in parsed.runs for path in _folders(text)]
    configs = {path: read_config(path) for path in dict.fromkeys(paths)}
    env = _environment(configs)
    runs = _learned(configs)
    groups = _groups(runs)
    rows = [_row(group) for group in groups]
    order = sorted(range(len(rows)), key=lambda i: rows[i]["best"], reverse=not _minimised(runs))
    rows, groups = [rows[i] for i in order], [groups[i] for i in order]
    if not parsed.json:
        _print(env, rows)
    _draw(picture, env, groups, rows)
    print(json.dumps({"env": env, "agents": rows, "picture": str(picture)}, indent=1) if parsed.json else picture)
    return 0


def _folders(text: str) -> list[Path]:
    """Return the run folders that a word of the command line means."""
    path = Path(text)
    if text == "latest":
        path = seeds_of(text) or find_agent(text)[2].parent
    if not text or not os.path.isdir(path):
        raise UsageError(f"there is no run {text!r}")
    if (path / "config.toml").exists():
        return [path]
    below = sorted(Path(folder) for folder, _, files in os.walk(path) if "config.toml" in files)  # others may remove folders meanwhile
    if not below:
        raise UsageError(f"{text!r} holds no run: there is no config.toml in it or below it")
    return below


def _environment(configs: dict[Path, dict[str, Any]]) -> str:
    """Return the environment of all runs; raises UsageError where there are several."""
    found: dict[str, Path] = {}
    for path, config in configs.items():
        text = config["run"]["env"]
        found.setdefault(presets.load(text).env if text in presets.names() else text, path)
    if len(found) > 1:
        listed = " and ".join(f"{env} ({path})" for env, path in list(found.items())[:2])
        raise UsageError(f"runs of different environments cannot be compared: {listed}")
    return next(iter(found))


def _learned(configs: dict[Path, dict[str, Any]]) -> list[_Run]:
    """Return the runs with their results; those that have not taken a step are named and left out."""
    runs = []
    for path, config in configs.items():
        if result := result_of(path) or _judged(path, config):
            runs.append(_Run(path, config, result))
        else:
            print(f"rlcourse: {path} has not begun to learn: it is left out", file=sys.stderr)
    if not runs:
        raise UsageError(f"no run has begun to learn; {way_on(next(iter(configs)))}")
    return runs


def _judged(path: Path, config: dict[str, Any]) -> dict[str, Any] | None:
    """Return the result of a run that has not ended: its checkpoints in the episodes by which the others were judged.

    None where it was stopped before its first step.
    """
    if not any(path.rglob("*.safetensors")):
        return None
    found: dict[str, Any] = {"seed": config["run"]["seed"], "target": config["plan"].get("target"), "seconds": None}
    for which in ("best", "last"):
        agent, target, _ = find_agent(str(path), which)
        assert target is not None
        if agent.num_timesteps == 0:
            return None
        returns = judge(agent, target.timed(config["run"].get("env_timeout")), EPISODES, seed=FINAL_SEEDS)
        found |= {which: float(returns.mean()), f"{which}_returns": returns.tolist(), "steps": agent.num_timesteps}
    return found


def _groups(runs: list[_Run]) -> list[_Group]:
    """Put runs with the same agent and settings together, and name each group by what differs."""
    keyed: dict[tuple[str, str], list[_Run]] = {}
    for run in runs:
        keyed.setdefault((run.config["run"]["algo"], json.dumps(run.config["agent"], sort_keys=True, default=str)), []).append(run)
    groups = []
    for (algo, _), members in keyed.items():
        others = [each[0].config["agent"] for (other, _), each in keyed.items() if other == algo]
        mine = members[0].config["agent"]
        differs = [key for key in mine if any(each.get(key) != mine[key] for each in others)]
        name = algo_key(agent_name(algo))
        label = name if not differs else f"{name} ({', '.join(f'{key} {_short(mine[key])}' for key in differs[:4])})"
        by_seed = {run.config["run"]["seed"]: run for run in members}  # a seed that was run twice counts once: the last one
        if again := [str(run.path) for run in members if run is not by_seed[run.config["run"]["seed"]]]:
            _tell_left_out(label, again)
        groups.append(_Group(label, list(by_seed.values())))
    return groups


def _tell_left_out(label: str, paths: list[str]) -> None:
    """Say which runs do not count, since one of the same agent, settings and seed comes after them."""
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    why = (
        "their seeds are there once more, and the last run of a seed counts"
        if len(paths) > 1
        else "its seed is there once more, and that run counts"
    )
    print(f"rlcourse: {label}: left out {'are' if len(paths) > 1 else 'is'} {', '.join(paths[:3])}{more}: {why}", file=sys.stderr)


def _row(group: _Group) -> dict[str, Any]:
    """Return what is known of a group, as JSON holds it."""
    results = [run.result for run in group.runs]
    target = next((result["target"] for result in results if result.get("target") is not None), None)
    seconds = [result["seconds"] for result in results if result.get("seconds") is not None]
    row: dict[str, Any] = {
        "label": group.label,
        "algo": group.runs[0].config["run"]["algo"],
        "seeds": [result["seed"] for result in results],
    }
    for which in ("best", "last"):
        means = np.array([result[which] for result in results])
        sample = means if len(means) > 1 else np.array(results[0][f"{which}_returns"])
        row |= {which: float(means.mean()), f"{which}_interval": _interval(sample)}
    minimised = _minimised(group.runs)
    passed = [(result["best"] <= target if minimised else result["best"] >= target) for result in results] if target is not None else None
    return row | {
        "interval_over": "seeds" if len(results) > 1 else "episodes",
        "steps": float(np.mean([result["steps"] for result in results])),
        "seconds": float(np.mean(seconds)) if seconds else None,
        "target": target,
        "passed": sum(passed) if passed is not None else None,
        "runs": [str(run.path) for run in group.runs],
    }


def _interval(sample: np.ndarray) -> list[float]:
    """Return the 95 % bootstrap interval of the mean."""
    rng = np.random.default_rng(0)
    means = sample[rng.integers(0, len(sample), (RESAMPLES, len(sample)))].mean(axis=1)
    return [float(bound) for bound in np.percentile(means, (2.5, 97.5))]


def _print(env: str, rows: list[dict[str, Any]]) -> None:
    def score(row: dict[str, Any], which: str) -> str:
        low, high = row[f"{which}_interval"]
        return f"{row[which]:.2f} [{low:.2f}, {high:.2f}]"

    print(f"{env}: greedy return in fresh episodes, mean and 95 % interval")
    head = {
        "agent": "AGENT",
        "seeds": "SEEDS",
        "best": "BEST CHECKPOINT",
        "last": "LAST CHECKPOINT",
        "steps": "STEPS",
        "seconds": "SECONDS",
    }
    shown = [
        {
            "agent": row["label"],
            "seeds": len(row["seeds"]),
            "best": score(row, "best"),
            "last": score(row, "last"),
            "steps": f"{row['steps']:,.0f}",
            "seconds": "-" if row["seconds"] is None else f"{row['seconds']:.1f}",
            "target": "" if row["passed"] is None else f"{row['passed']} of {len(row['seeds'])} reach {row['target']:g}",
        }
        for row in rows
    ]
    print_table([head | {"target": "TARGET"}, *shown])
    if any(row["interval_over"] == "episodes" for row in rows):
        print("one seed: its interval is over episodes, and says nothing of other seeds; train more with --seeds")


def _draw(picture: Path, env: str, groups: list[_Group], rows: list[dict[str, Any]]) -> None:
    from rlcourse.plotting import compare_curves

    curves = [(group.label, [curve for run in group.runs if len((curve := _curve(run.path))[0])]) for group in groups]
    target = next((row["target"] for row in rows if row["target"] is not None), None)
    with writing("--out", picture):
        compare_curves(picture, f"Training on {env}", [(label, found) for label, found in curves if found], target)


def _curve(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return steps and returns of training, or of the evaluations of an agent that keeps no returns."""
    folder = RunFolder(path)
    steps, returns = folder.table("episodes.csv").columns("timesteps", "return")
    if not len(steps):
        steps, returns = folder.table("evaluations.csv").columns("timesteps", "mean")
    return steps, returns


def _minimised(runs: list[_Run]) -> bool:
    return any(run.config["plan"].get("minimize", False) for run in runs)


def _short(value: Any) -> str:
    if isinstance(value, str) and Path(value).is_absolute():  # of a file in a run its folder tells more
        path = Path(value)
        return "/".join(path.parts[-3:-1]) if path.stem in ("best", "encoder", "last") else path.name
    return "x".join(map(str, value)) if isinstance(value, list) else str(value).lower() if isinstance(value, bool) else str(value)
