"""Walks through gridworlds, for figures that show them."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.core.mdp import MDP
from rlcourse.figures.style import COLORS, INK, grid

__all__ = ["draw_walk", "greedy_walk"]


def greedy_walk(model: MDP, Q: np.ndarray, limit: int = 100) -> list[int]:
    """Return the states that the greedy policy of Q [S, A] walks through in a deterministic task; at most `limit` moves."""
    s = int(np.argmax(model.start > 0))
    path = [s]
    while len(path) <= limit:
        a = int(np.argmax(Q[s]))
        over, s = bool(model.terminal[s, a, 0]), int(model.successor[s, a, 0])
        path.append(s)
        if over:
            break
    return path


def draw_walk(
    axes: Any, path: list[int], shape: tuple[int, int], title: str = "", color: str = COLORS[0], below: Any = None, label: str = ""
) -> None:
    """Draw a grid with S, G and a path; `below` is written under the columns."""
    grid(axes, shape=shape, title=title)
    y, x = np.divmod(path, shape[1])
    axes.plot(x, y, color=color, linewidth=1.8, marker="o", markersize=2.5, label=label or None, alpha=0.85)
    for s, letter in ((path[0], "S"), (path[-1], "G")):
        row, column = divmod(s, shape[1])
        box = {"boxstyle": "square,pad=0.15", "facecolor": "white", "edgecolor": "none"}
        axes.text(column, row, letter, ha="center", va="center", fontsize=10, fontweight="bold", color=INK, bbox=box, zorder=5)
    for column, text in enumerate(below if below is not None else ()):
        axes.text(column, shape[0] - 0.3, str(text), ha="center", va="top", fontsize=8, color=INK)
