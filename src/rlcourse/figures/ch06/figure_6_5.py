"""Figure 6.5 and Example 6.7: maximisation bias, Q-learning and Double Q-learning.

From A, right ends the episode with nothing; left leads to B, whose ten actions end it with normal rewards of mean -0.1. Left is
wrong, and an epsilon-greedy agent that knows it goes left in 5 % of the episodes. Q-learning goes left far more often at first: the
largest of ten noisy values is positive for long. Double Q-learning is nearly free of that bias. Ties break at random, so that both
begin at 50 %. The book says "many" actions; ten is what its author's program has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.temporal_difference.double_q_learning import double_q_learning
from rlcourse.agents.temporal_difference.q_learning import q_learning
from rlcourse.core.config import Config, Count, Probability, StepSize
from rlcourse.core.runs import Runs
from rlcourse.envs import MaximizationBias
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

BOXES = {"Q-learning": (q_learning, 1), "Double Q-learning": (double_q_learning, 2)}  # name: box, number of tables
BOOK = {"Q-learning": {100: 46.0, 200: 15.0, 300: 12.0}, "Double Q-learning": {50: 14.0, 100: 9.5, 300: 6.5}}  # % left, read off


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 10_000
    episodes: Count = 300
    alpha: StepSize = 0.1
    epsilon: Probability = 0.1


FAST = {"runs": 2_000}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return whether each run went left in each episode, [2, runs, episodes]."""
    return {"left": left_taken(list(BOXES.values()), settings, lab)}


def left_taken(boxes: list[tuple[Any, int]], settings: Any, lab: Lab) -> np.ndarray:
    """Return whether left was taken, booleans [boxes, runs, episodes]; only such an episode has two steps."""
    world = MaximizationBias()
    Q = world.initial_values()

    def experiment(parameter: Any, rng: np.random.Generator, n: int) -> np.ndarray:
        box, tables = parameter
        trial = Runs.of(world, n, settings.episodes, [Q] * tables)
        box(trial, *trial.tables(*[Q.shape] * tables), settings.alpha, 1.0, settings.epsilon, rng)
        return trial.lengths() == 2

    return np.array(lab.study(experiment, boxes, settings.runs, chunk=500))


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the share of left actions by episode."""
    axes = style.panel(figure.subplots(), "", "episodes", "% left actions from A")
    episodes = np.arange(1, data["left"].shape[2] + 1)
    for i, name in enumerate(BOXES):
        style.curve(axes, episodes, 100.0 * data["left"][i], name, style.COLORS[(3, 2)[i]])
    style.reference(axes, 100.0 * settings.epsilon / 2, "optimal", side="right", above=False)
    axes.set_ylim(0, 100)
    axes.set_xlim(0, len(episodes))
    axes.set_yticks([0, 5, 25, 50, 75, 100], ["0%", "5%", "25%", "50%", "75%", "100%"])
    axes.legend(frameon=False)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Section 6.7 says."""
    q, double = 100.0 * data["left"]
    peak = int(q.mean(axis=0).argmax())
    floor = 100.0 * settings.epsilon / 2
    found = [
        equal("Q-learning begins at 50 %", mean(q[:, 0]), 50.0),
        equal("Double Q-learning begins at 50 %", mean(double[:, 0]), 50.0),
        less("Q-learning goes left in more than 85 % of the episodes at its worst", 85.0, mean(q[:, peak])),
        less("Double Q-learning never does so in more than 65 %", float(double.mean(axis=0).max()), 65.0),
        less("over all episodes Double Q-learning goes left less often", mean((double - q).mean(axis=1)), 0.0),
        less("in the end too", mean((double - q)[:, -100:].mean(axis=1)), 0.0),
        less("Q-learning is still above the optimal share in the end", floor, mean(q[:, -100:].mean(axis=1))),
        less("Double Q-learning's floor is the share of exploration", floor - 0.5, mean(double[:, -100:].mean(axis=1))),
    ]
    for name, samples in (("Q-learning", q), ("Double Q-learning", double)):
        for at, printed in BOOK[name].items():
            if at <= settings.episodes:
                found.append(equal(f"{name} at episode {at} as printed: {printed:g} %", mean(samples[:, at - 1]), printed, 1.5))
    return found
