"""Figure 3.3: golf with the putter alone, and with the driver first; on a course of our own.

The book draws contours by hand and publishes no course or numbers, so nothing here is a copy: the course, in `rlcourse.envs.golf`, was laid
out to show the same things. Above, the value of always putting: minus the number of putts, and minus infinity where a putt never gets
out of the sand. Below, q*(s, driver): the driver once, then the better club each time. Sweeps are synchronous, so that after k of them a
ball that never falls has the value -k: that is how minus infinity is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.dynamic_programming.policy_evaluation import IterativePolicyEvaluation
from rlcourse.agents.dynamic_programming.value_iteration import ValueIteration
from rlcourse.core import exact
from rlcourse.core.config import Config, Count
from rlcourse.envs import golf_hole
from rlcourse.envs.golf import COLUMNS, DRIVER, HOLE, PUTTER, ROWS, SAND, TEE, golf_course
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    sweeps: Count = 100  # of policy evaluation


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return v_putt and q*(s, driver), q*(s, putter) [36, 90]; nan for minus infinity."""
    world, shape = golf_hole(), (ROWS, COLUMNS)
    putting = np.full(ROWS * COLUMNS, PUTTER)
    putt = IterativePolicyEvaluation(world, policy=putting, in_place=False).learn(episodes=settings.sweeps)
    Q = ValueIteration(world).learn().action_values(np.arange(ROWS * COLUMNS))
    green, sand = golf_course()
    return {
        "putt": np.where(putt.V <= -settings.sweeps, np.nan, putt.V).reshape(shape),
        "driver": Q[:, DRIVER].reshape(shape),
        "putter": Q[:, PUTTER].reshape(shape),
        "solved": exact.v_pi(world, putting, 1.0).reshape(shape),
        "green": green,
        "sand": sand,
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw contours of both functions over the course, as the book does: one above the other."""
    figure.set_size_inches(7.6, 6.6)
    for axes, key, title in zip(figure.subplots(2, 1), ("putt", "driver"), ("v_putt", "q*(s, driver)"), strict=True):
        values = data[key]
        axes.set_title(title, fontsize=10.5, loc="left", fontweight="bold", color=style.INK)
        axes.contourf(data["green"], levels=(0.5, 1.5), colors=["#b9d7a8"])
        axes.contourf(data["sand"], levels=(0.5, 1.5), colors=["#ead3a2"])
        lost = np.isnan(values)
        axes.contourf(lost, levels=(0.5, 1.5), colors="none", hatches=["////"])
        levels = np.arange(np.nanmin(values), 0.0)
        axes.contour(np.where(lost, -99.0, values), levels=levels - 0.5, colors=style.INK, linewidths=1.0, linestyles="-")
        for level in levels:
            columns = [int(c) for c in np.flatnonzero(values[TEE[0]] == level) if c < HOLE[1] - 4]
            if level == -1:
                axes.text(HOLE[1], HOLE[0] + 1.6, "-1", ha="center", va="center", fontsize=10)
            elif len(columns) > 4:
                axes.text(np.median(columns), TEE[0] - 3, f"{level:.0f}", ha="center", va="center", fontsize=10)
        if lost.any():
            for row, column, *_ in SAND:
                axes.text(column, row, "−∞", ha="center", va="center", fontsize=10, color=style.INK, backgroundcolor="#ead3a2")
        axes.plot(HOLE[1], HOLE[0], "o", color=style.INK, markersize=4)
        axes.plot(TEE[1], TEE[0], "s", color=style.INK, markersize=4)
        axes.annotate("tee", TEE[::-1], (0, -12), textcoords="offset points", ha="center", fontsize=8)
        axes.set(xlim=(-0.5, COLUMNS - 0.5), ylim=(ROWS - 0.5, -0.5), aspect="equal", xticks=[], yticks=[])


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Example 3.6 says of golf, as far as it does not depend on the book's course."""
    putt, driver, putter = data["putt"], data["driver"], data["putter"]
    green, sand = data["green"].astype(bool), data["sand"].astype(bool)
    green[HOLE] = False
    best = np.fmax(driver, putter)
    holed = driver == -1
    return [
        true("from anywhere on the green a putt is enough", np.all(putt[green] == -1)),
        true("off the green no putt is enough", not np.any(putt[~green] == -1)),
        true("out of the sand a putt never gets: minus infinity", np.all(np.isnan(putt[sand]))),
        true(
            "sweeps agree with the exact values, minus infinity included",
            np.allclose(putt, data["solved"], rtol=0, atol=1e-9, equal_nan=True),
        ),
        equal("from the tee two drives and a putt are enough, and no less", float(best[TEE]), -3.0),
        true("from the tee the driver is the club to take", driver[TEE] > putter[TEE], f"{driver[TEE]:g} against {putter[TEE]:g}"),
        true(
            "the driver holes out from a small part of the green only",
            0 < holed.sum() < 0.35 * green.sum(),
            f"{holed.sum()} of {green.sum()} cells",
        ),
        true("one drive and a putt do from much farther than two putts", (driver == -2).sum() > 2 * (putt == -2).sum()),
        true("with both clubs no place is worse than with the putter alone", np.all(best >= np.where(np.isnan(putt), -np.inf, putt))),
    ]
