"""Figure 14.3: second-order conditioning with the TD model.

First CSB is paired with the US (not in the picture). Then CSA comes before CSB, and the US no more. CSA gains associative strength
although it is never paired with the US: for the TD model a rise of the prediction is as good as a US. CSB meanwhile is a US less than
it says, loses its strength, and with it the power to reinforce: CSA's strength has a peak, and falls. The book's text has CSB begin
at 1.65, and gives no other numbers. With the program of 1990 (CSs of 4 steps, a US of 2 steps right after CSB, 80 trials) it is 1.653;
the small-step limit is (1 - q^4) (1 + q) / ((1 - q^4) + (1 - gamma) (3 - q - q^2 - q^3)) = 1.6533 with q = gamma lambda = 0.8.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.envs import ConditioningTrials
from rlcourse.features import presence
from rlcourse.figures import style
from rlcourse.figures.ch14.egger_miller import SHORT
from rlcourse.figures.claims import Claim, equal, less, true
from rlcourse.figures.conditioning import Simulation, by_trial, limit, time_lines

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

SECOND = {"CSA": (0, 4), "CSB": (4, 4)}


@dataclass(frozen=True)
class Settings(Simulation):
    """What the figure is made with."""


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Any) -> dict[str, np.ndarray]:
    """Return strengths of CSA and CSB: first phase and second phase [trials + 1, 2], second phase with gamma = 0; CSB's limit [2]."""
    world = ConditioningTrials.of([SHORT, SECOND], [(0, settings.trials), (1, settings.trials)])
    features = presence(world.stimuli)
    both = by_trial(world, features, settings, 2 * settings.trials)
    again = world._replace(schedule=np.array([1]), clock=np.zeros(1, np.int64))
    blind = by_trial(again, features, dataclasses.replace(settings, gamma=0.0), settings.trials, both[settings.trials])
    return {
        "first": both[: settings.trials + 1],
        "second": both[settings.trials :],
        "blind": blind,
        "limit": limit(world, features, settings),
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the time lines, and both strengths by trial of the second phase."""
    figure.set_size_inches(8.6, 3.6)
    lines, axes = figure.subplots(1, 2, width_ratios=(1, 1.5))
    time_lines(lines, SECOND, 12)
    style.panel(axes, "", "trial of the second phase", "associative strength")
    for i, name in enumerate(("CSA", "CSB")):
        axes.plot(data["second"][:, i], color=style.COLORS[3 * i], label=name)
    peak = int(data["second"][:, 0].argmax())
    axes.annotate("peak", (peak, data["second"][peak, 0]), (peak + 14, data["second"][peak, 0] + 0.3), fontsize=9,
                  arrowprops={"arrowstyle": "->", "color": style.GREY})  # fmt: skip
    axes.plot(data["blind"][:, 0], color=style.COLORS[0], linestyle=":", label="CSA, γ = 0")
    axes.set(ylim=(-0.05, 1.8), xlim=(0, settings.trials))
    axes.legend(frameon=False, fontsize=9, loc="upper right")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the caption and the text say, and CSB's strength after the first phase."""
    first, second = data["second"].T
    q, gamma, peak = settings.gamma * settings.lam, settings.gamma, int(first.argmax())
    exact = (1 - q**4) * (1 + q) / ((1 - q**4) + (1 - gamma) * (3 - q - q * q - q * q * q))
    return [
        equal("CSB's strength after the first phase, as printed: 1.65", float(second[0]), 1.65, 0.005),
        equal("its small-step limit has the closed form", float(data["limit"][1]), exact, 1e-12),
        equal("and its last trial is there", float(second[0]), exact, 0.001),
        less("CSA gains associative strength without ever being paired with the US", 0.1, float(first[peak])),
        true("it has a peak, and falls", 0 < peak < settings.trials / 2 and np.all(np.diff(first[peak:]) < 0), f"peak in trial {peak}"),
        less("to less than half of the peak", float(first[-1]), first[peak] / 2),
        true("CSB loses strength in every trial, for the US does not come", np.all(np.diff(second) < 0)),
        less("CSB is all but extinct in the end", float(second[-1]), 0.05 * float(second[0])),
        equal("without a temporal difference (γ = 0) CSA learns nothing", float(np.abs(data["blind"][:, 0]).max()), 0.0),
    ]
