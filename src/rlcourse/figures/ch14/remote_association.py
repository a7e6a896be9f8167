"""Section 14.2.4: facilitation of a remote association by an intervening stimulus.

Trace conditioning: there is a gap between CSA and the US. A second stimulus, CSB, fills it; the picture has CSA's associative strength with
and without. In the TD model CSB soon predicts the US, and is then what CSA predicts: both the rate and the level of conditioning
to CSA rise. With presence as features CSA cannot tell how long ago it was, so its own trace has to bridge the gap otherwise. The
book shows the time lines without numbers: CSs of 4 steps and a US of 2, as in the program of 1990.
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

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

TRACE = {"CSA": (0, 4), "US": (8, 2)}
SERIAL = TRACE | {"CSB": (4, 4)}
ALONE = {"CSB": (4, 4), "US": (8, 2)}


@dataclass(frozen=True)
class Settings(Simulation):
    """What the figure is made with."""


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Any) -> dict[str, np.ndarray]:
    """Return strengths before each trial and at the end: CSA without CSB [trials + 1, 1], both [trials + 1, 2]; and their limits."""
    kinds = {"trace": TRACE, "serial": SERIAL, "alone": ALONE}
    found = {name: strengths([kind], 1, settings) for name, kind in kinds.items()}
    for name, kind in kinds.items():
        world = ConditioningTrials.of([kind])
        found[f"limit_{name}"] = limit(world, presence(world.stimuli), settings)
    return found


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the time lines, and CSA's strength by trial."""
    figure.set_size_inches(8.6, 3.6)
    lines, axes = figure.subplots(1, 2, width_ratios=(1, 1.5))
    time_lines(lines, SERIAL, 14, absent=("CSB",))
    style.panel(axes, "", "trial", "associative strength of CSA")
    axes.plot(data["serial"][:, 0], color=style.COLORS[0], label="CSB present")
    axes.plot(data["trace"][:, 0], color=style.COLORS[0], linestyle="--", label="CSB absent")
    style.reference(axes, float(data["limit_serial"][0]), "limit with CSB")
    style.reference(axes, float(data["limit_trace"][0]), "limit without")
    axes.set(ylim=(0, 1.6), xlim=(0, settings.trials))
    axes.legend(frameon=False, fontsize=9, loc="upper left")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Section 14.2.4 says."""
    without, both, alone = data["trace"][:, 0], data["serial"], data["alone"][:, 0]
    low, high = float(data["limit_trace"][0]), float(data["limit_serial"][0])
    soon = int(np.argmax(both[:, 0] >= without[-1]))
    return [
        true("CSB raises the rate of conditioning to CSA: it is ahead once CSB predicts anything", np.all(both[2:, 0] > without[2:])),
        less("it reaches the other's final strength in half of the trials", soon, settings.trials / 2),
        less("CSB raises the level: limits", 1.5 * low, high),
        equal("without CSB the last trial is near the limit", float(without[-1]), low, 0.03),
        equal("with CSB the last trial is near the limit", float(both[-1, 0]), high, 0.05),
        equal("CSB itself learns as if alone: CSA is over before", float(np.abs(both[:, 1] - alone).max()), 0.0, 1e-9),
    ]
