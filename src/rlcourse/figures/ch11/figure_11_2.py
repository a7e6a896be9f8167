"""Figure 11.2: on Baird's counterexample semi-gradient TD diverges, and so does dynamic programming.

Left a run of semi-gradient off-policy TD(0); right semi-gradient dynamic programming, which has no randomness and no asynchrony to blame:
all states are updated at once, with expected targets (11.9). The weights grow without bound, for any step size: the matrix of the expected
update has a negative eigenvalue. The step size is 0.01, the first weights are (1, 1, 1, 1, 1, 1, 10, 1). Of the left panel there is no
other curve to compare with than one's own run, so what is claimed of it holds in each of many runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.off_policy.expected_updates import expected_td
from rlcourse.agents.off_policy.semi_gradient_off_policy_td0 import semi_gradient_off_policy_td0
from rlcourse.core import exact_linear
from rlcourse.core.config import Config, Count, StepSize
from rlcourse.figures import baird, style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

EVERY = 10  # steps between the points of a curve


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 500
    steps: Count = 1000  # a multiple of 10
    alpha: StepSize = 0.01


FAST = {"runs": 60}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return weights of the runs [runs, steps / 10 + 1, 8] and of dynamic programming [steps + 1, 8]; eigenvalues of the update [8]."""

    def experiment(alpha: float, rng: np.random.Generator, n: int) -> np.ndarray:
        return baird.sampled(semi_gradient_off_policy_td0, [baird.weights()], (alpha,), settings.steps, n, EVERY, rng)

    path = np.zeros((settings.steps + 1, 8))
    expected_td(baird.WORLD, baird.POLICY, baird.MU, baird.FEATURES, baird.weights(), settings.alpha, baird.GAMMA, path)
    A, _ = exact_linear.td_equations(baird.WORLD, baird.POLICY, baird.X, baird.GAMMA, baird.MU)
    return {"td": lab.study(experiment, [settings.alpha], settings.runs)[0], "dp": path, "eigenvalues": np.linalg.eigvals(A).real}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the weights over time, as the book does."""
    figure.set_size_inches(9.2, 4.0)
    figure.get_layout_engine().set(wspace=0.06)
    left, right = figure.subplots(1, 2, sharey=True)
    style.panel(left, "semi-gradient off-policy TD, one run", "steps", "weights")
    style.panel(right, "semi-gradient DP", "sweeps", "")
    steps = np.arange(0, settings.steps + 1, EVERY)
    for path in data["td"][1:40]:
        left.plot(steps, path[:, 7], color=style.COLORS[2], linewidth=0.4, alpha=0.25)
    baird.draw_weights(left, steps, data["td"][0], "upper left")
    baird.draw_weights(right, np.arange(settings.steps + 1), data["dp"])
    left.annotate("w₈ in other runs", (0.7, 0.93), xycoords="axes fraction", ha="right", fontsize=8, color=style.COLORS[2])


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the section says of the figure, and the weights at the end."""
    td, dp = data["td"], data["dp"]
    growing = np.diff(baird.root_ve(dp)[settings.steps // 5 :])
    return [
        equal("at the first weights the root of VE is 5.3184", float(baird.root_ve(dp[0])), 5.3184, 5e-5),
        equal("at the first weights the root of PBE is 8.2214", float(baird.root_pbe(dp[0])), 8.2214, 5e-5),
        equal("DP: after 1000 sweeps w_1 to w_6 are 114.434", float(dp[-1, :6].max()), 114.434, 5e-4),
        equal("DP: w_7 is 6.850", float(dp[-1, 6]), 6.850, 5e-4),
        equal("DP: w_8 is 335.001", float(dp[-1, 7]), 335.001, 5e-4),
        true("DP: the six upper weights stay equal", np.ptp(dp[:, :6], axis=1).max() < 1e-9),
        true("DP: the value error grows in every sweep of the last four fifths", np.all(growing > 0)),
        less("any step size diverges: an eigenvalue of the expected update is negative", float(data["eigenvalues"].min()), -0.2),
        true("TD: w_8 exceeds 100 in every run", np.all(td[:, -1, 7] > 100.0), f"smallest {td[:, -1, 7].min():.0f}"),
        true("TD: so does the value error", np.all(baird.root_ve(td[:, -1]) > 100.0)),
        true("TD: w_7 hardly moves", np.all(np.abs(td[:, -1, 6] - 7.0) < 7.0), f"{td[:, -1, 6].min():.1f} to {td[:, -1, 6].max():.1f}"),
        equal("TD: on average w_8 ends as in DP", mean(td[:, -1, 7]), float(dp[-1, 7]), 10.0),
        equal("TD: on average the upper weights do so too", mean(td[:, -1, :6].mean(axis=1)), float(dp[-1, 0]), 4.0),
    ]
