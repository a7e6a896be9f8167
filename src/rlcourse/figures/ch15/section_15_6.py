"""Section 15.6: a reward that comes early, or late, after learning.

TD errors match dopamine activity in many ways, and here is one in which they need not. A cue predicts a reward 10 steps later; then it
comes 5 steps early, once. Dopamine neurons respond to it, and not at the usual time (Hollerman and Schultz, 1998). With a complete
serial compound, whose elements go on whatever happens, the error is also negative at the usual time, for the reward that was still
predicted. If the reward ends the representation, so that nothing more is predicted, it is not: what is compared with the brain is TD
learning together with a representation. A late reward gives a negative and then a positive error either way. With gamma = 1 an early
reward would be no error at all once the representation ends; gamma = 0.9 is ours, as all settings.
"""

from __future__ import annotations

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

CUE, EARLY, USUAL, LATE, STEPS = 4, 9, 14, 19, 26
COLUMNS = ("at the usual time", "early, the compound goes on", "early, it ends the compound", "late")


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    trials: Count = 400
    alpha: StepSize = 0.2  # step size
    gamma: Discount = 0.9  # discount rate
    lam: Probability = 0.0  # trace decay: TD(0)
    clip: bool = False  # predictions are what they are


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Any) -> dict[str, np.ndarray]:
    """Return the TD errors of a trial after learning, by time, in each of the four cases: [4, T]."""
    kinds = [{"CSA": (CUE, USUAL - CUE), "US": (at, 1)} for at in (USUAL, EARLY, EARLY, LATE)]
    world = ConditioningTrials.of(kinds, steps=STEPS)
    features = complete_serial_compound(world.stimuli, STEPS)
    features.rows.reshape(4, STEPS + 1, -1)[2, EARLY:] = 0.0
    values = by_trial(world, features, settings, settings.trials)[-1] @ features.rows.T
    return {"errors": np.array([errors_within(world, values, settings.gamma, k) for k in range(4)])}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the TD errors by time, one panel for each case."""
    figure.set_size_inches(9.6, 3.4)
    for i, (axes, name, at) in enumerate(zip(figure.subplots(1, 4, sharey=True), COLUMNS, (USUAL, EARLY, EARLY, LATE), strict=True)):
        style.panel(axes, "", "", "TD error" if i == 0 else "")
        axes.set_title(name, fontsize=9, loc="left", fontweight="bold", color=style.INK)
        axes.bar(np.arange(STEPS + 1), data["errors"][i], color=style.COLORS[0], width=1.0)
        axes.axhline(0, color=style.INK, linewidth=0.8)
        axes.axvline(USUAL, color=style.GREY, linestyle="--", linewidth=1)
        axes.set_xticks([CUE, at], ["cue", "reward"], fontsize=8.5)
        axes.set(xlim=(0, STEPS), ylim=(-1.15, 1.15))


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Section 15.6 says, and the exact errors."""
    usual, early, ended, late = data["errors"]
    gamma, gap, cue = settings.gamma, USUAL - EARLY, settings.gamma ** (USUAL - CUE)
    return [
        equal("at the usual time the reward is no error", float(np.abs(np.delete(usual, CUE)).max()), 0.0, 1e-6),
        true("the cue is the same error in every case", np.all(np.abs(data["errors"][:, CUE] - cue) < 1e-6)),
        equal("early: the reward is an error of its own size", float(early[EARLY]), 1.0, 1e-6),
        equal("early: and its absence at the usual time one of -1", float(early[USUAL]), -1.0, 1e-6),
        equal("where it ends the compound there is none at the usual time", float(np.abs(ended[EARLY + 1 :]).max()), 0.0),
        equal("and at the reward what was not predicted for that time: 1 - γ^5", float(ended[EARLY]), 1 - gamma**gap, 1e-6),
        less("a late reward is missed first", float(late[USUAL]), -0.99),
        equal("and then an error of its own size", float(late[LATE]), 1.0, 1e-6),
    ]
