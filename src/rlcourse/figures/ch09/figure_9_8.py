"""Figure 9.8: the width of features decides early generalisation, and hardly the final function.

A square wave is learned from examples at points drawn uniformly, by linear values over 50 intervals: narrow, medium or broad ones. Early,
broad features spread what is learned far, narrow ones change nothing but the near neighbourhood. In the end all three come out nearly
the same: resolution is limited by the number of features, not by their width. Step size 0.2 / n with n features present at a time.

The book prints no widths. Read off its figure they are about 0.2, 0.5 and 1.4 of the wave, which is 1 / 2.47 of the interval. It shows one
run, and so does the picture; the claims are about many. Examples are independent, so that the mean of the weights after each number of
examples is known exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.approximation.gradient_mc import gradient_mc
from rlcourse.core.config import Config, Count
from rlcourse.core.exact_linear import best_weights, design_matrix
from rlcourse.core.runs import Runs
from rlcourse.envs import square_wave
from rlcourse.features import CoarseCoding, TableFeatures
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

POINTS, WAVE, INTERVALS = 200, 81, 50
WIDTHS = {"narrow": 0.2, "medium": 0.5, "broad": 1.4}  # of the wave
NUMBERS = (10, 40, 160, 640, 2560, 10_240)  # of examples


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 100


FAST = {"runs": 40}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return the wave [points]; learned functions [widths, runs, numbers, points], expected ones, and the best ones [widths, points]."""
    world = square_wave(POINTS, WAVE)
    wave = world.reward[:POINTS, 0, 0]
    intervals, tables = (np.arange(INTERVALS) + 0.5) * POINTS / INTERVALS, []
    for width in WIDTHS.values():
        coding = CoarseCoding.of(intervals, 0.5 * width * WAVE)
        rows = np.array([coding.x(point + 0.5) for point in range(POINTS)])
        tables.append(TableFeatures(np.vstack([rows, np.full((1, coding.most), -1)]), INTERVALS))
    present = [int((table.rows >= 0).sum(axis=1).max()) for table in tables]

    def experiment(i: int, rng: np.random.Generator, n: int) -> np.ndarray:
        trial = Runs.of(world, n, NUMBERS[-1], [np.zeros(INTERVALS)], every=NUMBERS[0])
        (w,) = trial.tables((INTERVALS,))
        gradient_mc(trial, np.ones(1), tables[i], w, 0.2 / present[i], 1.0, rng)
        return trial.copies()[:, [number // NUMBERS[0] for number in NUMBERS]]

    weights = lab.study(experiment, range(len(WIDTHS)), settings.runs, chunk=10)
    learned, expected, best = [], [], []
    for table, found, n in zip(tables, weights, present, strict=True):
        X = design_matrix(table, POINTS + 1)[:POINTS]
        learned.append(found @ X.T)
        expected.append(_expected(X, wave, 0.2 / n) @ X.T)
        best.append(X @ best_weights(wave, X, np.full(POINTS, 1.0 / POINTS)))
    return {
        "wave": wave,
        "present": np.array(present),
        "learned": np.array(learned),
        "expected": np.array(expected),
        "best": np.array(best),
    }


def _expected(X: np.ndarray, wave: np.ndarray, alpha: float) -> np.ndarray:
    """Return the exact means of the weights after `NUMBERS` of examples, shape [numbers, d]."""
    A, b = X.T @ X / len(X), X.T @ wave / len(X)
    w, found = np.zeros(X.shape[1]), []
    for number in range(1, NUMBERS[-1] + 1):
        w = w + alpha * (b - A @ w)
        if number in NUMBERS:
            found.append(w)
    return np.array(found)


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw one run's functions, a column per width and a row per number of examples."""
    figure.set_size_inches(8.0, 8.6)
    panels = figure.subplots(len(NUMBERS), len(WIDTHS), sharex=True, sharey=True)
    points = np.arange(POINTS) + 0.5
    for i, (name, width) in enumerate(WIDTHS.items()):
        for j, number in enumerate(NUMBERS):
            axes = panels[j, i]
            axes.plot(points, data["wave"], color=style.GREY, linewidth=0.9)
            axes.plot(points, data["learned"][i, 0, j], color=style.COLORS[i], linewidth=1.5)
            axes.spines[["top", "right"]].set_visible(False)
            axes.set(xlim=(0, POINTS), ylim=(-0.35, 1.35), xticks=[], yticks=[0, 1])
            if i == 0:
                axes.set_ylabel(f"{number:,}", rotation=0, ha="right", va="center", fontsize=9.5)
        panels[0, i].set_title(f"{name} features", fontsize=10.5, fontweight="bold", color=style.INK)
        begin = 0.5 * (POINTS - width * WAVE)
        panels[-1, i].plot([begin, begin + width * WAVE], [-0.25, -0.25], color=style.INK, linewidth=2.5, solid_capstyle="butt")
        panels[-1, i].set_xlabel("width of a feature", fontsize=8.5)
    figure.supylabel("examples", fontsize=10)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return that width matters early and hardly late."""
    learned, wave, names = data["learned"], data["wave"], list(WIDTHS)
    reach = (np.abs(learned[:, :, 0]) > 1e-12).mean(axis=2)  # share of points whose value has changed, [widths, runs]
    error = np.sqrt(np.mean((learned - wave) ** 2, axis=3))  # [widths, runs, numbers]
    steepest = np.abs(np.diff(learned, axis=3)).max(axis=3)
    found = []
    for i in (0, 1):
        wider = f"{names[i + 1]} features"
        found.append(less(f"after 10 examples {wider} have changed more than {names[i]} ones", 0.0, mean(reach[i + 1] - reach[i])))
        found.append(less(f"after 10 examples {wider} have smaller steps", 0.0, mean(steepest[i, :, 0] - steepest[i + 1, :, 0])))
    for i, name in enumerate(names):
        exact = data["expected"][i]
        for j in (0, 2, 5):
            inside = learned[i, :, j][:, (wave > 0)].mean(axis=1)
            text = f"{name}: after {NUMBERS[j]} examples the mean over the wave is the expected one"
            found.append(equal(text, mean(inside), float(exact[j, wave > 0].mean()), 1e-9))
        floor = float(np.sqrt(np.mean((data["best"][i] - wave) ** 2)))
        found.append(less(f"{name}: 50 intervals can draw the wave well", floor, 0.12))
        found.append(less(f"{name}: the error falls from 10 to 10,240 examples", 0.0, mean(error[i, :, 0] - error[i, :, -1])))
    found.append(less("after 10 examples they differ much in reach", 0.5, float(np.ptp(reach.mean(axis=1)))))
    found.append(less("in the end their errors differ by little", float(np.ptp(error[:, :, -1].mean(axis=1))), 0.05))
    return found
