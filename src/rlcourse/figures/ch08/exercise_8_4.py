"""Exercise 8.4: the bonus of Dyna-Q+ used in action selection only, in both mazes that change.

Dyna-Q+ adds kappa sqrt(tau) to planned rewards. Here it is left out of the updates and added to Q(S, a) when the real action is chosen,
always the maximal one. Where the way is blocked both kinds of curiosity serve: the agent tries new actions at once. Where a shortcut
opens only planning with the bonus finds it: a bonus in selection is seen only where the agent stands, so off the usual path nothing
draws it on, while a planned bonus makes the whole way to an untried pair look worth going. The strength of the local method is that
its values stay those of the model, and that exploring costs little until something changes. Settings of Figure 8.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count, Discount, NonNegative, Probability, StepSize
from rlcourse.envs import blocking_maze, shortcut_maze
from rlcourse.figures import mazes, style
from rlcourse.figures.claims import Claim, less, mean
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "FULL", "Settings", "claims", "draw", "run"]

METHODS = ("Dyna-Q+", "bonus in selection", "Dyna-Q")
MAZES = {"blocking": (blocking_maze, 1000, 3000), "shortcut": (shortcut_maze, 3000, 6000)}  # maker, change, steps


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 100
    alpha: StepSize = 1.0
    gamma: Discount = 0.95
    epsilon: Probability = 0.1
    n: Count = 50
    kappa: NonNegative = 7e-4


FAST = {"runs": 20}
FULL = {"runs": 1000}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return cumulative rewards in each maze, [3, runs, points], every ten steps."""

    def rewards(job: tuple[str, str], rng: np.random.Generator, runs: int) -> np.ndarray:
        maze, method = job
        make, _, steps = MAZES[maze]
        return mazes.cumulative(method, make, steps, settings, rng, runs)

    found = lab.study(rewards, [(maze, method) for maze in MAZES for method in METHODS], settings.runs, chunk=10)
    return {maze: np.array(found[3 * i : 3 * i + 3]) for i, maze in enumerate(MAZES)}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw cumulative reward against time steps, one panel per maze."""
    figure.set_size_inches(10, 4)
    for axes, (maze, (_, change, steps)) in zip(figure.subplots(1, 2), MAZES.items(), strict=True):
        style.panel(axes, f"{maze} maze", "time steps", "cumulative reward")
        for i, name in enumerate(METHODS):
            style.curve(axes, np.arange(0, steps + 1, mazes.EVERY), data[maze][i], name, style.COLORS[i])
        axes.axvline(change, color=style.GREY, linestyle="--", linewidth=1)
        axes.set(xlim=(0, steps), ylim=(0, None))
        axes.legend(frameon=False, fontsize=9, loc="upper left")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the comparison shows."""
    plus, selection, plain = (data["blocking"][i] for i in range(3))
    plus_2, selection_2, plain_2 = (data["shortcut"][i] for i in range(3))
    change = 3000 // mazes.EVERY
    early = np.diff(data["shortcut"][:, :, [100, change]], axis=2)[:, :, 0]  # of steps 1000 to 3000
    late = selection_2[:, -1] - selection_2[:, -101]  # of the last 1000 steps
    return [
        less("blocking: a bonus in selection beats none", mean(plain[:, -1] - selection[:, -1]), 0.0),
        less(
            "blocking: a bonus in planning finds the new way sooner: more is earned by step 2000",
            mean(selection[:, 200] - plus[:, 200]),
            0.0,
        ),
        less("shortcut: a bonus in planning beats one in selection", mean(selection_2[:, -1] - plus_2[:, -1]), 0.0),
        less("shortcut: a bonus in selection beats none", mean(plain_2[:, -1] - selection_2[:, -1]), 0.0),
        less("shortcut: while it is shut, curiosity in selection costs less than in planning", mean(early[0] - early[1]), 0.0),
        less("shortcut: with a bonus in selection hardly any run finds it", float(np.mean(late > 1000 // 16 + 1)), 0.2),
    ]
