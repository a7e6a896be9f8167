"""Example 8.4: prioritized sweeping against Dyna-Q: updates until an optimal solution.

The maze of Figure 8.2 on finer and finer grids: all cells are halved by turns in width and height, which gives 47, 94, 188, 376 ... 6016
free cells (the book's axis says 186). Both methods make at most n = 5 planning updates per real step. Counted are updates until the greedy
path is a shortest one, looked at before every step: Dyna-Q's n planning updates and the real one, what prioritized sweeping takes
from its queue. The book prints no other setting. Chosen: gamma = 0.95; alpha = 1 (the world is deterministic; with 0.5 the queue is left
with half-made updates, and the advantage is lost); epsilon = 0.9 (with 0.1 prioritized sweeping perfects its first path so soon that a
shorter one may be met only after millions of steps); theta = 1e-7, below (1 - gamma)^2 times the start's value on the largest maze.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.planning.dyna_q import dyna_q
from rlcourse.agents.planning.learned_model import LearnedModel, Predecessors
from rlcourse.agents.planning.prioritized_sweeping import prioritized_sweeping
from rlcourse.agents.planning.queue import PriorityQueue
from rlcourse.core import exact
from rlcourse.core.config import Config, Count, Discount, Positive, Probability, StepSize
from rlcourse.core.mdp import MDP
from rlcourse.core.until_optimal import UntilOptimal
from rlcourse.envs import dyna_maze
from rlcourse.envs.drawing_maze import walls
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "FULL", "Settings", "claims", "draw", "run"]

METHODS = ("Dyna-Q", "prioritized sweeping")
BUDGET = 10_000_000  # real steps; none comes near it
BOOK = {0: (2e4, 150.0), 7: (6e6, 5e5)}  # read off the book: Dyna-Q, prioritized sweeping


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 10
    sizes: Count = 8  # mazes, each with twice as many states as the one before
    n: Count = 5
    alpha: StepSize = 1.0
    gamma: Discount = 0.95
    epsilon: Probability = 0.9
    theta: Positive = 1e-7


FAST = {"runs": 8, "sizes": 5}
FULL = {"runs": 50}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return updates and real steps [2, sizes, runs], whether solved, shortest paths, and the errors of `_error`."""
    worlds = [dyna_maze(k) for k in range(settings.sizes)]
    shortest = [_shortest(world) for world in worlds]
    jobs = [(method, k, i) for k in range(settings.sizes) for method in METHODS for i in range(settings.runs)]

    def solve(job: tuple[str, int, int]) -> tuple[int, int, bool]:
        method, k, i = job
        result = _learn(method, worlds[k], settings, lab.rng(i), shortest[k], BUDGET)[1]
        updates = result["updates"] if method == METHODS[1] else (settings.n + 1) * result["steps"]
        return max(updates, 1), result["steps"], result["solved"]

    found = lab.map(solve, jobs)
    shape = (settings.sizes, 2, settings.runs)
    return {
        "updates": np.reshape([part[0] for part in found], shape).swapaxes(0, 1),
        "steps": np.reshape([part[1] for part in found], shape).swapaxes(0, 1),
        "solved": np.array([part[2] for part in found]),
        "states": np.array([47 * 2**k for k in range(settings.sizes)]),
        "shortest": np.array(shortest),
        "error": np.array([_error(method, settings, lab.rng(settings.runs)) for method in METHODS]),
    }


def _learn(method: str, world: MDP, c: Settings, rng: np.random.Generator, shortest: int, budget: int) -> tuple[np.ndarray, dict[str, Any]]:
    """Learn until the path is optimal, or for a budget; return the values and what `UntilOptimal` saw."""
    S, A = world.successor.shape[:2]
    Q, model, queue = np.zeros((S, A)), LearnedModel.of(S, A), PriorityQueue.of(S * A)
    place = UntilOptimal.of(world, Q, shortest, budget, queue.tally)
    if method == "Dyna-Q":
        dyna_q(place, model, Q, c.alpha, c.gamma, c.epsilon, c.n, rng)
    else:
        prioritized_sweeping(place, model, Predecessors.of(S, A), queue, Q, c.alpha, c.gamma, c.epsilon, c.n, c.theta, rng)
    return Q, place.result()


def _error(method: str, settings: Settings, rng: np.random.Generator) -> float:
    """Return the largest error of the values where every move costs 1 and the last one leads back to the start, after a random walk."""
    maze = dyna_maze()
    start = int(np.argmax(np.diff(maze.start, prepend=0.0)))
    world = maze._replace(reward=-np.ones_like(maze.reward), successor=np.where(maze.terminal, start, maze.successor))
    thorough = Settings(alpha=1.0, gamma=settings.gamma, epsilon=1.0, theta=1e-12, n=20)
    Q, _ = _learn(method, world, thorough, rng, 0, 30_000)
    error = np.abs(Q - exact.q_star(world, settings.gamma)).max(axis=1)
    return float(max(error[s] for s in range(len(error)) if s not in walls(maze) and not maze.terminal[s].all()))


def _shortest(world: MDP) -> int:
    V = exact.v_star(world, 0.5 ** (1 / 64))
    start = int(np.argmax(np.diff(world.start, prepend=0.0)))
    return round(1 - 64 * np.log2(V[start]))


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw updates against the number of states, both logarithmic, as the book does."""
    axes = style.panel(figure.subplots(), "", "gridworld size (number of states)", "updates until optimal solution")
    for i, name in enumerate(METHODS):
        axes.plot(data["states"], data["updates"][i].mean(axis=1), color=style.COLORS[i], marker="o", markersize=4, label=name)
        axes.plot(
            np.repeat(data["states"], settings.runs), data["updates"][i].ravel(), ".", color=style.COLORS[i], alpha=0.25, markersize=3
        )
    axes.set(xscale="log", yscale="log", ylim=(10, 1e7))
    axes.set_xticks(data["states"], [str(size) for size in data["states"]])
    axes.minorticks_off()
    axes.legend(frameon=False, fontsize=9, loc="upper left")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Example 8.4 says, and that both methods are right."""
    dyna, sweeping = data["updates"]
    means = data["updates"].mean(axis=2)
    found = [true("every run finds a shortest path", data["solved"].all(), f"{data['solved'].sum()} of {data['solved'].size}")]
    for k, states in enumerate(data["states"]):
        factor = mean(np.log(dyna[k] / sweeping[k]))  # runs differ by factors
        found.append(less(f"{states} states: prioritized sweeping needs five times fewer updates", np.log(5), factor))
    fewer = np.log(data["steps"][0] / data["steps"][1]).mean(axis=0)  # one number per run, all sizes together
    found.append(less("it does not buy that with real steps: it needs less than twice as many, on the whole", -np.log(2), mean(fewer)))
    found += [
        less(f"{name} needs more updates on a finer grid, about in proportion or more", 0.9, float(slope))
        for name, slope in zip(METHODS, np.polyfit(np.log(data["states"]), np.log(means).T, 1)[0], strict=True)
    ]
    for k, printed in BOOK.items():
        for i, name in enumerate(METHODS):
            if k < settings.sizes:
                ratio = mean(data["updates"][i, k] / printed[i])
                text = f"{name} at {data['states'][k]} states is within a factor of ten of the book's {printed[i]:.0e}"
                found.append(true(text, 0.1 < ratio.mean < 10.0, f"factor {ratio}"))
    found += [
        equal(f"the values of {name} become exact, also where a move costs 1 and the end leads to the start", error, 0.0, 1e-9)
        for name, error in zip(METHODS, data["error"], strict=True)
    ]
    return found
