"""Figure 14.4: US prediction over the course of acquisition for three stimulus representations.

A stimulus of 25 steps, then the US: predictions within trials 1, 10, 50 and 200. With the complete serial compound they grow
exponentially through the interval and peak at the US intensity. With presence they are one level, which depends on the US intensity and on
the length of the interval. Microstimuli come near the exponential by a linear combination of bumps. The constants are those of
Ludvig, Sutton and Kehoe (2012), whose figure the book adapts: alpha = 0.05, gamma = 0.97, lambda = 0.95, presence 0.2, six microstimuli
of width 0.08 over a trace that keeps 0.985 a step. As there, the US is a stimulus too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count, Discount, Positive, Probability, StepSize
from rlcourse.envs import ConditioningTrials
from rlcourse.features import complete_serial_compound, microstimuli, presence
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, true
from rlcourse.figures.conditioning import by_trial, limit

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

COLUMNS = ("complete serial compound", "presence", "microstimuli")
TRIALS = (1, 10, 50, 200)
ONSET = 5


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    interval: Count = 25  # steps from the onset of the CS to the US
    steps: Count = 300  # of a trial
    alpha: StepSize = 0.05  # step size
    gamma: Discount = 0.97  # discount rate
    lam: Probability = 0.95  # trace decay, lambda
    clip: bool = False  # predictions below zero are what they are
    level: Positive = 0.2  # of presence
    m: Count = 6  # microstimuli of each stimulus
    sigma: Positive = 0.08  # width of a microstimulus
    decay: Probability = 0.985  # memory that a step leaves of the trace


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Any) -> dict[str, np.ndarray]:
    """Return predictions by time: of each representation after each of `TRIALS` [3, 4, T], limits [3, T]; presence's limits elsewhere."""
    c, T = settings, ONSET + settings.interval + 15
    found, limits = [], []
    for i in range(3):
        world, features = setting(c, c.interval, 1.0, i)
        w = by_trial(world, features, c, TRIALS[-1])
        found.append((w[list(TRIALS)] @ features.rows.T)[:, :T])
        limits.append((features.rows @ limit(world, features, c))[:T])
    levels = []
    for interval, us in ((10, 1.0), (c.interval, 1.0), (50, 1.0), (c.interval, 2.0)):
        world, features = setting(c, interval, us, 1)
        levels.append(c.level * limit(world, features, c)[0])
    return {"predictions": np.array(found), "limits": np.array(limits), "levels": np.array(levels)}


def setting(c: Settings, interval: int, us: float, column: int) -> tuple[ConditioningTrials, Any]:
    """Return trials with an interval and a US intensity, and the features of a column of the figure."""
    world = ConditioningTrials.of([{"CSA": (ONSET, interval), "US": (ONSET + interval, 1, us)}], steps=c.steps)
    shown = np.concatenate([world.stimuli, world.us[..., None] > 0], axis=2)
    made = (complete_serial_compound(shown, 150), presence(shown, c.level), microstimuli(shown, c.m, c.sigma, c.decay))
    return world, made[column]


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw US predictions within a trial, one panel for each representation."""
    figure.set_size_inches(9.6, 3.9)
    times = np.arange(data["predictions"].shape[2]) - ONSET
    for i, (axes, name) in enumerate(zip(figure.subplots(1, 3, sharey=True), COLUMNS, strict=True)):
        style.panel(axes, name, "time since the onset of the CS", "US prediction" if i == 0 else "")
        for j, trial in enumerate(TRIALS):
            axes.plot(times, data["predictions"][i, j], color=style.COLORS[j], label=f"trial {trial}")
        axes.plot(times, data["limits"][i], color=style.INK, linestyle=":", linewidth=1, label="limit")
        axes.axvline(settings.interval, color=style.GREY, linewidth=1, linestyle="--")
        axes.text(settings.interval + 0.5, 1.12, "US", fontsize=8.5, color=style.GREY)
        axes.set(ylim=(-0.12, 1.2), xlim=(-ONSET, times[-1]))
    axes.legend(frameon=False, fontsize=8.5, loc="upper left", bbox_to_anchor=(1.0, 0.9))


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the caption and the text say."""
    c, (compound, level, bumps) = settings, data["predictions"]
    inside = slice(ONSET, ONSET + c.interval)
    exponential = c.gamma ** np.arange(c.interval - 1, -1, -1)
    short, usual, long, double = data["levels"]
    settled = data["limits"][:, inside]
    rms = [float(np.sqrt(np.mean((settled[i] - exponential) ** 2))) for i in (1, 2)]
    late = float(np.sqrt(np.mean((bumps[-1, inside] - exponential) ** 2)))
    return [
        equal(
            "compound: in the limit the prediction is γ to the steps that are left", float(np.abs(settled[0] - exponential).max()), 0, 1e-9
        ),
        equal("compound: and in trial 200", float(np.abs(compound[-1, inside] - exponential).max()), 0.0, 0.02),
        true("compound: it grows through the interval", np.all(np.diff(compound[-1, inside]) > 0)),
        equal("compound: and peaks at the US intensity, 1", float(compound[-1].max()), 1.0, 0.005),
        true("compound: at the last step before the US", int(compound[-1].argmax()) == ONSET + c.interval - 1),
        equal("presence: the prediction is one level in the interval", float(np.ptp(level[:, inside], axis=1).max()), 0.0, 1e-12),
        equal("presence: the level of trial 200 is that of the fixed point", float(level[-1, ONSET]), float(usual), 0.01),
        equal("presence: the level is proportional to the US intensity", float(double), 2 * float(usual), 1e-9),
        true("presence: and the lower, the longer the interval", short > usual > long, f"{short:.3f}, {usual:.3f}, {long:.3f}"),
        less("microstimuli come near the exponential: error against presence's", rms[1], 0.25 * rms[0]),
        true("microstimuli: in the limit the prediction grows through the interval", np.all(np.diff(settled[2]) > 0)),
        true(
            "microstimuli: late in training it is highest near the US, no longer in the middle",
            bumps[:, inside].argmax(axis=1)[-1] >= c.interval - 4,
        ),
        less("microstimuli: trial 200 is nearer to the exponential than presence ever comes", late, rms[0]),
        true(
            "all learn from trial to trial, at the end of the interval",
            np.all(np.diff(data["predictions"][:, :, inside.stop - 1], axis=1) > 0),
        ),
    ]
