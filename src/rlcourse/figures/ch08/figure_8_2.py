"""Figure 8.2: learning curves of Dyna-Q in a maze, with 0, 5 and 50 planning updates a step.

Steps per episode in the Dyna maze, gamma = 0.95, alpha = 0.1, epsilon = 0.1, values zero at first, ties broken at random; means of 30 runs.
The first episode, left out as in the book, is a random walk for every n: until the first reward there is nothing to plan with. Its
exact mean is 868.7 steps; the "about 1700" of the book's text is not what a uniform random walk does here. Runs of the same number
begin with the same seed for each n, but planning draws from the same generator, so first episodes are alike in distribution,
not step by step. The dashed line is the exact mean for the epsilon-greedy policy of q*; the shortest path has 14 steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.planning.dyna_q import dyna_q
from rlcourse.agents.planning.learned_model import LearnedModel
from rlcourse.core import exact
from rlcourse.core.config import Config, Count, Discount, Probability, StepSize
from rlcourse.core.trial import Trial
from rlcourse.envs import dyna_maze
from rlcourse.figures import mazes, style
from rlcourse.figures.claims import Claim, Estimate, equal, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "FULL", "Settings", "claims", "draw", "run"]

PLANNING = (0, 5, 50)
START = 18


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 30
    episodes: Count = 50
    alpha: StepSize = 0.1
    gamma: Discount = 0.95
    epsilon: Probability = 0.1


FAST: dict[str, Any] = {}
FULL = {"runs": 1000}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return the steps of each episode [3, runs, episodes], and two exact means: of a random walk, and of ε-greedy on q*."""
    world = dyna_maze()
    S, A = world.successor.shape[:2]

    def lengths(n: int, rng: np.random.Generator, runs: int) -> np.ndarray:
        taken = np.zeros((runs, settings.episodes))
        for i in range(runs):
            trial = Trial.of(world, episodes=settings.episodes, capacity=settings.episodes + 1)
            dyna_q(trial, LearnedModel.of(S, A), np.zeros((S, A)), settings.alpha, settings.gamma, settings.epsilon, n, rng)
            taken[i] = trial.take_rows()[:, 1]
        return taken

    Q = exact.q_star(world, settings.gamma)
    timed = world._replace(reward=np.ones_like(world.reward))  # every move counts one
    random = np.full((S, A), 1.0 / A)
    walk = exact.v_pi(timed, random, 1.0)
    squared = world._replace(reward=1.0 + 2.0 * np.where(world.terminal, 0.0, walk[world.successor]))  # E[T^2] = E[1 + 2 T' + T'^2]
    return {
        "steps": np.array(lab.study(lengths, PLANNING, settings.runs, chunk=10)),
        "random_walk": walk[START],
        "random_walk_deviation": np.sqrt(exact.v_pi(squared, random, 1.0)[START] - walk[START] ** 2),
        "limit": np.array(exact.v_pi(timed, exact.greedy_policy(Q, settings.epsilon), 1.0)[START]),
        "shortest": 1.0 + np.log(Q[START].max()) / np.log(settings.gamma),
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw steps per episode from the second one on, as the book does, with the maze in the corner."""
    axes = style.panel(figure.subplots(), "", "episodes", "steps per episode")
    x = np.arange(2, settings.episodes + 1)
    for i, n in enumerate(PLANNING):
        label = f"{n} planning steps" + (" (direct RL only)" if n == 0 else "")
        style.curve(axes, x, data["steps"][i][:, 1:], label, style.COLORS[i])
    style.reference(axes, float(data["limit"]), f"ε-greedy on q*, exact: {float(data['limit']):.1f}")
    axes.set(xlim=(1, settings.episodes), ylim=(0, 900), xticks=[2, 10, 20, 30, 40, 50], yticks=[14, 200, 400, 600, 800])
    axes.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(0.12, 0.62))
    mazes.maze(axes.inset_axes((0.52, 0.5, 0.46, 0.48)), dyna_maze())


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Example 8.1 and the figure say."""
    steps = data["steps"]
    after = [f"episode {e}" for e in (2, 3, 5)]
    second = {n: steps[i][:, 1] for i, n in enumerate(PLANNING)}
    late, limit = steps[:, :, -10:].mean(axis=2), float(data["limit"])
    error = float(data["random_walk_deviation"]) / np.sqrt(settings.runs)  # exact: a sample of so skewed a length misjudges it
    settled = [int(np.argmax(steps[i].mean(axis=0) < 1.5 * limit)) + 1 for i in range(3)]
    found = [
        equal("the shortest path has 14 steps", float(data["shortest"]), 14, 1e-9),
        *[
            equal(f"the first episode is a random walk, n = {n}", Estimate(float(steps[i][:, 0].mean()), error), float(data["random_walk"]))
            for i, n in enumerate(PLANNING)
        ],
        less("planning pays at once: in episode 2, n = 5 beats n = 0", mean(second[5] - second[0]), 0.0),
        less("in episode 2, n = 50 beats n = 5", mean(second[50] - second[5]), 0.0),
        *[
            less(f"{name}: n = 50 beats n = 0", mean(steps[2][:, int(name[8:]) - 1] - steps[0][:, int(name[8:]) - 1]), 0.0)
            for name in after
        ],
        true("n = 50 is near its limit within a few episodes", settled[2] <= 4, f"from episode {settled[2]}"),
        true("n = 5 needs more, but about ten at most", settled[2] < settled[1] <= 10, f"from episode {settled[1]}"),
        true("n = 0 needs at least twice as many as n = 5", settled[0] >= 2 * settled[1], f"from episode {settled[0]}"),
        equal("in the end n = 50 walks as ε-greedy on q* would", mean(late[2]), limit, 1.0),
        less("in the end n = 50 is not better than the shortest path", 14.0, mean(late[2])),
    ]
    if settings.gamma == 0.95 and settings.alpha == 0.1:
        found += [
            equal(f"episode 2 as printed, n = {n}: about {printed}", mean(second[n]), printed, 9 + 3 * second[n].std() / np.sqrt(30))
            for n, printed in ((0, 830), (5, 180), (50, 40))  # tolerances: reading, and the book's own 30 runs
        ]
    return found
