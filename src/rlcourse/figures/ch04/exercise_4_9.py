"""Exercise 4.9: the gambler's problem at p_h = 0.25 and p_h = 0.55.

With an unfair coin, p_h < 1/2, bold play is optimal: few tosses leave the odds little time. With p_h > 1/2 time is on the gambler's side:
the only optimal stake is 1, and the value is that of the ruin problem, v(s) = (1 - r^s) / (1 - r^100), r = (1 - p_h) / p_h. Close to the
goal stakes differ by very little there, so equal means within 1e-13, and theta must be as small for the results to be stable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Positive
from rlcourse.figures.ch04.figure_4_3 import SMALLEST, draw_stakes, draw_values, solve
from rlcourse.figures.claims import Claim, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

COINS = (0.25, 0.55)


@dataclass(frozen=True)
class Settings(Config):
    """What the exercise is answered with."""

    theta: Positive = 1e-15


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return for both coins what `rlcourse.figures.ch04.figure_4_3.solve` finds; axes [coin, ...]."""
    found = [solve(p_h, settings.theta, 1e-13) for p_h in COINS]
    return {key: np.array([each[key] for each in found]) for key in found[0]}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw values above and stakes below, a coin a column."""
    figure.set_size_inches(9.6, 6.6)
    axes = figure.subplots(2, 2)
    for i, p_h in enumerate(COINS):
        draw_values(axes[0, i], {key: values[i] for key, values in data.items()}, f"p_h = {p_h}")
        draw_stakes(axes[1, i], data["optimal"][i])


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what is known of both games."""
    (unfair, fair), capital = data["V"][:, 3], np.arange(1, 100)
    p, q = COINS[0], COINS[1]
    bold = float(np.abs(unfair[1:100] - data["bold"][0, 1:100]).max())
    r = (1.0 - q) / q
    ruin = float(np.abs(fair[1:100] - (1.0 - r**capital) / (1.0 - r**100)).max())
    stakes = [
        int((optimal[1:100].argmax(axis=1) != smallest).sum()) for optimal, smallest in zip(data["optimal"], (SMALLEST, 1), strict=True)
    ]
    single = int((data["optimal"][1, 1:100].sum(axis=1) != 1).sum())
    return [
        true("at p_h = 0.25 v(25), v(50), v(75) = p², p, p + (1 - p) p", np.allclose(unfair[[25, 50, 75]], (p * p, p, p + (1.0 - p) * p))),
        true("at p_h = 0.25 bold play is worth v* everywhere", bold < 1e-12, f"largest difference {bold:.1e}"),
        true("at p_h = 0.25 the smallest optimal stakes are those of Figure 4.3", stakes[0] == 0, f"{stakes[0]} of 99 differ"),
        true("at p_h = 0.55 the values are those of the ruin problem", ruin < 1e-11, f"largest difference {ruin:.1e}"),
        true("at p_h = 0.55 the stake of 1 is optimal everywhere", stakes[1] == 0, f"{stakes[1]} of 99 differ"),
        true("at p_h = 0.55 no other stake is optimal", single == 0, f"{single} capitals have several"),
        true("the better coin is worth more at every capital", np.all(fair[1:100] > unfair[1:100])),
    ]
