"""Exercise 4.7: the car rental with a free shuttle and an overflow car park.

One car goes from the first to the second location free of charge each night, and a location with more than 10 cars overnight costs $4: more
than 10 after moving, and for each location on its own. Such nonlinear costs are no trouble for dynamic programming. The book prints no
solution; the claims are what follows from the two rules, and that the policy is optimal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core import exact
from rlcourse.core.config import Config, Discount, Positive
from rlcourse.envs import CarRental
from rlcourse.figures import style
from rlcourse.figures.ch04 import figure_4_2
from rlcourse.figures.claims import Claim, less, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]


@dataclass(frozen=True)
class Settings(Config):
    """What the exercise is answered with."""

    gamma: Discount = 0.9
    theta: Positive = 1e-10


FAST: dict[str, Any] = {"theta": 1e-9}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return the improvements in the modified task, the policy of Example 4.2, and its values in the modified task [21, 21]."""
    same = figure_4_2.Settings(gamma=settings.gamma, theta=settings.theta)
    plain, modified = figure_4_2.improvements(CarRental(), same), figure_4_2.improvements(CarRental.modified(), same)
    habit = exact.v_pi(CarRental.modified(), plain["actions"][-1].ravel(), settings.gamma)
    return {**modified, "plain": plain["moved"][-1], "habit": habit.reshape(plain["V"].shape)}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the old optimal policy, the new one, and the new values."""
    figure.set_size_inches(10.4, 3.9)
    for i, (key, title) in enumerate((("plain", "π* of Example 4.2"), ("moved", "π* of Exercise 4.7"))):
        axes = figure.add_subplot(1, 3, i + 1)
        figure_4_2.draw_policy(axes, data[key] if key == "plain" else data[key][-1], title)
        axes.set_xlabel("cars at second location", fontsize=9)
        axes.set_ylabel("cars at first location", fontsize=9)
    axes = figure.add_subplot(1, 3, 3, projection="3d")
    cars = np.arange(len(data["V"]))
    style.surface(axes, cars, cars, data["V"], "v*, dollars", ("cars at second", "cars at first", ""))
    axes.set(xticks=(0, 10, 20), yticks=(0, 10, 20))
    axes.view_init(30, -120)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what follows from the rules."""
    moved, V, plain = data["moved"][-1], data["V"], data["plain"]
    n1, n2 = np.indices(V.shape)
    after1, after2 = n1 - moved, n2 + moved
    wrong = float(np.abs(V - data["optimal"]).max())
    loss, steps = V - data["habit"], np.diff(data["values"], axis=0)
    few, some = (n2 <= 5) & (n1 >= 11) & (n1 <= 15), (n1 <= 4) & (n2 >= 11) & (n2 <= 14)
    return [
        true("the values are the optimal ones", wrong < 1e-6, f"largest difference {wrong:.1e}"),
        true(
            "every policy is at least as good as the last one everywhere",
            np.all(steps > -1e-6),
            f"smallest gain {steps.min(initial=0.0):.1e}",
        ),
        less("to move one car is the commonest action now", float((moved == 0).sum()), float((moved == 1).sum())),
        true("the first location sends more cars than before in no fewer cells", (moved > 0).sum() > (plain > 0).sum()),
        true("cars are moved to keep the second location at ten, where the first has room", np.all(after2[some] <= 10)),
        true("and to keep the first location at ten, where the second has room", np.all(after1[few] <= 10)),
        true("the old policy would lose money in every state", np.all(loss > 0), f"{loss.min():.2f} to {loss.max():.2f} dollars"),
        true("a full car park on both sides is worth less than in Example 4.2, an empty one more", V[20, 20] < 636.9 and V[0, 0] > 421.5),
    ]
