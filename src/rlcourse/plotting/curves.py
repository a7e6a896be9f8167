"""Learning curves: of one run, of several seeds, of several agents."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from rlcourse.core.arguments import checked, numbers
from rlcourse.plotting.pictures import save

__all__ = ["compare_curves", "learning_curve", "seeds_curve"]

COLORS = ("#3465a4", "#de781f", "#4e8c50", "#a4342f", "#75507b", "#8f5902", "#06989a", "#555753")
BLUE, ORANGE, GREEN, GREY = "#3465a4", "#de781f", "#4e8c50", "#8a8a85"


@checked
def learning_curve(
    path: Path,
    title: str,
    steps: np.ndarray,
    returns: np.ndarray,
    evaluations: Sequence[tuple[float, float]] = (),
    target: float | None = None,
    label: str = "return",
    optimum: tuple[float, str] | None = None,
    errors: Sequence[tuple[float, float]] = (),
) -> None:
    """Draw one run.

    Parameters
    ----------
    path : Path
        PNG to write.
    title : str
    steps, returns : ndarray, shape [episodes]
    evaluations : sequence of (step, mean return)
    target : float, optional
    label : str
        What the y axis shows.
    optimum : (return, name), optional
        The largest expected return, drawn as a line.
    errors : sequence of (step, error)
        Distance from the exact values, drawn below where there are some.
    """
    _require_run("steps", "returns", steps, returns)
    for name, points in (("evaluations", evaluations), ("errors", errors)):
        for i, point in enumerate(points):
            numbers(f"{name}[{i}]", point, (2,), finite=False)
    if optimum is not None and len(optimum) != 2:
        raise ValueError(f"optimum must be (return, name), not {optimum!r:.60}")
    figure, axes, below = _frame(title, label, two=bool(errors))
    if len(returns):
        window = max(1, min(100, len(returns) // 10))
        smooth = np.convolve(returns, np.ones(window) / window, mode="valid")
        shown = np.unique(np.linspace(0, len(returns) - 1, min(len(returns), 5000)).astype(int))
        axes.plot(steps[shown], returns[shown], ".", color=BLUE, alpha=0.35, markersize=3.5, markeredgewidth=0)
        drawn = np.unique(np.linspace(0, len(smooth) - 1, min(len(smooth), 5000)).astype(int))
        axes.plot(steps[drawn + window - 1], smooth[drawn], color=BLUE, linewidth=1.8, label=f"training, mean of {window} episodes")
        low, high = np.percentile(returns, (1, 100))
        values = [low, high, *([] if target is None else [target]), *([] if optimum is None else [optimum[0]])]
        axes.set_ylim(min(values) - 0.06 * (np.ptp(values) + 1e-9), max(values) + 0.08 * (np.ptp(values) + 1e-9))
    if evaluations:
        axes.plot(
            *zip(*evaluations, strict=True), _line(evaluations), color=ORANGE, markersize=4.5, linewidth=1.2, label="greedy evaluation"
        )
    if optimum is not None:
        axes.axhline(optimum[0], color=GREEN, linestyle="--", linewidth=1, label=f"{optimum[1]}: {optimum[0]:.4g}")
    if errors:
        below.plot(*zip(*errors, strict=True), _line(errors), color=GREEN, markersize=3.5, linewidth=1.2)
        below.set_ylim(0, 1.15 * max(error for _, error in errors) + 1e-12)
    _finish(figure, axes, path, target)


def _line(points: Sequence[tuple[float, float]]) -> str:
    """Return a style in which points can be told apart: many of them would touch each other."""
    return "o-" if len(points) <= 80 else "-"


@checked
def seeds_curve(
    path: Path, title: str, runs: Sequence[tuple[np.ndarray, np.ndarray]], target: float | None = None, label: str = "return"
) -> None:
    """Draw the mean of several runs with its 95 % bootstrap interval; each run is (steps, returns) over episodes."""
    _require_runs("runs", runs)
    figure, axes, _ = _frame(title, label)
    last = min(float(steps[-1]) for steps, _ in runs)
    grid = np.linspace(0, last, 60)[1:]
    table = np.array([_binned(steps, returns, grid) for steps, returns in runs])  # [runs, 59]
    rng = np.random.default_rng(0)
    means = np.array([table[rng.integers(0, len(table), len(table))].mean(axis=0) for _ in range(1000)])
    low, high = np.percentile(means, (2.5, 97.5), axis=0)
    for row in table:
        axes.plot(grid, row, color=BLUE, alpha=0.25, linewidth=0.8)
    axes.fill_between(grid, low, high, color=BLUE, alpha=0.25, linewidth=0, label="95 % bootstrap interval of the mean")
    axes.plot(grid, table.mean(axis=0), color=BLUE, linewidth=2, label=f"mean of {len(runs)} seeds")
    _finish(figure, axes, path, target)


@checked
def compare_curves(
    path: Path, title: str, groups: Sequence[tuple[str, Sequence[tuple[np.ndarray, np.ndarray]]]], target: float | None = None
) -> None:
    """Draw several agents: of each the mean over its runs, with the 95 % bootstrap interval where there are several.

    Parameters
    ----------
    path : Path
    title : str
    groups : sequence of (label, runs)
        Each run is (steps, returns); one that ended earlier than the others of its group keeps its last value.
    target : float, optional
    """
    for i, group in enumerate(groups):
        if not (isinstance(group, tuple | list) and len(group) == 2 and isinstance(group[0], str) and isinstance(group[1], tuple | list)):
            raise ValueError(f"groups[{i}] must be (label, runs), not {group!r:.60}")
        _require_runs(f"groups[{i}]", group[1])
    figure, axes, _ = _frame(title, "return")
    for i, (label, runs) in enumerate(groups):
        color, dashes = COLORS[i % len(COLORS)], ("-", "--", ":")[i // len(COLORS) % 3]
        grid = np.linspace(0, max(float(steps[-1]) for steps, _ in runs), 60)[1:]
        table = np.array([_binned(steps, returns, grid) for steps, returns in runs])  # [runs, 59]
        if len(runs) > 1:
            rng = np.random.default_rng(0)
            means = np.array([table[rng.integers(0, len(table), len(table))].mean(axis=0) for _ in range(1000)])
            axes.fill_between(grid, *np.percentile(means, (2.5, 97.5), axis=0), color=color, alpha=0.2, linewidth=0)
        seeds = f", {len(runs)} seeds" if len(runs) > 1 else ""
        axes.plot(grid, table.mean(axis=0), dashes, color=color, linewidth=1.8, label=f"{label}{seeds}")
    _finish(figure, axes, path, target, beside=True)


def _require_runs(name: str, runs: Sequence[Any]) -> None:
    """Raise ValueError where runs are no pairs of steps and returns, or hold no episode."""
    if not len(runs):
        raise ValueError(f"{name} must be at least one, and there is none")
    for i, run in enumerate(runs):
        if not (isinstance(run, tuple | list) and len(run) == 2):
            raise ValueError(f"{name}[{i}] must be (steps, returns), not {run!r:.60}")
        _require_run(f"steps of {name}[{i}]", f"returns of {name}[{i}]", *run)
        if not len(run[0]):
            raise ValueError(f"{name}[{i}] must hold an episode, and is empty")


def _require_run(name: str, other: str, steps: Any, returns: Any) -> None:
    if numbers(name, steps, ("episodes",)).shape != numbers(other, returns, ("episodes",), finite=False).shape:
        raise ValueError(f"{name} and {other} must be as many as each other, not {len(steps)} and {len(returns)}")


def _binned(steps: np.ndarray, returns: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Return the mean return of the episodes that ended in each interval of the grid; empty ones take the one before."""
    out = np.empty(len(grid))
    edges = np.concatenate([[0.0], grid])
    value = returns[0]
    for i, (low, high) in enumerate(itertools.pairwise(edges)):
        inside = returns[(steps > low) & (steps <= high)]
        value = inside.mean() if len(inside) else value
        out[i] = value
    return out


def _frame(title: str, label: str, two: bool = False) -> tuple[Figure, Any, Any]:
    """Return a figure, its axes, and a small panel below them where `two`."""
    for name, text in (("title", title), ("label", label)):
        if not text.isprintable():
            raise ValueError(f"{name} must be a text that can be printed, not {text!r:.60}")
    figure = Figure(figsize=(7.2, 5.0 if two else 4.0), layout="constrained")
    panels = figure.subplots(2, 1, sharex=True, height_ratios=(3.2, 1)) if two else [figure.add_subplot()]
    panels[0].set_title(title, loc="left", fontsize=11, fontweight="bold")
    panels[0].set_ylabel(label)
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#e4e4de", linewidth=0.8)
        axes.set_axisbelow(True)
    if two:
        panels[1].set_ylabel("true error, RMS")
    panels[-1].set_xlabel("environment steps")
    panels[-1].xaxis.set_major_formatter(lambda x, _: f"{x / 1e6:g}M" if x >= 1e6 else f"{x / 1e3:g}k" if x >= 1e3 else f"{x:g}")
    return figure, panels[0], panels[-1]


def _finish(figure: Figure, axes: Any, path: Path, target: float | None, beside: bool = False) -> None:
    if target is not None:
        axes.axhline(target, color=GREY, linestyle="--", linewidth=1, label=f"target {target:g}")
    handles, labels = axes.get_legend_handles_labels()
    if handles:  # outside the panel: within it, it hides what has not learned yet
        long = beside and max(map(len, labels)) > 36  # such names would leave the panel no room beside them
        if long:
            figure.set_figheight(figure.get_figheight() + 0.2 * len(labels))
        columns = 1 if beside else 4
        where: Any = "outside lower left" if long else "outside right upper" if beside else "outside upper right"
        figure.legend(handles, labels, frameon=False, fontsize=8.5, loc=where, ncols=columns)
    save(figure, path)
