"""State2vec: states as words, episodes as sentences, and what their vectors are good for.

Skip-gram with negative sampling reads 60,000 steps of uniformly random actions in the four rooms and gives each of the 104 cells a vector
of 16 numbers, without having seen a reward. Above: the cells in colours, the first three principal components of their vectors as red,
green and blue; and the first two, where the four rooms come apart and the hallways lie between them. Below, left: how much of the optimal
values a linear function of the vectors explains, R^2 with an intercept, gamma = 0.95, averaged over each of the 104 cells as the goal.
The goal itself is left out, because there the episode is over; where it counts as a state of value 0 beside neighbours of value 1, no
smooth function fits it, and all bases look worse. The yardsticks are exact: proto-value functions, the SVD of the successor
representation, which spans the same values here, and each cell's coordinates.

Right: semi-gradient Sarsa learns new goals (epsilon = 0.1, alpha = 0.2 / mean |x|^2), and its greedy policy is judged exactly. That vectors
explain values does not make them good features of control. With weights for each action, Sarsa over the vectors of states ends far below a
table: values of neighbours differ by 5 %, and greedy choices live on such differences. Over the vectors of the cells that actions lead to
it has half of the best return in less than half the steps of a table, be it of states or of such cells, and stays there: the tables
overtake it. That linear Sarsa on these codes learns a whole task in half the steps of one-hot features was not found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rlcourse.agents.approximation.semi_gradient_sarsa import semi_gradient_sarsa
from rlcourse.core import exact
from rlcourse.core.config import Config, Count
from rlcourse.core.mdp import MDP
from rlcourse.core.trial import ROWS, STEPS, Trial
from rlcourse.envs import four_rooms
from rlcourse.features import TableFeatures, proto_value_functions, state2vec, successor_vectors
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "FULL", "SECONDS", "Settings", "claims", "draw", "run"]

SECONDS = 25.0
SIZE, GAMMA, EPSILON, SHARE = 16, 0.95, 0.1, 0.2
BASES = ("state2vec", "proto-value functions", "successor SVD", "(x, y)", "random")
LEARNERS = ("table", "state2vec", "table of next cells", "state2vec of next cells")
LIMIT = 1000  # steps of an episode
HALF = 0.5  # of the best return: the threshold


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 10  # random walks, each with its vectors
    walk: Count = 60_000  # steps of each
    tasks: Count = 40  # goals that Sarsa learns
    steps: Count = 10_000  # of Sarsa
    every: Count = 250  # steps between judgements


FAST = {"runs": 3, "tasks": 16, "steps": 8_000}
FULL = {"runs": 30, "tasks": 104}


class Task(NamedTuple):
    """A goal, and with what Sarsa learns it."""

    goal: int
    rows: np.ndarray  # [S, d] of states, or [S, A, d] of where actions lead
    seed: np.random.Generator


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return vectors of one run, R^2 without and with the goal [2, bases, runs], and Sarsa's shares [learners, tasks, M]."""
    rooms = four_rooms(None)
    cells = np.flatnonzero(np.diff(rooms.start, prepend=0.0))
    values = np.array(lab.map(lambda goal: exact.v_star(four_rooms(int(goal)), GAMMA)[cells], list(cells)))  # [goals, cells]
    seeds = [int(lab.rng(0, i).integers(2**31)) for i in range(settings.runs)]
    learned = lab.map(lambda seed: state2vec(rooms, steps=settings.walk, vector_size=SIZE, seed=seed).vectors, seeds)
    xy = np.stack(np.divmod(cells, 13), axis=1).astype(float)
    exacts = [proto_value_functions(rooms, SIZE)[cells], successor_vectors(rooms, SIZE, GAMMA)[cells], xy]
    bases = [[table[cells], *exacts, lab.rng(1, i).normal(size=(len(cells), SIZE))] for i, table in enumerate(learned)]
    r2 = np.array([[explained(table, values) for table in tables] for tables in bases])  # [runs, bases, 2]
    after = exact.model(rooms).successor[:, :, 0]  # the cell that each action leads to
    tables = [(np.eye(len(rooms.start)), table) for table in learned]
    goals = lab.rng(2).choice(cells, settings.tasks, replace=settings.tasks > len(cells))
    tasks = [
        Task(int(goal), rows[after] if next_cells else rows, lab.rng(3, i))
        for next_cells in (False, True)
        for which in (0, 1)
        for i, goal in enumerate(goals)
        for rows in [tables[i % settings.runs][which]]
    ]
    curves = np.array(lab.map(lambda task: practised(task, settings), tasks)).reshape(len(LEARNERS), settings.tasks, -1)
    return {"cells": cells, "vectors": learned[0][cells], "r2": np.moveaxis(r2, (0, 1, 2), (2, 1, 0)), "shares": curves}


def explained(table: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """Return the mean R^2 of a linear fit of a table [cells, d] and an intercept to the values of each goal, without it and with it."""
    X = np.column_stack([table, np.ones(len(table))])
    found = []
    for without in (True, False):
        shares = []
        for goal, v in enumerate(values):
            kept = np.arange(len(v)) != (goal if without else -1)
            rest = v[kept] - X[kept] @ np.linalg.lstsq(X[kept], v[kept], rcond=None)[0]
            shares.append(1.0 - (rest @ rest) / np.sum((v[kept] - v[kept].mean()) ** 2))
        found.append(float(np.mean(shares)))
    return found[0], found[1]


def practised(task: Task, settings: Settings) -> np.ndarray:
    """Let Sarsa learn a goal; return its greedy policy's share of the best return after every some steps, shape [M]."""
    world, features = four_rooms(task.goal), TableFeatures.of(task.rows)
    w = np.zeros(features.n if task.rows.ndim == 3 else (4, features.n))
    met = np.linalg.norm(task.rows.reshape(-1, features.n), axis=1)
    alpha = SHARE / float(np.mean(met[met > 0] ** 2))
    best = judged(world, exact.q_star(world, GAMMA))
    trial, shares = Trial.of(world, steps=settings.steps, limit=LIMIT), np.full(settings.steps // settings.every + 1, np.nan)
    while True:
        share = judged(world, task.rows @ w.T) / best
        at = int(trial.sheet[STEPS]) // settings.every
        shares[np.isnan(shares) & (np.arange(len(shares)) <= at)] = share  # an episode may be longer than what lies between
        if trial.spent():
            return shares
        trial.sheet[ROWS] = 0.0
        trial.pause_at((at + 1) * settings.every)
        semi_gradient_sarsa(trial, features, w, alpha, GAMMA, EPSILON, task.seed)


def judged(world: MDP, Q: np.ndarray) -> float:
    """Return the exact return of the greedy policy, ties shared."""
    return exact.exact_return(world, exact.greedy_policy(Q), GAMMA)


def components(vectors: np.ndarray, n: int) -> np.ndarray:
    """Return the first n principal components of vectors [cells, d], shape [cells, n]."""
    U, scale, _ = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
    return U[:, :n] * scale[:n]


def room_of(cells: np.ndarray) -> np.ndarray:
    """Return the room of each cell, 0 to 3 by rows; 4 is a hallway."""
    row, column = np.divmod(cells, 13)
    hall = np.isin(cells, [3 * 13 + 6, 6 * 13 + 2, 7 * 13 + 9, 10 * 13 + 6])
    return np.where(hall, 4, 2 * (row > np.where(column > 6, 7, 6)) + (column > 6))


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the map and the plane of the vectors, R^2 of all bases, and Sarsa's curves."""
    figure.set_size_inches(10.6, 8.2)
    (left, right), (below, last) = figure.subplots(2, 2, height_ratios=(1.15, 1))
    cells, parts = data["cells"], components(data["vectors"], 3)
    low, high = parts.min(axis=0), parts.max(axis=0)
    image = np.full((13 * 13, 3), 0.16)
    image[cells] = 0.12 + 0.82 * (parts - low) / (high - low)
    left.imshow(image.reshape(13, 13, 3))
    left.set_axis_off()
    left.set_title("cells by their vectors: three components as colours", loc="left", fontsize=10.5, fontweight="bold", color=style.INK)
    style.panel(right, "the first two components, coloured by room", "first component", "second component")
    rooms = room_of(cells)
    for room, name in enumerate(("upper left", "upper right", "lower left", "lower right", "hallway")):
        chosen, mark = parts[rooms == room], "D" if room == 4 else "o"
        color = style.INK if room == 4 else style.COLORS[room]
        right.plot(chosen[:, 0], chosen[:, 1], mark, color=color, markersize=5.5, label=name, alpha=0.85)
    right.legend(
        frameon=False, fontsize=8.5, ncols=5, loc="upper center", bbox_to_anchor=(0.5, -0.13), handletextpad=0.1, columnspacing=0.9
    )
    style.panel(below, "R² of linear fits to the optimal values of all goals", "", "")
    _draw_bars(below, data["r2"])
    style.panel(last, "linear Sarsa learns a new goal", "steps", "greedy return, share of the best")
    steps = settings.every * np.arange(data["shares"].shape[2])
    for i, name in enumerate(LEARNERS):
        color = style.COLORS[i % 2]
        style.curve(last, steps, data["shares"][i], name, color, linestyle="-" if i > 1 else "--")
    style.reference(last, HALF, "half", side="left")
    last.set_ylim(0, 1.02)
    last.legend(frameon=False, fontsize=8.5, loc="upper left")


def _draw_bars(axes: Any, r2: np.ndarray) -> None:
    """Draw the means over runs with their standard errors: goal left out (dark), and as a state of value 0 (light)."""
    place, names = np.arange(len(BASES)), [name.replace("proto-value functions", "proto-value\nfunctions") for name in BASES]
    for k, (label, shade) in enumerate((("without the goal", 1.0), ("the goal counts as 0", 0.45))):
        heights, errors = r2[k].mean(axis=1), r2[k].std(axis=1, ddof=1) / np.sqrt(r2.shape[2]) if r2.shape[2] > 1 else None
        at = place + 0.4 * k - 0.2
        axes.bar(at, heights, 0.38, yerr=errors, color=style.COLORS[0], alpha=shade, label=label, ecolor=style.INK)
        for x, height in zip(at, heights, strict=True):
            axes.text(x, height + 0.015, f"{height:.2f}", ha="center", fontsize=8, color=style.INK)
    axes.set_xticks(place, [name.replace("successor SVD", "successor\nSVD") for name in names], fontsize=8.5)
    axes.set_ylim(0, 1.22)
    axes.legend(frameon=False, fontsize=8.5, loc="upper right", ncols=2)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what is said of the vectors, of the values they explain, and of learning with them."""
    bases = dict(zip(BASES, np.swapaxes(data["r2"], 0, 1), strict=True))  # each [2, runs]
    vectors, smooth, successor = (bases[name] for name in BASES[:3])
    found = []
    for k, how in ((0, "without the goal"), (1, "with the goal as 0")):
        found += [
            less(f"state2vec explains at least 0.65 of the optimal values, {how}", 0.65, mean(vectors[k])),
            less(f"and is within 0.03 of proto-value functions, {how}", smooth[k][0] - 0.03, mean(vectors[k])),
            less(f"it explains more than coordinates, {how}", mean(bases["(x, y)"][k]), mean(vectors[k])),
            less(f"and than random vectors, {how}", mean(bases["random"][k]), mean(vectors[k])),
            equal(f"the successor representation explains as much as proto-value functions, {how}", successor[k][0], smooth[k][0], 1e-9),
        ]
    times = np.median([[_first(curve) for curve in curves] for curves in data["shares"] >= HALF], axis=1) * settings.every
    detail = ", ".join(f"{name} {time:,.0f}" if np.isfinite(time) else f"{name} never" for name, time in zip(LEARNERS, times, strict=True))
    last = data["shares"][:, :, -1]
    return [
        *found,
        true(
            "over vectors of next cells Sarsa has half of the best return in half the steps of tables",
            np.isfinite(times[3]) and 2 * times[3] <= times[::2].min(),
            detail,
        ),
        less("but there the table of next cells ends higher", mean(last[3]), mean(last[2])),
        less("over vectors of states, with weights for each action, Sarsa ends below a table", mean(last[1]), mean(last[0])),
    ]


def _first(reached: np.ndarray) -> float:
    return float(np.argmax(reached)) if reached.any() else np.inf
