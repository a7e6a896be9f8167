"""Figure 8.3: policies half-way through the second episode, without planning and with n = 50.

The settings are those of Figure 8.2. An arrow is a greedy action; a cell without one has equal values for all actions. The black square
is where the agent is. Without planning an episode adds one step to the policy, so half-way through the second one only the last step
is known. With planning, too, one step is learned in the first episode, but in the second one planning spreads it backwards, and an
extensive policy stands before the goal is reached again. The picture shows run 0; what is claimed holds over all runs. The half
is found by a rerun with the same seed, cut off after half the length of its second episode.
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
from rlcourse.core.until_optimal import UntilOptimal
from rlcourse.envs import dyna_maze
from rlcourse.figures import mazes, style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "FULL", "Settings", "claims", "draw", "run"]

PLANNING = (0, 50)
BELOW_GOAL, FREE = 17, 46  # the cell below the goal; cells in which one acts


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 100
    alpha: StepSize = 0.1
    gamma: Discount = 0.95
    epsilon: Probability = 0.1


FAST = {"runs": 30}
FULL = {"runs": 1000}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return the values half-way [2, runs, 54, 4], where the agent is [2, runs], and q* [54, 4]."""
    world = dyna_maze()
    S, A = world.successor.shape[:2]

    def half_way(job: tuple[int, int]) -> tuple[np.ndarray, int]:
        n, i = job
        numbers = (settings.alpha, settings.gamma, settings.epsilon, n)
        trial = Trial.of(world, episodes=2, capacity=3)
        dyna_q(trial, LearnedModel.of(S, A), np.zeros((S, A)), *numbers, lab.rng(i))
        first, second = trial.take_rows()[:, 1]
        Q = np.zeros((S, A))
        cut = UntilOptimal.of(world, Q, shortest=0, budget=first + second // 2)
        dyna_q(cut, LearnedModel.of(S, A), Q, *numbers, lab.rng(i))
        return Q, cut.result()["state"]

    found = lab.map(half_way, [(n, i) for n in PLANNING for i in range(settings.runs)])
    return {
        "Q": np.reshape([Q for Q, _ in found], (2, settings.runs, S, A)),
        "state": np.reshape([state for _, state in found], (2, settings.runs)),
        "optimal": exact.q_star(world, settings.gamma),
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw both policies as arrows, as the book does, and where the agent is."""
    figure.set_size_inches(9.2, 3.6)
    for i, (axes, n) in enumerate(zip(figure.subplots(1, 2), PLANNING, strict=True)):
        title = f"without planning (n = {n})" if n == 0 else f"with planning (n = {n})"
        mazes.maze(axes, dyna_maze(), _arrows(data["Q"][i, 0]), int(data["state"][i, 0]), title)
        for spine in axes.spines.values():
            spine.set_color(style.GREY)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the text says of the figure."""
    world, (none, planned) = dyna_maze(), data["Q"]
    known = np.any(data["Q"] != 0.0, axis=3).sum(axis=2)  # [2, runs] cells with a policy
    last = [np.flatnonzero(Q) for Q in none]
    good = [np.mean([_reaches(Q, int(s), world) for s in np.flatnonzero(Q.any(axis=1))]) for Q in planned]
    last_step = data["Q"][:, :, BELOW_GOAL, 0]  # [2, runs] the value of the last step
    times = np.log(1.0 - last_step) / np.log(1.0 - settings.alpha)  # how often it was moved towards 1
    one_step = [np.array_equal(entries, [4 * BELOW_GOAL]) for entries in last]
    return [
        less("without planning little more than one step is known", mean(known[0]), 2.0),
        less("without planning, in most runs it is the last step and nothing else", 0.5, float(np.mean(one_step))),
        equal("without planning the last step has been updated once: its value is alpha", float(np.abs(times[0] - 1.0).max()), 0.0, 1e-9),
        true(
            "with planning it has been updated a whole number of times, several in the mean",
            (np.abs(times[1] - times[1].round()) < 1e-6).all() and times[1].mean() > 3,
            f"{times[1].min():.6g} to {times[1].max():.6g} times",
        ),
        less("with planning at least a third of the cells have a policy", FREE / 3, mean(known[1])),
        less("planning knows the policy in at least ten cells more, on the whole", 10.0, mean(known[1] - known[0])),
        less("with planning, the arrows lead to the goal from nine of ten cells that have one", 0.9, mean(good)),
        true(
            "no value is above the optimal one",
            (data["Q"] <= data["optimal"] + 1e-12).all(),
            f"by at most {np.max(data['Q'] - data['optimal']):.3g}",
        ),
    ]


def _arrows(Q: np.ndarray) -> np.ndarray:
    """Return greedy actions, shape [S, A]; none where all values are equal."""
    greedy: np.ndarray = (Q == Q.max(axis=1, keepdims=True)) & (Q.min(axis=1) < Q.max(axis=1))[:, None]
    return greedy


def _reaches(Q: np.ndarray, s: int, world: Any) -> bool:
    """Whether the greedy policy reaches the goal from a cell through cells that have a policy."""
    for _ in range(len(Q)):
        a = int(np.argmax(Q[s]))
        if Q[s, a] == 0.0:
            return False
        if world.terminal[s, a, 0]:
            return True
        s = int(world.successor[s, a, 0])
    return False
