"""Section 14.2: blocking by the Rescorla-Wagner model.

Trial by trial. Left: CSA is paired with the US, then both CSA and CSB are; the dotted line is CSB in a control group without the first
phase. What CSA predicts already leaves no error from which CSB could learn; without it both share the US. Every point has a closed
form. Right: what the model cannot do. CSB is a predictor of the US, and CSA comes with it, without the US: animals learn about CSA
(second-order conditioning, Figure 14.3), the model makes CSA an inhibitor, since all that a trial teaches it is that the US failed to come.
The book gives no numbers: step size 0.1 and 50 trials a phase are ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.conditioning.rescorla_wagner import rescorla_wagner
from rlcourse.core.config import Config, Count, StepSize
from rlcourse.envs import ConditioningTrials
from rlcourse.features import presence
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less
from rlcourse.figures.conditioning import NONE
from rlcourse.figures.experiment import checkpoints

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

A, B, US = {"CSA": (0, 1)}, {"CSB": (0, 1)}, {"US": (1, 1)}


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    alpha: StepSize = 0.1  # step size
    trials: Count = 50  # of each phase


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Any) -> dict[str, np.ndarray]:
    """Return strengths of CSA and CSB by trial: blocked and second [2 trials + 1, 2], control [trials + 1, 2]."""

    def strengths(*kinds: Mapping[str, Sequence[float]]) -> np.ndarray:
        made: Any = [*kinds, A | B]  # one more kind, which never comes, so that both CSs are known
        world = ConditioningTrials.of(made, [(k, settings.trials) for k in range(len(kinds))], steps=1)
        w, features = np.zeros(2), presence(world.stimuli)

        def learn(trial: Any) -> None:
            rescorla_wagner(trial, np.ones(1), features, w, settings.alpha, 1.0, 1.0, NONE)

        return checkpoints(world, learn, lambda: w, range(len(kinds) * settings.trials + 1))

    return {"blocked": strengths(A | US, A | B | US), "control": strengths(A | B | US), "second": strengths(B | US, A | B)}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw associative strengths by trial."""
    figure.set_size_inches(9.4, 3.9)
    left, right = figure.subplots(1, 2, sharey=True)
    n, trials = settings.trials, np.arange(2 * settings.trials + 1)
    style.panel(left, "Blocking", "trial", "associative strength")
    for i, name in enumerate(("CSA", "CSB")):
        left.plot(trials, data["blocked"][:, i], color=style.COLORS[3 * i], label=name)
        right.plot(trials, data["second"][:, i], color=style.COLORS[3 * i], label=name)
    left.plot(trials[n:], data["control"][:, 1], color=style.COLORS[3], linestyle=":", linewidth=2, label="CSB without the first phase")
    style.panel(right, "Second-order conditioning: not in this model", "trial")
    for axes, phases in ((left, ("CSA, US", "CSA and CSB, US")), (right, ("CSB, US", "CSA and CSB, no US"))):
        axes.axvline(n, color=style.GREY, linestyle="--", linewidth=1)
        for i, text in enumerate(phases):
            axes.text((0.5 + i) * n, 1.12, text, ha="center", fontsize=8.5, color=style.GREY)
        axes.axhline(0, color=style.INK, linewidth=0.8)
        axes.set(ylim=(-0.6, 1.22), xlim=(0, 2 * n))
    left.legend(frameon=False, fontsize=8.5, loc="lower left")
    right.legend(frameon=False, fontsize=8.5, loc="lower left")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Section 14.2.2 says, and the closed forms."""
    n, alpha = settings.trials, settings.alpha
    blocked, control, second = data["blocked"], data["control"], data["second"]
    trials = np.arange(n + 1)
    left = (1 - alpha) ** n  # what is left of the error after the first phase
    share = (1 - (1 - 2 * alpha) ** trials) / 2  # of the error in a compound, to each of its two components
    return [
        equal("CSA alone: 1 - (1 - α)^n", float(np.abs(blocked[: n + 1, 0] - (1 - (1 - alpha) ** trials)).max()), 0.0, 1e-12),
        equal("in the compound each gets half of the error that is left", float(np.abs(blocked[n:, 1] - left * share).max()), 0.0, 1e-12),
        equal("control: both share the US", float(np.abs(control - share[:, None]).max()), 0.0, 1e-12),
        less("blocking: CSB learns less than a hundredth of the control's", float(blocked[-1, 1]), 0.01 * float(control[-1, 1])),
        less("without the first phase it learns", 0.49, float(control[-1, 1])),
        equal("what is present predicts the US: strengths add up to its intensity", float(control[-1].sum()), 1.0, 1e-3),
        equal("no second-order conditioning: CSA loses what CSB loses", float(second[-1, 0]), -(1 - left) * share[-1], 1e-12),
    ]
