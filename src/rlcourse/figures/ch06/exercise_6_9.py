"""Exercise 6.9: king's moves on the windy gridworld.

Sarsa as in Example 6.5 with eight actions, the diagonals included, and with a ninth that moves by the wind alone. How much better
is it? Exactly: 7 moves instead of 15, and the ninth action gains nothing, because where the wind blows a king can always use his
move as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core import exact
from rlcourse.core.config import Config, Count, Probability, StepSize
from rlcourse.envs import windy_gridworld
from rlcourse.figures import style, windy
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab
from rlcourse.figures.paths import draw_walk, greedy_walk

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

VARIANTS = {
    "4 moves": {},
    "king's 8 moves": {"kings_moves": True},
    "king's moves and staying": {"kings_moves": True, "stay": True},
}


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 100
    steps: Count = 8_000
    alpha: StepSize = 0.5
    epsilon: Probability = 0.1
    small_alpha: StepSize = 0.1  # of the long runs
    long_runs: Count = 10
    long_steps: Count = 400_000


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return ends of episodes [3, runs, episodes], greedy lengths [3, runs], the long runs' pace, exact lengths [3], and paths."""
    worlds = [windy_gridworld(**options) for options in VARIANTS.values()]
    ends, tables = windy.learn(worlds, settings, lab)
    walks = [[greedy_walk(world, Q) for Q in Qs] for world, Qs in zip(worlds, tables, strict=True)]
    soft = [exact.greedy_policy(exact.soft_policy(world, settings.epsilon, 1.0), settings.epsilon) for world in worlds]
    long = windy.Study(settings.long_runs, settings.long_steps, settings.small_alpha, settings.epsilon)
    return {
        "ends": ends,
        "long_pace": np.array([windy.pace(e, settings.long_steps / 2, settings.long_steps) for e in windy.learn(worlds, long, lab)[0]]),
        "greedy": np.array([[len(walk) - 1 for walk in each] for each in walks]),
        "shortest": np.array([-exact.v_star(world, 1.0)[30] for world in worlds]),
        "shortest_soft": np.array([-exact.exact_return(world, policy) for world, policy in zip(worlds, soft, strict=True)]),
    } | {f"path_{i}": np.array(min(each, key=len)) for i, each in enumerate(walks)}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw finished episodes by time step, and a greedy path for each set of moves."""
    figure.set_size_inches(10.0, 5.4)
    left, right = figure.subfigures(1, 2, width_ratios=(1.35, 1.0))
    axes = style.panel(left.subplots(), "", "time steps", "episodes")
    steps = np.arange(0, settings.steps + 1, 20)
    for i, name in enumerate(VARIANTS):
        style.curve(axes, steps, windy.episodes_by_step(data["ends"][i], steps), name, style.COLORS[i])
    axes.set_xlim(0, settings.steps)
    axes.set_ylim(0, None)
    axes.legend(frameon=False, loc="upper left")
    for i, (panel, name) in enumerate(zip(right.subplots(3, 1), VARIANTS, strict=True)):
        path = data[f"path_{i}"].tolist()
        draw_walk(panel, path, windy.SHAPE, f"{name}: {len(path) - 1}", style.COLORS[i], below=windy.WIND)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return the exercise's answers."""
    four, eight, nine = (windy.pace(ends, 0.75 * settings.steps, settings.steps) for ends in data["ends"])
    best = data["greedy"].min(axis=1)
    return [
        true("exactly 15, 7 and 7 moves are needed", np.allclose(data["shortest"], [15.0, 7.0, 7.0], atol=1e-6), str(data["shortest"])),
        true("Sarsa finds paths of 15, 7 and 7 moves", best.tolist() == [15, 7, 7], str(best)),
        less("with king's moves an episode takes less than three quarters of the steps", mean(eight - 0.75 * four), 0.0),
        less("a ninth action to learn about makes Sarsa slower, not quicker", mean(eight - nine), 0.0),
        *(
            equal(f"{name}: the long run comes down to the best that explores as much", mean(pace), float(limit), 0.5)
            for name, pace, limit in zip(VARIANTS, data["long_pace"], data["shortest_soft"], strict=True)
        ),
    ]
