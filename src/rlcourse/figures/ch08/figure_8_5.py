"""Figure 8.5: Dyna-Q and Dyna-Q+ in the shortcut maze: when the world becomes better (Example 8.3).

For 3000 steps only the long way (16 steps) is open; then a gap at the other end of the wall makes a short one (10), and the long one
stays. Cumulative reward over 6000 steps. Nothing that Dyna-Q does with its old model hints at the shortcut, and a long row of
exploratory actions would be needed to find it: in these 3000 steps it hardly ever does. Dyna-Q+ keeps trying what it has not tried for
long, which costs a little before the change, and finds it. alpha, n and kappa are not printed; chosen as in Figure 8.4: alpha = 1, n = 50,
kappa = 0.0007 (with 0.0003 Dyna-Q+ hardly ever finds the shortcut in time, with 0.0015 exploring costs it the first phase).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count, Discount, NonNegative, Probability, StepSize
from rlcourse.envs import shortcut_maze
from rlcourse.figures import mazes, style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "FULL", "Settings", "claims", "draw", "run"]

METHODS = ("Dyna-Q+", "Dyna-Q")
WHEN, STEPS, LONG, SHORT = 3000, 6000, 16, 10  # steps to the goal before and after
WALK = 500  # steps after which about half of all random walks have not reached the goal


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 200
    alpha: StepSize = 1.0
    gamma: Discount = 0.95
    epsilon: Probability = 0.1
    n: Count = 50
    kappa: NonNegative = 7e-4


FAST = {"runs": 20}
FULL = {"runs": 2000}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return cumulative rewards [2, runs, 601], every ten steps."""

    def rewards(method: str, rng: np.random.Generator, runs: int) -> np.ndarray:
        return mazes.cumulative(method, lambda: shortcut_maze(WHEN), STEPS, settings, rng, runs)

    return {"reward": np.array(lab.study(rewards, METHODS, settings.runs, chunk=10))}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the maze before and after, and below cumulative reward against time steps, as the book does."""
    figure.set_size_inches(7.2, 6.2)
    above, below = figure.subfigures(2, 1, height_ratios=(1, 2))
    left, right = above.subplots(1, 2)
    mazes.maze(left, shortcut_maze(WHEN), title="the first 3000 steps")
    mazes.maze(right, shortcut_maze(0), title="from then on")
    axes = style.panel(below.subplots(), "", "time steps", "cumulative reward")
    x = np.arange(0, STEPS + 1, mazes.EVERY)
    for i, name in enumerate(METHODS):
        style.curve(axes, x, data["reward"][i], name, style.COLORS[i])
    axes.axvline(WHEN, color=style.GREY, linestyle="--", linewidth=1)
    axes.set(xlim=(0, STEPS), ylim=(0, None), xticks=[0, 3000, 6000])
    axes.legend(frameon=False, fontsize=9, loc="upper left")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Example 8.3 and the figure say."""
    plus, plain = data["reward"]
    change = WHEN // mazes.EVERY
    late = np.diff(data["reward"][:, :, [-101, -1]], axis=2)[:, :, 0]  # of the last 1000 steps
    bound = 1000 // LONG + 1  # what the long way can earn in them
    lead = plus - plain
    return [
        less("in the end Dyna-Q+ has earned more", mean(-lead[:, -1]), 0.0),
        less("after the change Dyna-Q+ gains on Dyna-Q", mean(lead[:, change] - lead[:, -1]), 0.0),
        less("Dyna-Q hardly ever finds the shortcut", float(np.mean(late[1] > bound)), 0.2),
        less("Dyna-Q+ finds it in nearly all runs", float(np.mean(late[0] <= bound)), 0.1),
        less("Dyna-Q+ then earns more per step than the long way could give", float(bound), mean(late[0])),
        equal(
            f"before its first reward Dyna-Q is a random walk: as many runs have none after {WALK} steps as such walks",
            mean(1.0 * (plain[:, WALK // mazes.EVERY] == 0)),
            mazes.still_walking(shortcut_maze(), WALK),
        ),
        true("no run earns faster than the shortest path allows", _possible(data["reward"]), f"1 in {LONG} steps, later 1 in {SHORT}"),
    ]


def _possible(reward: np.ndarray) -> bool:
    """Whether no run exceeds one reward per shortest path, before and after; the episode of the change may end sooner."""
    t, change = mazes.EVERY * np.arange(reward.shape[2]), WHEN // mazes.EVERY
    whole = reward <= np.minimum(t, WHEN) // LONG + 1 + np.maximum(t - WHEN, 0) // SHORT
    return bool(whole.all() and (reward[:, :, : change + 1] <= t[: change + 1] // LONG).all())
