"""Figure 4.2: policy iteration on Jack's car rental, from never moving a car to the optimal policy.

gamma = 0.9; at most 20 cars a location, 5 moved a night. The model is exact: the tails of all Poisson distributions are kept. The old
action is kept unless another one is better. Numbers are cars moved from the first to the second location, negative the other way; an action
beyond the cars that are there counts as what it moves. The axis of the printed surface begins at 420, the smallest value; its other end,
612, is no value of the exact solution and is not checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.dynamic_programming.policy_iteration import PolicyIteration
from rlcourse.core import exact
from rlcourse.core.config import Config, Discount, Positive
from rlcourse.envs import CarRental
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "draw_policy", "improvements", "run"]

COUNTS = (  # cells of pi_1 .. pi_4 that move -5 .. 5 cars
    (0, 1, 7, 12, 17, 123, 36, 34, 32, 30, 149),
    (0, 2, 9, 13, 18, 287, 34, 23, 19, 15, 21),
    (0, 3, 9, 14, 17, 268, 33, 29, 24, 17, 27),
    (0, 3, 9, 14, 17, 270, 33, 29, 23, 17, 26),
)
FINAL = [
    "00000000aabbbcccccddd",
    "000000000aaabbbbbcccc",
    "00000000000aaaaabbbbb",
    "000000000000000aaaaab",
    "0000000000000000000aa",
    "111000000000000000000",
    "221100000000000000000",
    "322110000000000000000",
    "332211000000000000000",
    "433221000000000000000",
    "443321000000000000000",
    "544321100000000000000",
    "554322100000000000000",
    "554332100000000000000",
    "554432100000000000000",
    "555432100000000000000",
    "555432110000000000000",
    "555432211000000000000",
    "555433221111000000000",
    "555443322221111100000",
    "555544333322222111000",
]  # pi_4 by cars at the first location (a word each) and at the second; a = -1, b = -2 ...
VALUES = {(0, 0): 421.414, (20, 20): 636.990, (0, 20): 567.769, (20, 0): 554.948, (10, 10): 574.948}


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    gamma: Discount = 0.9
    theta: Positive = 1e-10


FAST: dict[str, Any] = {"theta": 1e-9}


def improvements(world: CarRental, settings: Settings) -> dict[str, np.ndarray]:
    """Return cars moved by each policy [policies, 21, 21], its actions, the last values [21, 21], and the optimal ones."""
    agent = PolicyIteration(world, gamma=settings.gamma, theta=settings.theta, first=world.most_moved)
    policies = [agent.pi.copy()]

    def watch(it: Any) -> None:
        if not np.array_equal(it.pi, policies[-1]):
            policies.append(it.pi.copy())

    agent.learn(callback=watch, callback_every=1)
    n = world.capacity + 1
    moved = [[world.cars_moved(s, int(a)) for s, a in enumerate(policy)] for policy in policies]
    return {
        "moved": np.reshape(moved, (-1, n, n)),
        "actions": np.reshape(policies, (-1, n, n)),
        "V": agent.V.reshape(n, n),
        "optimal": exact.v_star(agent.model, settings.gamma).reshape(n, n),
        "values": np.array([exact.v_pi(agent.model, policy, settings.gamma) for policy in policies]),
    }


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return what `improvements` finds in Example 4.2."""
    return improvements(CarRental(), settings)


def draw_policy(axes: Any, moved: np.ndarray, title: str) -> None:
    """Draw a policy [n, n] as regions with their numbers; cars at the second location to the right, at the first upwards."""
    n = len(moved)
    axes.imshow(moved, origin="lower", cmap="RdBu_r", vmin=-9, vmax=9, aspect="equal")
    for i in range(n):
        for j in range(n):
            if j + 1 < n and moved[i, j] != moved[i, j + 1]:
                axes.plot([j + 0.5, j + 0.5], [i - 0.5, i + 0.5], color=style.INK, linewidth=0.8)
            if i + 1 < n and moved[i, j] != moved[i + 1, j]:
                axes.plot([j - 0.5, j + 0.5], [i + 0.5, i + 0.5], color=style.INK, linewidth=0.8)
    for number in np.unique(moved):
        cells = np.argwhere(moved == number)
        padded = np.pad(moved == number, 1)
        alike = [padded[i : i + 3, j : j + 3].sum() - 0.02 * np.hypot(*(cells.mean(axis=0) - (i, j))) for i, j in cells]
        y, x = cells[int(np.argmax(alike))]
        axes.text(x, y, str(number), ha="center", va="center", fontsize=8, color=style.INK)
    axes.set_title(title, fontsize=10.5, loc="left", fontweight="bold", color=style.INK)
    axes.set_xticks([0, 5, 10, 15, 20])
    axes.set_yticks([0, 5, 10, 15, 20])
    axes.tick_params(labelsize=8)


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw pi_0 to pi_4 and the values of the last."""
    figure.set_size_inches(9.8, 6.8)
    for k in range(5):
        axes = figure.add_subplot(2, 3, k + 1)
        draw_policy(axes, data["moved"][min(k, len(data["moved"]) - 1)], f"π{'₀₁₂₃₄'[k]}")
        if k in (0, 3):
            axes.set_ylabel("cars at first location", fontsize=9)
        if k >= 3:
            axes.set_xlabel("cars at second location", fontsize=9)
    axes = figure.add_subplot(2, 3, 6, projection="3d")
    cars = np.arange(len(data["V"]))
    style.surface(axes, cars, cars, data["V"], "v of π₄, dollars", ("cars at second", "cars at first", ""))
    axes.set(xticks=(0, 10, 20), yticks=(0, 10, 20))
    axes.view_init(30, -120)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the figure shows, and the exact solution's numbers."""
    moved, V = data["moved"], data["V"]
    counts = [tuple(int((policy == a).sum()) for a in range(-5, 6)) for policy in moved[1:]]
    printed = np.array([["dcba012345".index(sign) - 4 for sign in word] for word in FINAL])
    cells = int((moved[-1] != printed).sum())
    wrong, steps = float(np.abs(V - data["optimal"]).max()), np.diff(data["values"], axis=0)
    return [
        equal("four improvements lead to the optimal policy", len(moved) - 1, 4),
        *[
            true(f"π{k + 1} moves as many cars in as many cells", counts[k] == COUNTS[k], str(counts[k]))
            for k in range(min(4, len(counts)))
        ],
        true("π4 is the exact solution's policy in all 441 cells", cells == 0, f"{cells} cells differ"),
        *[equal(f"v{place} = {value}", float(V[place]), value, 5.1e-4) for place, value in VALUES.items()],
        true("the smallest value is v(0, 0), where the printed axis begins", V.argmin() == 0 and 420 <= V.min() < 422, f"{V.min():.3f}"),
        true("more cars are never worth less", np.all(np.diff(V, axis=0) > 0) and np.all(np.diff(V, axis=1) > 0)),
        true("the values are the optimal ones", wrong < 1e-6, f"largest difference {wrong:.1e}"),
        true(
            "every policy is at least as good as the last one everywhere",
            np.all(steps > -1e-6),
            f"smallest gain {steps.min(initial=0.0):.1e}",
        ),
        true("where no car can be moved the old action is kept", np.all(data["actions"][:, 0, 0] == 5)),
    ]
