"""Example 3.3: the recycling robot's table, and its Bellman optimality equations solved (Exercise 3.9).

The book leaves alpha, beta, r_search and r_wait open and prints no number, so the table is drawn for one choice, and the two equations

    v*(h) = max { r_s + gamma [alpha v*(h) + (1 - alpha) v*(l)],  r_w + gamma v*(h) }
    v*(l) = max { beta r_s - 3 (1 - beta) + gamma [(1 - beta) v*(h) + beta v*(l)],  r_w + gamma v*(l),  gamma v*(h) }

are solved for many random choices: by value iteration on the model, and directly, as the best of the six solutions of two linear equations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.dynamic_programming.value_iteration import ValueIteration
from rlcourse.core.config import Config, Count, NonNegative, Probability
from rlcourse.envs import recycling_robot
from rlcourse.envs.recycling import ACTIONS, STATES
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

SYMBOLS = {  # p(s' | s, a) and r(s, a, s') as the book prints them: (s, a, s')
    (0, 0, 0): ("α", "r_search"), (0, 0, 1): ("1 - α", "r_search"), (1, 0, 0): ("1 - β", "-3"), (1, 0, 1): ("β", "r_search"),
    (0, 1, 0): ("1", "r_wait"), (0, 1, 1): ("0", "-"), (1, 1, 0): ("0", "-"), (1, 1, 1): ("1", "r_wait"),
    (1, 2, 0): ("1", "0"), (1, 2, 1): ("0", "-"),
}  # fmt: skip


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    alpha: Probability = 0.9  # of the table
    beta: Probability = 0.4
    r_search: NonNegative = 2.0
    r_wait: NonNegative = 1.0
    tasks: Count = 1000  # random choices


FAST: dict[str, Any] = {"tasks": 100}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return the table [10, 2], parameters [tasks, 5] (alpha, beta, r_search, r_wait, gamma), and both solutions [tasks, 2]."""
    rng = lab.rng(0)
    u = rng.random((settings.tasks, 5))
    parameters = np.column_stack([u[:, 0], u[:, 1], 5.0 * u[:, 2], 5.0 * u[:, 2] * u[:, 3], 0.97 * u[:, 4]])  # r_search > r_wait
    worlds = [recycling_robot(*row[:4]) for row in parameters]
    found = [ValueIteration(world, gamma=row[4]).learn().V for world, row in zip(worlds, parameters, strict=True)]
    m = recycling_robot(settings.alpha, settings.beta, settings.r_search, settings.r_wait)
    table = []
    for s, a, s_next in SYMBOLS:
        p = np.where(m.successor[s, a] == s_next, m.probability[s, a], 0.0)
        table.append((p.sum(), (p * m.reward[s, a]).sum() / p.sum() if p.sum() else np.nan))
    return {
        "table": np.array(table),
        "parameters": parameters,
        "V": np.array(found),
        "solved": np.array([_solve(*row) for row in parameters]),
    }


def _solve(alpha: float, beta: float, r_s: float, r_w: float, gamma: float) -> np.ndarray:
    """Return v*(high), v*(low): the best of all policies, each the solution of two linear equations."""
    high = ((r_s, alpha, 1.0 - alpha), (r_w, 1.0, 0.0))  # reward, probability of high, of low
    low = ((beta * r_s - 3.0 * (1.0 - beta), 1.0 - beta, beta), (r_w, 0.0, 1.0), (0.0, 1.0, 0.0))
    solutions = []
    for h in high:
        for lo in low:
            a, b, c, d = 1.0 - gamma * h[1], -gamma * h[2], -gamma * lo[1], 1.0 - gamma * lo[2]
            solutions.append(((h[0] * d - b * lo[0]) / (a * d - b * c), (a * lo[0] - c * h[0]) / (a * d - b * c)))
    best: np.ndarray = np.max(solutions, axis=0)
    return best


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the table as printed, with numbers; and both solutions against each other."""
    figure.set_size_inches(9.6, 4.2)
    left, right = figure.subplots(1, 2, width_ratios=(1.45, 1))
    left.axis("off")
    rows = [
        [STATES[s], ACTIONS[a], STATES[s_next], p, r, f"{data['table'][i, 0]:g}", "-" if r == "-" else f"{data['table'][i, 1]:g}"]
        for i, ((s, a, s_next), (p, r)) in enumerate(SYMBOLS.items())
    ]
    heads = ["s", "a", "s′", "p(s′|s,a)", "r(s,a,s′)", "p here", "r here"]
    widths = [0.1, 0.16, 0.1, 0.16, 0.18, 0.13, 0.13]
    table = left.table([heads, *rows], cellLoc="center", colWidths=widths, bbox=(0, 0, 1, 0.96))
    table.auto_set_font_size(False)
    table.set_fontsize(9)
    for (row, _), cell in table.get_celld().items():
        cell.set_edgecolor(style.LIGHT)
        cell.set_text_props(fontweight="bold" if row == 0 else "normal", color=style.INK)
    left.set_title("transitions and expected rewards", fontsize=10.5, loc="left", fontweight="bold")
    style.panel(right, "v* at random parameters", "two equations, solved directly", "value iteration")
    for i, name in enumerate(STATES):
        right.plot(data["solved"][:, i], data["V"][:, i], "o", markersize=2.6, alpha=0.6, color=style.COLORS[i], label=f"v*({name})")
    right.axline((1, 1), slope=1, color=style.GREY, linewidth=0.8)
    right.set(xscale="symlog", yscale="symlog")
    right.legend(frameon=False, loc="upper left", markerscale=2.5)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Example 3.3 and Exercise 3.9 ask for."""
    letters = {"α": settings.alpha, "β": settings.beta, "r_search": settings.r_search, "r_wait": settings.r_wait, "-": np.nan}
    letters |= {"1 - α": 1.0 - settings.alpha, "1 - β": 1.0 - settings.beta, "0": 0.0, "1": 1.0, "-3": -3.0}
    printed = np.array([[letters[p], letters[r]] for p, r in SYMBOLS.values()])
    scale = np.maximum(1.0, np.abs(data["solved"]))
    wrong = float((np.abs(data["V"] - data["solved"]) / scale).max())
    alpha, beta, r_s, r_w, gamma = data["parameters"].T
    h, lo = data["V"].T
    searched = beta * r_s - 3.0 * (1.0 - beta) + gamma * ((1.0 - beta) * h + beta * lo)
    right_low = np.maximum(np.maximum(searched, r_w + gamma * lo), gamma * h)
    right_high = np.maximum(r_s + gamma * (alpha * h + (1.0 - alpha) * lo), r_w + gamma * h)
    residual = float((np.abs([h - right_high, lo - right_low]) / scale.T).max())
    return [
        true("the model has the ten rows of the printed table", np.allclose(data["table"], printed, rtol=0, atol=1e-12, equal_nan=True)),
        true("value iteration solves both optimality equations", residual < 1e-8, f"largest residual {residual:.1e}"),
        true("value iteration agrees with the direct solution", wrong < 1e-8, f"{len(h)} tasks, largest difference {wrong:.1e}"),
        true("a high battery is worth at least as much as a low one", np.all(h >= lo - 1e-9), f"smallest difference {(h - lo).min():.2g}"),
    ]
