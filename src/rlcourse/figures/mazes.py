"""What the figures of chapter 8 share: mazes drawn, and cumulative rewards in mazes that change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rlcourse.agents.planning.dyna_q import dyna_q
from rlcourse.agents.planning.dyna_q_plus import dyna_q_plus
from rlcourse.agents.planning.dyna_q_selection import dyna_q_selection
from rlcourse.agents.planning.learned_model import LearnedModel
from rlcourse.core.trial import Trial
from rlcourse.envs import ChangingMaze
from rlcourse.envs.drawing_maze import walls
from rlcourse.figures import style

__all__ = ["EVERY", "cumulative", "maze", "still_walking"]

EVERY = 10  # steps between two points of a curve


def maze(axes: Any, world: Any, arrows: np.ndarray | None = None, agent: int | None = None, title: str = "", rows: int = 6) -> None:
    """Draw a maze: walls filled, S and G, arrows [S, A] (bool), and a square where the agent is."""
    blocked, model = walls(world), world.model() if hasattr(world, "model") else world
    S = len(model.successor)
    columns = S // rows
    start = int(np.argmax(np.diff(model.start, prepend=0.0)))
    goals = np.flatnonzero(model.terminal[:, 0, 0] & (model.successor[:, 0, 0] == np.arange(S)))
    texts = ["S" if s == start else "G" if s in goals else "" for s in range(S)]
    shown = None if arrows is None else arrows & ~np.isin(np.arange(S), [*goals, *blocked])[:, None]
    if shown is not None and agent is not None:
        shown[agent] = False
    style.grid(axes, shape=(rows, columns), texts=texts, arrows=shown, title=title, size=9)
    for s in blocked:
        y, x = divmod(s, columns)
        axes.add_patch(_square(x, y, 1.0, style.GREY))
    if agent is not None:
        y, x = divmod(agent, columns)
        axes.add_patch(_square(x, y, 0.5, style.INK))


def cumulative(
    method: str, world: Callable[[], ChangingMaze], steps: int, settings: Any, rng: np.random.Generator, runs: int
) -> np.ndarray:
    """Return the rewards earned until every `EVERY`-th step, shape [runs, steps / EVERY + 1]; each run in a maze of its own.

    The method is "Dyna-Q", "Dyna-Q+" or "bonus in selection"; settings are alpha, gamma, epsilon, n and kappa.
    """
    c, (S, A) = settings, world().successor.shape[1:]
    earned = np.zeros((runs, steps // EVERY + 1), np.int64)
    for i in range(runs):
        trial = Trial.of(world(), steps=steps, capacity=steps)
        model, Q = LearnedModel.of(S, A), np.zeros((S, A))
        last, time = np.zeros((S, A), np.int64), np.zeros(1, np.int64)
        if method == "Dyna-Q":
            dyna_q(trial, model, Q, c.alpha, c.gamma, c.epsilon, c.n, rng)
        elif method == "Dyna-Q+":
            dyna_q_plus(trial, model, last, time, Q, c.alpha, c.gamma, c.epsilon, c.n, c.kappa, True, rng)
        else:
            dyna_q_selection(trial, model, last, time, Q, c.alpha, c.gamma, c.n, c.kappa, rng)
        rows = trial.take_rows()
        earned[i] = np.searchsorted(rows[rows[:, 2] > 0, 3], np.arange(0, steps + 1, EVERY), side="right")
    return earned


def still_walking(world: ChangingMaze, steps: int) -> float:
    """Return the probability that a random walk has not reached the goal after so many steps; exact."""
    model = world.model()
    S, A = model.successor.shape[:2]
    at = np.diff(model.start, prepend=0.0)
    for _ in range(steps):
        after = np.zeros(S)
        np.add.at(after, model.successor[:, :, 0], at[:, None] * ~model.terminal[:, :, 0] / A)
        at = after
    return float(at.sum())


def _square(x: float, y: float, side: float, color: str) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x - side / 2, y - side / 2), side, side, facecolor=color, linewidth=0, zorder=2)
