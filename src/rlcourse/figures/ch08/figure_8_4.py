"""Figure 8.4: Dyna-Q and Dyna-Q+ in the blocking maze: the model turns out too optimistic.

After 1000 steps the short way (10 steps) is blocked and a long one (16) opens at the other end of the wall. Cumulative reward over 3000
steps. Both agents first run into the new wall and wander: the curves go flat. The model of Dyna-Q+ is corrected sooner, because its
bonus sends it to parts of the maze that it has not tried for long. gamma = 0.95 and epsilon = 0.1 as in Example 8.1; alpha, n and
kappa are not printed. Chosen here, for this figure and 8.5: alpha = 1, which a deterministic world allows, n = 50 and kappa = 0.0007,
which come near the book's curves; with kappa = 0.003 Dyna-Q+ explores so much that it loses in both mazes. tau counts real steps
over all episodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count, Discount, NonNegative, Probability, StepSize
from rlcourse.envs import blocking_maze
from rlcourse.figures import mazes, style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "FULL", "Settings", "claims", "draw", "run"]

METHODS = ("Dyna-Q+", "Dyna-Q")
WHEN, STEPS, SHORT, LONG = 1000, 3000, 10, 16  # steps to the goal before and after
WALK = 300  # steps after which about half of all random walks have not reached the goal


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 200
    alpha: StepSize = 1.0
    gamma: Discount = 0.95
    epsilon: Probability = 0.1
    n: Count = 50
    kappa: NonNegative = 7e-4


FAST = {"runs": 30}
FULL = {"runs": 2000}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return cumulative rewards [2, runs, 301], every ten steps."""

    def rewards(method: str, rng: np.random.Generator, runs: int) -> np.ndarray:
        return mazes.cumulative(method, lambda: blocking_maze(WHEN), STEPS, settings, rng, runs)

    return {"reward": np.array(lab.study(rewards, METHODS, settings.runs, chunk=10))}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the maze before and after, and below cumulative reward against time steps, as the book does."""
    figure.set_size_inches(7.2, 6.2)
    above, below = figure.subfigures(2, 1, height_ratios=(1, 2))
    left, right = above.subplots(1, 2)
    mazes.maze(left, blocking_maze(WHEN), title="the first 1000 steps")
    mazes.maze(right, blocking_maze(0), title="from then on")
    axes = style.panel(below.subplots(), "", "time steps", "cumulative reward")
    x = np.arange(0, STEPS + 1, mazes.EVERY)
    for i, name in enumerate(METHODS):
        style.curve(axes, x, data["reward"][i], name, style.COLORS[i])
    axes.axvline(WHEN, color=style.GREY, linestyle="--", linewidth=1)
    axes.set(xlim=(0, STEPS), ylim=(0, None), xticks=[0, 1000, 2000, 3000])
    axes.legend(frameon=False, fontsize=9, loc="upper left")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Example 8.2 and the figure say."""
    plus, plain = data["reward"]
    at, end = WHEN // mazes.EVERY, -1
    before, flat = (slice(at - 20, at), slice(at, at + 20))  # 200 steps before the change, and after it
    gains = np.diff(data["reward"], axis=2)
    late = gains[:, :, -100:].sum(axis=2)  # of the last 1000 steps
    lost = [mean((late[i] == 0).astype(float)) for i in range(2)]
    found = [
        less("in the end Dyna-Q+ has earned more", mean(plain[:, end] - plus[:, end]), 0.0),
        less("Dyna-Q+ has earned more in the first phase too", mean(plain[:, at] - plus[:, at]), 0.0),
        less("and in the second phase", mean((plain[:, end] - plain[:, at]) - (plus[:, end] - plus[:, at])), 0.0),
        *[
            less(
                f"{name}: the curve goes flat when the way is blocked", mean((gains[i][:, flat] - gains[i][:, before] / 2).sum(axis=1)), 0.0
            )
            for i, name in enumerate(METHODS)
        ],
        less("Dyna-Q has not found the new way in more runs", lost[0], lost[1]),
        less("Dyna-Q+ has found it in nearly all", lost[0].mean, 0.05),
        less("the new way is longer: Dyna-Q+ earns less per step in the end", mean(late[0] - plus[:, at]), 0.0),
        equal(
            f"before its first reward Dyna-Q is a random walk: as many runs have none after {WALK} steps as such walks",
            mean(1.0 * (plain[:, WALK // mazes.EVERY] == 0)),
            mazes.still_walking(blocking_maze(), WALK),
        ),
        true("no run earns faster than the shortest path allows", _possible(data["reward"]), f"1 in {SHORT} steps, later 1 in {LONG}"),
    ]
    return found


def _possible(reward: np.ndarray) -> bool:
    """Whether no run exceeds one reward per shortest path, before and after; the episode of the change may end sooner."""
    t = mazes.EVERY * np.arange(reward.shape[2])
    first = reward <= np.minimum(t, WHEN) // SHORT + 1 + np.maximum(t - WHEN, 0) // LONG
    return bool(first.all() and (reward[:, :, : WHEN // mazes.EVERY + 1] <= t[: WHEN // mazes.EVERY + 1] // SHORT).all())
