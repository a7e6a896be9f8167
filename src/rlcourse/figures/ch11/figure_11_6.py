"""Figure 11.6: one-step emphatic TD on Baird's counterexample, in expectation.

Emphatic TD converges to the optimal solution: all values, and the value error, go to zero. Single runs do not show it, their variance is
too high, so the book iterates the expected update, with alpha = 0.03 and an interest of 1 everywhere. Left by the definition: E[M_t | S_t]
follows on from its start, where it is the interest. Its limit is the book's, its way there is not: the printed curves oscillate and peak
later. Right what matches the printed curves within reading error, and was inferred from them, not documented: a constant emphasis of 1 in
the upper states and of 100 = 1 / (1 - gamma) in the lower one. Claims on the way are about the definition alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.off_policy.emphatic_td import emphatic_td
from rlcourse.agents.off_policy.expected_updates import expected_emphatic_td, expected_td
from rlcourse.core.config import Config, Count, NonNegative, StepSize
from rlcourse.figures import baird, style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

LIMIT = np.array([1.6923] * 6 + [6.7692, -3.3846])
SOLUTION = np.array([1.0] * 6 + [4.0, -2.0])  # all values are zero for multiples of it
FITTED = np.array([1.0] * 6 + [100.0])  # emphasis of each state in the variant that matches the printed curve
EVERY = 10
SHORT, SMALL = 5, 1e-8  # steps and step size with which single runs are compared to the expectation


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 500  # of sampled emphatic TD, for its variance
    sweeps: Count = 1000  # a multiple of 10
    alpha: StepSize = 0.03
    interest: NonNegative = 1.0


FAST = {"runs": 60}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return the expected weights [sweeps + 1, 8] by the definition and as fitted, emphasis in the end [7], and errors of sampled runs."""
    definition, fitted, M = np.zeros((settings.sweeps + 1, 8)), np.zeros((settings.sweeps + 1, 8)), settings.interest * baird.MU
    at = (settings.alpha, baird.GAMMA)
    expected_emphatic_td(baird.WORLD, baird.POLICY, baird.MU, settings.interest, baird.FEATURES, baird.weights(), M, *at, definition)
    expected_td(baird.WORLD, baird.POLICY, FITTED * baird.MU, baird.FEATURES, baird.weights(), *at, fitted)

    def experiment(alpha: float, rng: np.random.Generator, n: int) -> np.ndarray:
        paths = baird.sampled(emphatic_td, [baird.weights()], (settings.interest, alpha), settings.sweeps, n, EVERY, rng)
        with np.errstate(over="ignore", invalid="ignore"):
            return baird.root_ve(paths)

    def begin(alpha: float, rng: np.random.Generator, n: int) -> np.ndarray:
        return baird.sampled(emphatic_td, [baird.weights()], (settings.interest, alpha), SHORT, n, SHORT, rng)[:, 1]

    sampled = lab.study(experiment, [settings.alpha], settings.runs)[0]
    early, near = lab.study(begin, [SMALL], 100 * settings.runs, chunk=5_000)[0], np.zeros((SHORT + 1, 8))
    M_0 = settings.interest * baird.MU
    small = (SMALL, baird.GAMMA, near)
    expected_emphatic_td(baird.WORLD, baird.POLICY, baird.MU, settings.interest, baird.FEATURES, baird.weights(), M_0, *small)
    return {"definition": definition, "fitted": fitted, "emphasis": M / baird.MU, "sampled": sampled, "early": early, "near": near[-1]}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw both, as the book draws its one panel."""
    figure.set_size_inches(9.2, 4.2)
    figure.get_layout_engine().set(wspace=0.06)
    panels = figure.subplots(1, 2, sharey=True)
    titles = {"definition": "by the definition", "fitted": "matches the printed curve; inferred"}
    for axes, (name, title) in zip(panels, titles.items(), strict=True):
        style.panel(axes, title, "sweeps", "")
        axes.plot(baird.root_ve(data[name]), color=style.COLORS[3], linewidth=1.6, label="√VE")
        baird.draw_weights(axes, np.arange(settings.sweeps + 1), data[name], "upper right", 2)
        for limit in np.unique(LIMIT):
            axes.plot([0.95 * settings.sweeps, settings.sweeps], [limit, limit], color=style.GREY, linestyle=":", linewidth=1)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return the limit, the way there by the definition, and the variance of single runs."""
    path, ve, sampled = data["definition"], baird.root_ve(data["definition"]), data["sampled"]
    wild = np.mean(~(np.nanmax(np.where(np.isfinite(sampled), sampled, np.inf), axis=1) < 100.0))
    return [
        less("the value error goes to zero", float(ve[-1]), 1e-9),
        equal("the weights end at (1.6923, ..., 6.7692, -3.3846)", float(np.abs(path[-1] - LIMIT).max()), 0.0, 5e-5),
        equal("which is proportional to (1, ..., 1, 4, -2)", float(np.abs(path[-1] / path[-1, 0] - SOLUTION).max()), 0.0, 1e-9),
        equal("the emphasis of the upper states is the interest", float(data["emphasis"][:6].max()), settings.interest, 1e-12),
        equal("that of the lower one tends to 694", float(data["emphasis"][6]), 694.0, 0.05),
        equal("by the definition the value error peaks at 10.66", float(ve.max()), 10.656, 0.001),
        equal("in sweep 26", float(np.argmax(ve)), 26.0),
        true("the way printed in the book has a later peak", np.argmax(baird.root_ve(data["fitted"])) == 46),
        less("the fitted variant is near the same limit by then", float(baird.root_ve(data["fitted"])[-1]), 0.05),
        equal(
            "in their first five steps they move as expected on average: w_8",
            mean((data["early"][:, 7] - 1.0) / SMALL),
            (float(data["near"][7]) - 1.0) / SMALL,
            0.5,
        ),
        less("single runs: their value error exceeds 100 in more than half of them", 0.5, float(wild)),
    ]
