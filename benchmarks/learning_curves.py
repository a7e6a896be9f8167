"""The learning curves of the documentation: return against steps, median and range over seeds, for each PRESET:AGENT.

    python benchmarks/learning_curves.py cartpole:dqn cartpole:a2c
    python benchmarks/learning_curves.py pendulum:sac --seeds 3 --jobs 2 -n 10000
    python benchmarks/learning_curves.py cartpole-notes:dqn --each --seeds 10      # a panel for each seed
    python benchmarks/learning_curves.py cartpole:dqn --runs DIR                   # of runs that are there: nothing is trained

Each trains through `rlcourse train` with the preset's settings and budget, to the end of it, and draws docs/images/<agent>.png
(of a variant as cartpole-notes: notes-<agent>.png): the training episodes, the greedy evaluations on the way, the target, and what the best
and the last checkpoint reach in 100 fresh episodes.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from rlcourse import presets
from rlcourse.figures.style import COLORS, GREY, finish, new_figure, panel, reference

IMAGES = Path(__file__).resolve().parents[1] / "docs/images"
POINTS = 60


def column(file: Path, *names: str) -> list[np.ndarray]:
    """Return columns of a CSV file."""
    with file.open() as lines:
        rows = list(csv.DictReader(lines))
    return [np.array([float(row[name]) for row in rows]) for name in names]


def on_grid(steps: np.ndarray, returns: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return mean returns of the episodes that ended between edges; where none did, the value before."""
    out = np.full(len(edges) - 1, np.nan)
    for i in range(len(out)):
        inside = returns[(steps > edges[i]) & (steps <= edges[i + 1])]
        out[i] = inside.mean() if len(inside) else out[i - 1] if i else np.nan
    return out


def train(preset: presets.Preset, seeds: int, jobs: int, out: str) -> None:
    """Train an agent with several seeds, without stopping early."""
    never = "1e300"
    command = [sys.executable, "-m", "rlcourse", "train", preset.name, "--algo", preset.algo, "--seeds", str(seeds), "--jobs", str(jobs)]
    command += ["--stop-at", never, "--out", out] + ([] if preset.episodes else ["-n", str(preset.total_timesteps)])
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{preset.name}:{preset.algo}: {done.stderr[-2000:]}")


def runs_below(path: str) -> list[Path]:
    """Return the folders of the finished runs below a folder, by their seeds."""
    results = {file.parent: json.loads(file.read_text()) for file in Path(path).rglob("result.json")}
    found = sorted((result["seed"], folder) for folder, result in results.items() if "seed" in result)
    if not found:
        sys.exit(f"there is no finished run below {path}")
    return [folder for _, folder in found]


def draw(preset: presets.Preset, folders: list[Path], command: str) -> Path:
    """Draw the curves of one agent."""
    figure = new_figure()
    axes = panel(figure.subplots(), f"{preset.algo} on {preset.env}", "environment steps", "return")
    edges = np.linspace(0, preset.total_timesteps, POINTS + 1)
    training = np.array([on_grid(*column(folder / "episodes.csv", "timesteps", "return"), edges) for folder in folders])
    evaluations = [column(folder / "evaluations.csv", "timesteps", "mean") for folder in folders]
    greedy = np.array([np.interp(edges[1:], *pair, left=np.nan) for pair in evaluations])
    middles = (edges[:-1] + edges[1:]) / 2
    for x, rows, color, label in (
        (middles, training, COLORS[0], "training episodes"),
        (edges[1:], greedy, COLORS[1], "greedy evaluations"),
    ):
        full = ~np.isnan(rows).any(axis=0)
        axes.plot(x[full], np.median(rows[:, full], axis=0), color=color, linewidth=1.8, label=f"{label}: median, range")
        axes.fill_between(x[full], rows[:, full].min(axis=0), rows[:, full].max(axis=0), color=color, alpha=0.18, linewidth=0)
    if preset.target is not None:
        reference(axes, preset.target, f"target {preset.target:g}", side="left")
    results = [json.loads((folder / "result.json").read_text()) for folder in folders]
    best, last = (np.median([result[which] for result in results]) for which in ("best", "last"))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper right", ncols=2, frameon=False, fontsize=8.5)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    finish(figure, f"checkpoints in 100 fresh episodes, medians: best {best:.1f}, last {last:.1f}   ({command})")
    return save(figure, preset)


def draw_each(preset: presets.Preset, folders: list[Path], command: str) -> Path:
    """Draw a panel for each seed: its evaluations, its best checkpoint and its last."""
    figure = new_figure()
    columns = (len(folders) + 1) // 2
    figure.set_size_inches(1.9 * columns, 4.6)
    for k, (axes, folder) in enumerate(zip(figure.subplots(2, columns, sharex=True, sharey=True).flat, folders, strict=False)):
        result = json.loads((folder / "result.json").read_text())
        panel(axes, f"seed {result['seed']}", "environment steps" * (k == columns + columns // 2), "greedy return" * (k % columns == 0))
        axes.plot(*column(folder / "evaluations.csv", "timesteps", "mean"), color=COLORS[0], linewidth=1, label="evaluations")
        for which, step, marker, color in (("best", "best_step", "o", COLORS[2]), ("last", "steps", "X", COLORS[3])):
            axes.plot(result[step], result[which], marker, color=color, markersize=7, clip_on=False, label=f"{which} checkpoint")
        if preset.target is not None:
            axes.axhline(preset.target, color=GREY, linestyle="--", linewidth=1, label=f"target {preset.target:g}")
        axes.xaxis.set_major_formatter(lambda x, _: f"{x / 1000:g}k")
        if k == 0:
            figure.legend(*axes.get_legend_handles_labels(), loc="outside upper right", ncols=4, frameon=False, fontsize=8.5)
    finish(figure, f"evaluations: {preset.eval_episodes} episodes on the way; checkpoints: 100 fresh episodes   ({command})")
    return save(figure, preset)


def save(figure: Figure, preset: presets.Preset) -> Path:
    """Write the picture of an agent, or of its variant."""
    path = IMAGES / f"{'-'.join([*preset.name.split('-')[1:], preset.algo])}.png"
    figure.savefig(path, dpi=110)
    return path


def main() -> None:
    """Train and draw what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="+", metavar="PRESET:AGENT")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1, help="processes at once, one thread each [1]")
    parser.add_argument("-n", type=int, metavar="N", help="steps [the preset's]")
    parser.add_argument("--each", action="store_true", help="a panel for each seed")
    parser.add_argument("--keep", metavar="DIR", help="an existing folder where the runs stay [they are removed]")
    parser.add_argument("--runs", metavar="DIR", help="draw the runs below this folder instead of training")
    arguments = parser.parse_args()
    for asked in arguments.presets:
        name, _, algo = asked.partition(":")
        preset = presets.load(name)
        algo = (algo or preset.algo).replace("-", "_")
        preset = preset.of(algo)
        steps = {"total_timesteps": arguments.n, "episodes": None} if arguments.n else {}
        preset = replace(preset, algo=algo, **steps)
        with contextlib.nullcontext(tempfile.mkdtemp(dir=arguments.keep)) if arguments.keep else tempfile.TemporaryDirectory() as out:
            if not arguments.runs:
                train(preset, arguments.seeds, arguments.jobs, out)
            folders = runs_below(arguments.runs or out)
            command = f"learning_curves.py {name}:{algo}" + " --each" * arguments.each + f" --seeds {len(folders)}"
            print((draw_each if arguments.each else draw)(preset, folders, command), flush=True)


if __name__ == "__main__":
    main()
