"""Example 6.5: Sarsa on the windy gridworld.

Epsilon = 0.1, alpha = 0.5, all values zero at first, no discount. The slope of the curve is the pace at which the goal is reached.
The book shows one run of 8,000 steps; here many are averaged, and the path is a greedy one, best in 15 moves. The text gives about
17 steps as the mean length of an episode in the end. That is what the best policy with as much exploration needs, 17.05 exactly;
with alpha = 0.5 Sarsa is at some 24 after 8,000 steps and settles at 19, with alpha = 0.1 it comes down to 17.1 within 400,000
steps.
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
    """Return ends of episodes [runs, episodes], a greedy path, what the long runs come to, and exact lengths."""
    world = windy_gridworld()
    ends, tables = windy.learn([world], settings, lab)
    walks = [greedy_walk(world, Q) for Q in tables[0]]
    long = windy.Study(settings.long_runs, settings.long_steps, settings.small_alpha, settings.epsilon)
    long_ends, long_tables = windy.learn([world], long, lab)
    soft = exact.soft_policy(world, settings.epsilon, 1.0)
    return {
        "ends": ends[0],
        "long_pace": windy.pace(long_ends[0], settings.long_steps / 2, settings.long_steps),
        "long_greedy": np.array([len(greedy_walk(world, Q)) - 1 for Q in long_tables[0]]),
        "path": np.array(min(walks, key=len)),
        "shortest": -exact.v_star(world, 1.0)[30],
        "shortest_soft": np.array(-exact.exact_return(world, exact.greedy_policy(soft, settings.epsilon))),
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw finished episodes by time step, and a greedy path."""
    figure.set_size_inches(9.6, 4.2)
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1.0))
    style.panel(left, "", "time steps", "episodes")
    steps = np.arange(0, settings.steps + 1, 20)
    samples = windy.episodes_by_step(data["ends"], steps)
    style.curve(left, steps, samples, f"mean of {len(samples)} runs", style.COLORS[0])
    left.plot(steps, samples[0], color=style.COLORS[1], linewidth=1.0, label="one of them")
    left.set_xlim(0, settings.steps)
    left.set_ylim(0, None)
    left.legend(frameon=False, loc="upper left")
    draw_walk(right, data["path"].tolist(), windy.SHAPE, f"A greedy path: {len(data['path']) - 1} moves", below=windy.WIND)
    right.set_xlabel("wind: cells that a move is pushed up", labelpad=14, fontsize=9)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Example 6.5 says."""
    early, late = (windy.pace(data["ends"], begin * settings.steps, end * settings.steps) for begin, end in ((0.0, 0.25), (0.75, 1.0)))
    done = windy.episodes_by_step(data["ends"], np.array([settings.steps]))[:, 0]
    return [
        equal("no policy needs fewer than 15 moves", float(data["shortest"]), 15.0, 1e-6),
        true("a greedy path of Sarsa has 15 moves", len(data["path"]) - 1 == 15, f"{len(data['path']) - 1} moves"),
        equal("some 170 episodes are over in the end, as printed", mean(done), 170.0, 12.0),
        less("the pace increases: fewer steps per episode in the last quarter than in the first", mean(late - early), 0.0),
        less("the mean length in the end is below twice the shortest path", mean(late), 30.0),
        less("and above that of the best policy that explores as much, exactly", float(data["shortest_soft"]), mean(late)),
        equal("which needs 17.048 steps", float(data["shortest_soft"]), 17.048, 1e-3),
        equal("a small step size comes down to it in the end", mean(data["long_pace"]), float(data["shortest_soft"]), 0.2),
        true("and nearly all its greedy paths are the shortest", np.mean(data["long_greedy"] == 15) >= 0.7, str(data["long_greedy"])),
    ]
