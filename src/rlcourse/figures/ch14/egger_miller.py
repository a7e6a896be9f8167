"""Section 14.2.4: the Egger-Miller effect.

Two stimuli end together, at the onset of the US; CSA begins earlier. CSB lies better in time, and yet the presence of CSA reduces
conditioning to CSB much: the picture has CSB's associative strength with and without CSA. In the TD model this is no failure to
learn: CSB predicts at first, and hands over to the earlier stimulus, which predicts it. The book shows the time lines without
numbers: as CSB here the CS of 4 steps, next to a US of 2, of the program of 1990, and CSA twice as long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.envs import ConditioningTrials
from rlcourse.features import presence
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, true
from rlcourse.figures.conditioning import Simulation, limit, strengths, time_lines

__all__ = ["BOTH", "FAST", "SHORT", "Settings", "claims", "draw", "run"]

SHORT = {"CSB": (4, 4), "US": (8, 2)}
BOTH = SHORT | {"CSA": (0, 8)}


@dataclass(frozen=True)
class Settings(Simulation):
    """What the figure is made with."""


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Any) -> dict[str, np.ndarray]:
    """Return strengths before each trial and at the end: CSB alone [trials + 1, 1], CSA and CSB [trials + 1, 2]; and the limits."""
    found = {name: strengths([kind], 1, settings) for name, kind in (("alone", SHORT), ("both", BOTH))}
    for name, kind in (("alone", SHORT), ("both", BOTH)):
        world = ConditioningTrials.of([kind])
        found[f"limit_{name}"] = limit(world, presence(world.stimuli), settings)
    return found


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the time lines, and CSB's strength by trial."""
    figure.set_size_inches(8.6, 3.6)
    lines, axes = figure.subplots(1, 2, width_ratios=(1, 1.5))
    time_lines(lines, BOTH, 14, absent=("CSA",))
    style.panel(axes, "", "trial", "associative strength")
    axes.plot(data["alone"][:, 0], color=style.COLORS[3], linestyle="--", label="CSB, CSA absent")
    axes.plot(data["both"][:, 1], color=style.COLORS[3], label="CSB, CSA present")
    axes.plot(data["both"][:, 0], color=style.COLORS[0], linewidth=0.9, label="CSA")
    axes.set(ylim=(0, 1.85), xlim=(0, settings.trials))
    axes.legend(frameon=False, fontsize=9, loc="center right")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Section 14.2.4 says."""
    alone, (first, second) = data["alone"][:, 0], data["both"].T
    return [
        less("the presence of CSA reduces conditioning to CSB to less than a third", float(second[-1]), float(alone[-1]) / 3),
        less("and so it does in the limit", float(data["limit_both"][1]), float(data["limit_alone"][0]) / 3),
        true("in no trial but the first, when nothing is predicted yet, is it otherwise", np.all(second[2:] < alone[2:])),
        less("the earlier stimulus becomes the stronger one", float(second[-1]), float(first[-1])),
        true(
            "CSB predicts at first, then loses strength",
            0 < int(second.argmax()) < settings.trials // 2 and second[-1] < second.max() - 0.1,
        ),
        equal("alone, CSB has the 1.65 from which Figure 14.3 begins", float(alone[-1]), 1.65, 0.005),
    ]
