"""The learning curves of the documentation: return against steps, median and range over seeds, for each PRESET:AGENT.

    python benchmarks/learning_curves.py cartpole:dqn cartpole:a2c
    python benchmarks/learning_curves.py pendulum:sac --seeds 3 --jobs 2 -n 10000

Each trains through `rlcourse train` with the preset's settings and budget, to the end of it, and draws docs/images/<agent>.png: the
training episodes, the greedy evaluations on the way, the target, and what the best and the last checkpoint reach in 100 fresh episodes.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from rlcourse import presets
from rlcourse.figures.style import COLORS, finish, new_figure, panel, reference

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


def train(preset: presets.Preset, seeds: int, jobs: int, out: str) -> list[Path]:
    """Train an agent with several seeds, without stopping early; return the run folders."""
    never = "1e300"
    command = [sys.executable, "-m", "rlcourse", "train", preset.name, "--algo", preset.algo, "--seeds", str(seeds), "--jobs", str(jobs)]
    command += ["-n", str(preset.total_timesteps), "--stop-at", never, "--out", out]
    done = subprocess.run(command, capture_output=True, text=True)
    folders = [file.parent for file in sorted(Path(out).rglob("result.json")) if "seed" in json.loads(file.read_text())]
    if len(folders) != seeds:
        sys.exit(f"{preset.name}:{preset.algo}: {len(folders)} results of {seeds} seeds\n{done.stderr[-2000:]}")
    return folders


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
    axes.legend(frameon=False, fontsize=8.5, loc="best")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    finish(figure, f"{len(folders)} seeds; 100 fresh greedy episodes, medians: best checkpoint {best:.1f}, last {last:.1f}   ({command})")
    path = IMAGES / f"{preset.algo}.png"
    figure.savefig(path, dpi=110)
    return path


def main() -> None:
    """Train and draw what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="+", metavar="PRESET:AGENT")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1, help="processes at once, one thread each [1]")
    parser.add_argument("-n", type=int, metavar="N", help="steps [the preset's]")
    arguments = parser.parse_args()
    for asked in arguments.presets:
        name, _, algo = asked.partition(":")
        preset = presets.load(name)
        algo = (algo or preset.algo).replace("-", "_")
        preset = preset.of(algo)
        settings = {**vars(preset), "algo": algo, "total_timesteps": arguments.n or preset.total_timesteps}
        preset = presets.Preset(**settings)
        with tempfile.TemporaryDirectory() as out:
            folders = train(preset, arguments.seeds, arguments.jobs, out)
            print(draw(preset, folders, f"learning_curves.py {name}:{algo}"), flush=True)


if __name__ == "__main__":
    main()
