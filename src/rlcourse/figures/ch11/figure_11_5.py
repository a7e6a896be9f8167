"""Figure 11.5: TDC on Baird's counterexample: it does not diverge, and takes very long to arrive.

Left a run of TDC, right its expected update, synchronous, both with alpha = 0.005 and beta = 0.05. The projected Bellman error falls to
zero as it should, but the value error stays near 2 after 1000 sweeps, and the weights are far from a solution, for which they would be
proportional to (1, 1, 1, 1, 1, 1, 4, -2). In truth they are still on their way: the PBE is so nearly zero that its gradient leads nowhere
soon. The book has the expected update alone on the right; the dashed curves are the means of many runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.off_policy.expected_gradient_td import expected_tdc
from rlcourse.agents.off_policy.tdc import tdc
from rlcourse.core.config import Config, Count, StepSize
from rlcourse.figures import baird, style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

EVERY, LONG = 10, 100_000  # steps between the points of a curve; sweeps of the long way


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 500
    steps: Count = 1000  # a multiple of 10
    alpha: StepSize = 0.005
    beta: StepSize = 0.05


FAST = {"runs": 60}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return weights of the runs [runs, steps / 10 + 1, 8], expected [steps + 1, 8] and those after a long way [8]."""
    sizes = (settings.alpha, settings.beta)

    def experiment(sizes: tuple[float, float], rng: np.random.Generator, n: int) -> np.ndarray:
        return baird.sampled(tdc, [baird.weights(), np.zeros(8)], sizes, settings.steps, n, EVERY, rng)[..., :8]

    path, w, v = np.zeros((settings.steps + 1, 8)), baird.weights(), np.zeros(8)
    expected_tdc(baird.WORLD, baird.POLICY, baird.MU, baird.FEATURES, w, v, *sizes, baird.GAMMA, path)
    expected_tdc(baird.WORLD, baird.POLICY, baird.MU, baird.FEATURES, w, v, *sizes, baird.GAMMA, np.zeros((LONG, 8)))
    return {"tdc": lab.study(experiment, [sizes], settings.runs)[0], "expected": path, "late": w}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw weights and both errors over time, as the book does."""
    figure.set_size_inches(9.2, 4.2)
    figure.get_layout_engine().set(wspace=0.06)
    left, right = figure.subplots(1, 2, sharey=True)
    style.panel(left, "TDC, one run", "steps", "")
    style.panel(right, "expected TDC", "sweeps", "")
    left.set_ylim(-3.0, 12.0)
    steps = np.arange(0, settings.steps + 1, EVERY)
    average = data["tdc"].mean(axis=0)
    right.plot(steps, average, color=style.GREY, linewidth=0.9, linestyle="--")
    for axes, x, path in ((left, steps, data["tdc"][0]), (right, np.arange(settings.steps + 1), data["expected"])):
        axes.plot(x, baird.root_ve(path), color=style.COLORS[3], linewidth=1.6, label="√VE")
        axes.plot(x, baird.root_pbe(path), color=style.INK, linewidth=1.6, label="√PBE")
        baird.draw_weights(axes, x, path, "upper right" if axes is left else "", 3)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what text and caption say, and the weights at the end."""
    path, late, runs = data["expected"], data["late"], data["tdc"]
    ve, pbe = baird.root_ve(path), baird.root_pbe(path)
    start, end = float(pbe[0]), mean(baird.root_pbe(runs[:, -1]))
    return [
        less("expected: the PBE falls to zero", float(pbe[-1]), 0.01),
        equal("expected: after 100 sweeps the root of VE is 3.3230", float(ve[100]), 3.3230, 5e-5),
        equal("expected: the root of VE remains near 2", float(ve[-1]), 1.9355, 5e-5),
        equal("expected: w_1 to w_6 end at 2.1353", float(path[-1, :6].max()), 2.1353, 5e-5),
        equal("expected: w_7 ends at 6.6281", float(path[-1, 6]), 6.6281, 5e-5),
        equal("expected: w_8 ends at -2.3380", float(path[-1, 7]), -2.3380, 5e-5),
        true("expected: the value error falls from its peak to the end", np.all(np.diff(ve[int(np.argmax(ve)) :]) < 1e-4)),
        less("it still moves: a hundred times as many sweeps later VE is smaller", float(baird.root_ve(late)), float(ve[-1]) - 0.02),
        less("but not by much", 1.8, float(baird.root_ve(late))),
        less("TDC: the PBE falls to a tenth of its start on average", end, 0.1 * start),
        true("TDC: in no run does the value error exceed 15", np.all(baird.root_ve(runs) < 15.0), f"{baird.root_ve(runs).max():.2f}"),
        equal("TDC: on average VE ends as expected", mean(baird.root_ve(runs[:, -1])), float(ve[-1]), 0.02),
        equal("TDC: on average w_8 does so too", mean(runs[:, -1, 7]), float(path[-1, 7]), 0.02),
    ]
