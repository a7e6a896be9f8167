"""Section 15.5: the TD error moves from the reward to the earliest predictor.

First a trigger cue is followed by a reward, then an instruction cue comes before both, as in the experiments of Schultz and colleagues on
dopamine neurons. Each panel has the TD errors of all trials, one line of the picture each, before the trial is learned from. In the first
phase the error leaves the reward for the trigger, in the second one the trigger for the instruction: always the earliest reliable
predictor. TD(0) hands it from each time to the one before, so that it passes through all times between; with eligibility traces (lambda =
0.9) it fades here and grows there. Settings are ours; the book shows recordings, which cannot be computed.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count, Discount, Probability, StepSize
from rlcourse.envs import ConditioningTrials
from rlcourse.features import complete_serial_compound
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, true
from rlcourse.figures.conditioning import by_trial, errors_within

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

INSTRUCTION, TRIGGER, REWARD, STEPS = 4, 14, 20, 26
LAMBDAS = (0.0, 0.9)


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    trials: Count = 200  # of each phase
    alpha: StepSize = 0.2  # step size
    gamma: Discount = 0.98  # discount rate
    lam: Probability = 0.0  # trace decay of the left panel
    clip: bool = False  # predictions are what they are


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Any) -> dict[str, np.ndarray]:
    """Return TD errors by time before each trial and at the end, for both trace decays: [2, 2 trials + 1, T]."""
    c = settings
    kinds = [{"CSB": (TRIGGER, REWARD - TRIGGER), "US": (REWARD, 1)}]
    kinds.append(kinds[0] | {"CSA": (INSTRUCTION, REWARD - INSTRUCTION)})
    found = []
    for lam in (c.lam, LAMBDAS[1]):
        world = ConditioningTrials.of(kinds, [(0, c.trials), (1, c.trials)], STEPS)
        features = complete_serial_compound(world.stimuli, STEPS)
        w = by_trial(world, features, dataclasses.replace(c, lam=lam), 2 * c.trials)
        values = w @ features.rows.T
        found.append([errors_within(world, v, c.gamma, int(i >= c.trials)) for i, v in enumerate(values)])
    return {"errors": np.array(found)}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the TD errors of all trials as shades, by time and trial."""
    figure.set_size_inches(9.4, 4.6)
    for axes, errors, lam in zip(figure.subplots(1, 2, sharey=True), data["errors"], LAMBDAS, strict=True):
        image = axes.imshow(errors, aspect="auto", cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest",
                            extent=(-0.5, STEPS + 0.5, len(errors), 0))  # fmt: skip
        axes.axhline(settings.trials, color=style.INK, linewidth=1, linestyle="--")
        axes.set_title(f"TD error, λ = {lam:g}", fontsize=10.5, loc="left", fontweight="bold", color=style.INK)
        axes.set_xticks([INSTRUCTION, TRIGGER, REWARD], ["instruction", "trigger", "reward"])
        for text, at in (("trigger, reward", 0.45), ("instruction, trigger, reward", 1.9)):
            axes.text(STEPS, at * settings.trials, text, fontsize=8.5, color=style.GREY, va="center", ha="right")
        axes.set_xlabel("time")
    figure.axes[0].set_ylabel("trial")
    figure.colorbar(image, ax=figure.axes, shrink=0.8)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Section 15.5 says."""
    n, gamma, found = settings.trials, settings.gamma, []
    for lam, errors in zip(LAMBDAS, data["errors"], strict=True):
        name = f", λ = {lam:g}"
        last, both, late = errors[n - 1], errors[n], errors[-1]
        found += [
            equal("an unpredicted reward is an error, the only one" + name, _distance(errors[0], REWARD, 1.0), 0.0),
            equal("the trigger takes over: γ^6, and no error at the reward" + name, _distance(last, TRIGGER, gamma**6), 0.0, 1e-4),
            equal("a new cue before it changes nothing at first" + name, _distance(both, TRIGGER, gamma**6), 0.0, 1e-4),
            equal(
                "the instruction takes over: γ^16, no error at trigger or reward" + name, _distance(late, INSTRUCTION, gamma**16), 0.0, 1e-3
            ),
        ]
    gradual, jumps = (errors[:n, TRIGGER + 1 : REWARD].max(axis=0) for errors in data["errors"])
    peaks = data["errors"][0, :n].argmax(axis=1)
    turns = data["errors"][0, :n, TRIGGER + 1 : REWARD + 1].argmax(axis=0)  # the trial in which each time has its largest error
    return [
        *found,
        true(
            "TD(0): the peak of the error moves one way, from reward to trigger",
            np.all(np.diff(peaks) <= 0) and peaks[0] == REWARD and peaks[-1] == TRIGGER,
        ),
        true(
            "TD(0): all times between have their turn, those nearer to the reward first",
            np.all(np.diff(turns) < 0),
            f"trials {turns.tolist()}",
        ),
        less("with traces less passes through each time between", float((jumps - 0.6 * gradual).max()), 0.0),
    ]


def _distance(errors: np.ndarray, at: int, size: float) -> float:
    """Return how far TD errors [T] are from one error of a size at one time."""
    wanted = np.zeros(len(errors))
    wanted[at] = size
    return float(np.abs(errors - wanted).max())
