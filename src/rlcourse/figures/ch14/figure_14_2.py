"""Figure 14.2: temporal primacy overriding blocking in the TD model.

CSB predicts the US already; then CSA is added. Where both begin together CSA is blocked, as in the Rescorla-Wagner model. But where CSA
begins earlier it is not blocked: it predicts what CSB predicts, gains strength, and CSB loses its own. It does not matter
that CSB was there first: the limit is that of the Egger-Miller experiment, whose stimuli these are. An earlier predictor takes
precedence over a later one because values are backed up from later to earlier times. The book shows the second phase only, and no
numbers beside the time lines; CSs, US and constants are those of the program of 1990.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.envs import ConditioningTrials
from rlcourse.features import presence
from rlcourse.figures import style
from rlcourse.figures.ch14.egger_miller import BOTH, SHORT
from rlcourse.figures.claims import Claim, equal, less, true
from rlcourse.figures.conditioning import Simulation, limit, strengths, time_lines

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

TOGETHER = SHORT | {"CSA": (4, 4)}


@dataclass(frozen=True)
class Settings(Simulation):
    """What the figure is made with."""


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Any) -> dict[str, np.ndarray]:
    """Return strengths of CSA and CSB in both phases [2 trials + 1, 2], with an early CSA and with one that begins with CSB; limits [2]."""
    world = ConditioningTrials.of([BOTH])
    found = {name: strengths([SHORT, kind], 2, settings) for name, kind in (("earlier", BOTH), ("together", TOGETHER))}
    return found | {"limit": limit(world, presence(world.stimuli), settings)}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the time lines, and both strengths by trial of the second phase."""
    figure.set_size_inches(8.6, 3.8)
    lines, axes = figure.subplots(1, 2, width_ratios=(1, 1.5))
    time_lines(lines, BOTH, 14)
    style.panel(axes, "", "trial of the second phase", "associative strength")
    n = settings.trials
    for i, name in enumerate(("CSA", "CSB")):
        axes.plot(data["earlier"][n:, i], color=style.COLORS[3 * i], label=f"{name}, CSA earlier")
        axes.plot(data["together"][n:, i], color=style.COLORS[3 * i], linestyle=":", label=f"{name}, both at once")
    axes.set(ylim=(-0.05, 1.85), xlim=(0, n))
    axes.legend(frameon=False, fontsize=8.5, loc="upper left", bbox_to_anchor=(1.0, 0.85))


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the caption and Section 14.2.4 say."""
    n = settings.trials
    (first, second), (blocked, _) = data["earlier"][n:].T, data["together"][n:].T
    return [
        equal("CSB is fully associated with the US in the first phase, as in Figure 14.3: 1.65", float(second[0]), 1.65, 0.005),
        less("begun together with CSB, CSA is blocked", float(blocked.max()), 0.01 * float(second[0])),
        less("begun earlier it is not: it gains most of what CSB had", 0.5 * float(second[0]), float(first[-1])),
        true("CSA gains strength in every trial", np.all(np.diff(first) > 0)),
        true("CSB loses strength in every trial", np.all(np.diff(second) < 0)),
        less("until the newcomer is far ahead", 2 * float(second[-1]), float(first[-1])),
        equal("where this leads does not depend on what was there first: CSA's limit", float(first[-1]), float(data["limit"][0]), 0.1),
        less("and CSB's, which is nearer now than where it was", float(second[-1] - data["limit"][1]), float(second[0] - second[-1])),
    ]
