"""Figure 15.4: TD errors early in learning, when learning is complete, and when the reward is omitted.

A sequence of states, each told apart by a feature of its own (regular predictors), ends in a reward R*. TD(0) learns its values. The
picture has them and the TD errors by the time at which an error is available (it compares the state of that time with the one before), for
gamma = 1, and dotted for a smaller one. Early, the reward is the error. When learning is complete the error is at the earliest predictor,
whose coming nothing predicts, and none is at the reward. When the reward does not come the error is negative, at its usual time: as in
the activity of dopamine neurons. Before the first predictor the value stays zero. The book's picture has no numbers.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count, Discount, Positive, Probability, StepSize
from rlcourse.envs import ConditioningTrials
from rlcourse.features import complete_serial_compound
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, true
from rlcourse.figures.conditioning import by_trial, errors_within

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

COLUMNS = ("early in learning", "learning complete", "R* omitted")
ONSET, STEPS = 5, 24


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    interval: Count = 12  # steps from the earliest predictor to the reward
    reward: Positive = 1.0  # R*
    alpha: StepSize = 0.2  # step size
    gamma: Discount = 1.0  # discount rate
    smaller: Discount = 0.9  # the other discount rate
    lam: Probability = 0.0  # trace decay: TD(0)
    clip: bool = False  # predictions are what they are
    trials: Count = 600  # until learning is complete


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Any) -> dict[str, np.ndarray]:
    """Return values and TD errors by time for both discount rates and the three columns, [2, 3, T] each; and the rewards [3, T]."""
    c, lines = settings, {"CSA": (ONSET, settings.interval)}
    world = ConditioningTrials.of([lines | {"US": (ONSET + c.interval, 1, c.reward)}, lines], steps=STEPS)
    features = complete_serial_compound(world.stimuli, c.interval)
    values, errors = [], []
    for gamma in (c.gamma, c.smaller):
        world.clock[0] = 0
        w = by_trial(world, features, dataclasses.replace(c, gamma=gamma), c.trials)
        v = [w[0] @ features.rows.T, w[-1] @ features.rows.T]
        values.append([np.reshape(v[i], world.us.shape)[k] for i, k in ((0, 0), (1, 0), (1, 1))])
        errors.append([errors_within(world, v[i], gamma, k) for i, k in ((0, 0), (1, 0), (1, 1))])
    return {"values": np.array(values), "errors": np.array(errors), "rewards": world.us[[0, 0, 1]]}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw reward, values and TD errors by time, one column for each stage."""
    figure.set_size_inches(9.4, 5.2)
    axes = figure.subplots(3, 3, sharex=True, sharey="row", height_ratios=(0.8, 1, 1.4))
    times = np.arange(STEPS + 1)
    for i, name in enumerate(COLUMNS):
        rows = (data["rewards"][i][None], data["values"][:, i], data["errors"][:, i])
        for j, (label, curves) in enumerate(zip(("R", "V", "δ"), rows, strict=True)):
            at = style.panel(axes[j, i], name if j == 0 else "", "time step" if j == 2 else "", label if i == 0 else "")
            for k, curve in enumerate(curves):
                dashes = {"linestyle": ":", "color": style.COLORS[1]} if k else {"color": style.COLORS[0]}
                name_of = f"γ = {settings.smaller if k else settings.gamma:g}" if j == 1 else None
                at.step(times, curve, where="mid", linewidth=1.7, label=name_of, **dashes)
            at.axvspan(ONSET - 0.5, ONSET + settings.interval - 0.5, color=style.GREY, alpha=0.13, linewidth=0)
            at.set_xlim(0, STEPS)
    axes[1, 0].legend(frameon=False, fontsize=8.5, loc="upper left")
    axes[0, 0].text(ONSET, 0.4 * settings.reward, "regular predictors", fontsize=8, color=style.GREY)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the caption says, for both discount rates."""
    c, usual, found = settings, ONSET + settings.interval, []
    for gamma, values, (early, complete, omitted) in zip((c.gamma, c.smaller), data["values"], data["errors"], strict=True):
        with_gamma, cue = f", γ = {gamma:g}", gamma**c.interval * c.reward
        exact = c.reward * gamma ** np.arange(c.interval - 1, -1, -1)
        found += [
            equal("early: the TD error is R*, at the reward" + with_gamma, float(early[usual]), c.reward),
            true("early: and zero at all other times" + with_gamma, np.all(np.delete(early, usual) == 0)),
            equal("complete: values predict the reward" + with_gamma, float(np.abs(values[1, ONSET:usual] - exact).max()), 0.0, 1e-6),
            equal("complete: the error at the earliest predictor is γ^T R*" + with_gamma, float(complete[ONSET]), cue, 1e-6),
            equal("complete: no error at the reward, nor elsewhere" + with_gamma, _largest(np.delete(complete, ONSET)), 0.0, 1e-6),
            equal("omitted: the error is -R* at the usual time" + with_gamma, float(omitted[usual]), -c.reward, 1e-6),
            equal("omitted: before, all is as ever" + with_gamma, _largest(omitted[:usual] - complete[:usual]), 0.0),
            equal("omitted: after, nothing" + with_gamma, _largest(omitted[usual + 1 :]), 0.0),
        ]
    return [*found, true("the value stays zero before the earliest predictor", np.all(data["values"][:, :, :ONSET] == 0))]


def _largest(numbers: np.ndarray) -> float:
    return float(np.abs(numbers).max())
