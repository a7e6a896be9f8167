"""Figure 14.1: three stimulus representations for the TD model.

A stimulus of 60 steps, as the complete serial compound, as six microstimuli and by its presence, computed (of the compound every
twelfth element is drawn). Below, how much the features of each time have in common with those of one time in the middle: the cosine
between both vectors. Nothing in the left column, everything in the right one; microstimuli are between, and they are the wider and the
lower the later they come, so that time grows vague. Numbers of microstimuli are those of Figure 14.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count, Positive, Probability
from rlcourse.features import complete_serial_compound, microstimuli, presence
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, true

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

COLUMNS = ("complete serial compound", "microstimuli", "presence")
ONSET, EVERY = 10, 12


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    duration: Count = 60  # steps of the stimulus
    steps: Count = 220  # steps that are looked at
    m: Count = 6  # microstimuli
    sigma: Positive = 0.08  # width of a microstimulus, in heights of the trace
    decay: Probability = 0.985  # memory that a step leaves of the trace


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Any) -> dict[str, np.ndarray]:
    """Return the stimulus [T], the three representations [T, d], and their overlap with the middle of the stimulus [3, T]."""
    c = settings
    present = np.zeros((1, c.steps + 1, 1))
    present[0, ONSET : ONSET + c.duration] = 1.0
    made = (complete_serial_compound(present), microstimuli(present, c.m, c.sigma, c.decay), presence(present))
    rows = [features.rows[: c.steps] for features in made]
    middle = ONSET + c.duration // 2
    return {
        "present": present[0, : c.steps, 0],
        "compound": rows[0],
        "microstimuli": rows[1][:, ::-1],  # the first to peak is first
        "presence": rows[2],
        "overlap": np.array([overlap(x, middle) for x in rows]),
    }


def overlap(x: np.ndarray, t: int) -> np.ndarray:
    """Return the cosine between the features [T, d] of each time and those of time t, shape [T]; 0 where there are none."""
    lengths = np.sqrt((x * x).sum(axis=1))
    return np.asarray(x @ x[t] / np.maximum(lengths * lengths[t], 1e-300) * (lengths > 0))


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw one column for each representation: its features, one above the other, and the overlap."""
    figure.set_size_inches(9.6, 5.4)
    axes = figure.subplots(2, 3, sharex=True, height_ratios=(3, 1.3))
    shown = (data["compound"][:, : settings.duration + 1 : EVERY], data["microstimuli"], data["presence"])
    times = np.arange(settings.steps)
    for i, (name, x) in enumerate(zip(COLUMNS, shown, strict=True)):
        top = axes[0, i]
        for row in range(x.shape[1]):
            base, height = -row, 0.8 * x[:, row] / x.max()
            top.fill_between(times, base, base + height, step="mid" if i != 1 else None, color=style.COLORS[0], alpha=0.75, linewidth=0.5)
            top.axhline(base, color=style.LIGHT, linewidth=0.6, zorder=0)
        rows = x.shape[1] if i < 2 else 1
        top.fill_between(times, -rows - 0.2, -rows - 0.2 + 0.5 * data["present"], step="mid", color=style.COLORS[3], linewidth=0.5)
        top.set_yticks([])
        top.set(ylim=(-6.6, 1.1))
        top.spines[["top", "right", "left"]].set_visible(False)
        top.set_title(name, fontsize=10.5, loc="left", fontweight="bold", color=style.INK)
        below = style.panel(axes[1, i], "", "time step", "overlap\nwith t = 40" if i == 0 else "")
        below.plot(times, data["overlap"][i], color=style.COLORS[1], linewidth=1.6)
        below.set(ylim=(-0.05, 1.08), xlim=(0, settings.steps))
    axes[0, 0].text(75, -6.05, "the stimulus", fontsize=8, color=style.COLORS[3], va="center")
    axes[0, 0].text(75, -2.2, "every 12th\nelement", fontsize=8, color=style.GREY, va="center")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the caption and Section 14.2.4 say."""
    x, middle = data["microstimuli"], ONSET + settings.duration // 2
    inside = data["present"] > 0
    compound, between, whole = data["overlap"]
    peaks, heights = x.argmax(axis=0), x.max(axis=0)
    half = (x > heights / 2).sum(axis=0)  # steps above half of the peak; the end of the picture must not cut them
    others = np.arange(settings.steps) != middle
    found = [
        equal("serial compound: neighbouring times have nothing in common", float(np.abs(compound[others]).max()), 0.0),
        equal("presence: all times of the stimulus are one to it", float(np.abs(whole[inside] - 1).max()), 0.0, 1e-12),
        equal("presence is off when the stimulus is", float(data["presence"][~inside].max()), 0.0),
        less("microstimuli: neighbouring times have more in common than nothing", 0.5, float(between[middle + 1])),
        less("microstimuli: and less than everything", float(between[middle + 1]), 1.0),
        true("microstimuli: the further apart, the less in common", np.all(np.diff(between[middle : middle + 60]) < 0)),
        true("microstimuli peak one after the other", np.all(np.diff(peaks) > 0), f"at {peaks.tolist()}"),
        true("the later a microstimulus, the lower", np.all(np.diff(heights) < 0), f"{np.round(heights, 3).tolist()}"),
        true("the later a microstimulus, the wider", np.all(np.diff(half) > 0), f"{half.tolist()} steps above half of the peak"),
        true("each element of the compound is on for one step", np.all(data["compound"].sum(axis=0) <= 1)),
    ]
    return found
