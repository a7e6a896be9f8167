"""Section 14.2.4: conditioning depends on the interval between CS and US.

With nothing but the presence of the CS as a feature the TD model has the basic properties of conditioning: it needs a positive interval
from the onset of the CS to that of the US, is best at some interval, and falls to zero for long ones (exactly none at zero or less:
the trace of the CS begins at its onset). Strength after 80 trials by interval, for a CS of 4 steps, which leaves a gap where the
interval is longer (trace conditioning), and for a CS that lasts until the US (delay conditioning). The book describes the curve; a
US of one step is ours, other numbers are as in the program of 1990.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Count
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, true
from rlcourse.figures.conditioning import Simulation, strengths

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

ONSET = 20


@dataclass(frozen=True)
class Settings(Simulation):
    """What the figure is made with."""

    duration: Count = 4  # steps of the CS in trace conditioning
    longest: Count = 40  # the longest interval, steps


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Any) -> dict[str, np.ndarray]:
    """Return intervals [I], and the strength of the CS after all trials, with a fixed CS and with one that lasts until the US, [I] each."""
    intervals = np.arange(-8, settings.longest + 1)
    found = []
    for fixed in (True, False):
        row = []
        for interval in intervals.tolist():
            duration = settings.duration if fixed or interval < 1 else interval
            kind = {"CSA": (ONSET, duration), "US": (ONSET + interval, 1)}
            row.append(strengths([kind], 1, settings, steps=160)[-1, 0])
        found.append(row)
    return {"interval": intervals, "trace": np.array(found[0]), "delay": np.array(found[1])}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw strength by interval."""
    axes = style.panel(figure.subplots(), "", "interval from the onset of the CS to the US, steps", "associative strength")
    axes.plot(data["interval"], data["trace"], color=style.COLORS[0], marker="o", markersize=3, label=f"CS of {settings.duration} steps")
    axes.plot(data["interval"], data["delay"], color=style.COLORS[1], marker="o", markersize=3, label="CS until the US")
    axes.axvline(0, color=style.GREY, linewidth=1, linestyle="--")
    axes.set_xlim(-8, settings.longest)
    axes.legend(frameon=False, fontsize=9)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Section 14.2.4 says."""
    interval, found = data["interval"], []
    for name in ("trace", "delay"):
        v, best = data[name], int(data[name].argmax())
        found += [
            equal(f"{name}: nothing is learned at an interval of zero or less", float(np.abs(v[interval <= 0]).max()), 0.0),
            true(f"{name}: there is a best interval, and it is positive", interval[best] > 0, f"{interval[best]} steps"),
            true(f"{name}: strength falls from there on", np.all(np.diff(v[best:]) < 0)),
        ]
    return [
        *found,
        less("trace: towards zero", float(data["trace"][-1]), 0.01),
        true("a CS that lasts until the US is never worse than one that leaves a gap", np.all(data["delay"] >= data["trace"] - 1e-12)),
    ]
