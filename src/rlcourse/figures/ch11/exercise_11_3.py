"""Exercise 11.3: semi-gradient Q-learning diverges on Baird's counterexample.

Each of the two actions has eight weights over the features of Figure 11.1, and both begin at (1, 1, 1, 1, 1, 1, 10, 1). The behaviour
takes solid in one of seven steps, and no ratio makes up for it: what TD does in 1000 steps takes Q-learning several times as many. Then
its weights grow without bound, those of dashed with those of solid, because the maximum hands them on. Right the same with behaviours
that take solid more often, which is the greedy policy while values grow. At 0.3 it diverges faster, because there is more to learn from;
from one half on, the lower state is updated often enough to hold the values down. All rewards are zero, so action values are errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.off_policy.off_policy_q_learning import off_policy_q_learning
from rlcourse.core.config import Config, Count, StepSize
from rlcourse.core.weight_paths import WeightPaths
from rlcourse.figures import baird, style
from rlcourse.figures.claims import Claim, less, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

EVERY = 100  # steps between the points of a curve
SOLID = np.array([1.0 / 7.0, 0.3, 0.5, 0.7])  # how often the behaviour takes solid


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 100
    steps: Count = 20_000  # a multiple of 100
    alpha: StepSize = 0.01


FAST = {"runs": 20}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return weights over time [behaviours, runs, steps / 100 + 1, 2, 8]."""

    def experiment(solid: float, rng: np.random.Generator, n: int) -> np.ndarray:
        paths = WeightPaths.of(baird.WORLD, n, settings.steps, [np.tile(baird.weights(), (2, 1))], EVERY)
        behavior = np.array([1.0 - solid, solid])
        off_policy_q_learning(paths, behavior, baird.FEATURES, paths.tables((2, 8))[0], settings.alpha, baird.GAMMA, rng)
        return paths.paths().reshape(n, -1, 2, 8)

    return {"weights": np.array(lab.study(experiment, [float(s) for s in SOLID], settings.runs, chunk=20))}


def error(weights: np.ndarray) -> np.ndarray:
    """Return the root-mean-square action value over all states and actions, for weights [..., 2, 8]."""
    return np.asarray(np.sqrt(((weights @ baird.X.T) ** 2).mean(axis=(-2, -1))))


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw a run's weights, and the error for all behaviours."""
    figure.set_size_inches(9.2, 4.0)
    left, right = figure.subplots(1, 2)
    style.panel(left, "b takes solid in 1/7 of the steps, one run", "steps", "weights")
    steps = np.arange(0, settings.steps + 1, EVERY)
    one = data["weights"][0, 0]
    for a, (name, dash) in enumerate((("dashed", "--"), ("solid", "-"))):
        for i, (label, color) in enumerate((("w₁ … w₆", 0), ("w₇", 1), ("w₈", 2))):
            path = one[:, a, :6].mean(axis=1) if i == 0 else one[:, a, 5 + i]
            left.plot(steps, path, dash, color=style.COLORS[color], linewidth=1.3, label=f"{label} of {name}")
    for axes in (left, right):
        axes.set_xticks(np.linspace(0, settings.steps, 5))
    left.set_yscale("symlog", linthresh=10)
    left.set_ylim(-1e5, 1e5)
    left.legend(frameon=False, fontsize=8, loc="lower left")
    style.panel(right, "by how often b takes solid", "steps", "root-mean-square action value")
    for i, solid in enumerate(SOLID):
        errors = error(data["weights"][i])
        middle, low, high = (np.quantile(errors, q, axis=0) for q in (0.5, 0.1, 0.9))
        right.plot(steps, middle, color=style.COLORS[i], label="1/7" if i == 0 else f"{solid:g}")
        right.fill_between(steps, low, high, color=style.COLORS[i], alpha=0.2, linewidth=0)
    right.set_yscale("log")
    right.legend(frameon=False, fontsize=8)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return that it diverges, and where it does not."""
    errors = error(data["weights"])
    first, last = errors[:, :, 0], errors[:, :, -1]
    w, half = data["weights"][0, :, -1], errors.shape[2] // 2
    return [
        true(
            "in every run the error grows a thousandfold", np.all(last[0] > 1000.0 * first[0]), f"smallest {(last[0] / first[0]).min():.0f}"
        ),
        true("w_8 of both actions exceeds 1000 in every run", np.all(w[:, :, 7] > 1000.0)),
        true("dashed follows: its weights grow with those of solid", np.all(w[:, 0, 7] > 0.5 * w[:, 1, 7])),
        true(
            "it goes on: the second half of the time multiplies the error at least by ten",
            np.all(last[0] > 10.0 * errors[0, :, half]),
        ),
        true(
            "solid in half of the steps: in the second half of the time the error falls in every run", np.all(last[2] < errors[2, :, half])
        ),
        true("solid in seven of ten: so it does", np.all(last[3] < errors[3, :, half])),
        less("at its worst it is below a thousand with half", float(errors[2].max()), 1000.0),
    ]
