"""`Chain`: pictures of states in a row, such as a random walk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from rlcourse.envs.canvas import BLUE, GREY, INK, ORANGE, PAPER, SAND, Canvas, shade

__all__ = ["Chain"]


class Chain:
    """States in a row, to look at: circles, and squares where an episode ends.

    Parameters
    ----------
    order : sequence of int
        States from left to right.
    labels : sequence of str
        What is written on each of them, in that order.
    ends : sequence of int
        Terminal states.
    rewards : sequence of str
        What is written between neighbours, from left to right; "" for nothing.
    goal : int
        The terminal state that text shows as G; the other ones are #.
    """

    STEP, RADIUS = 64, 17  # pixels

    def __init__(self, order: Sequence[int], labels: Sequence[str], ends: Sequence[int], rewards: Sequence[str], goal: int) -> None:
        self.order, self.labels, self.ends, self.rewards, self.goal = list(order), list(labels), frozenset(ends), rewards, goal

    def picture(
        self, world: Any, state: Any, action: Any = None, path: Sequence[int] = (), values: Any = None, arrows: Any = None
    ) -> np.ndarray:
        """Draw the row.

        Parameters
        ----------
        world : object
            Not looked at.
        state : int or None
            Where the agent is; None draws none.
        action : object
            Not looked at.
        path : sequence of int
            States, joined by a line.
        values : array_like of float, shape [S], optional
            Drawn as shades, the higher the darker, and written below.
        arrows : array_like, optional
            Which way is greedy, actions 0 = left and 1 = right: integers of shape [S] (negative: none), or booleans [S, 2].
        """
        canvas, y = Canvas(self.STEP * len(self.order), 110), 48.0
        for i, reward in enumerate(self.rewards):
            x = self._x(i) + self.STEP / 2
            canvas.line([(x - self.STEP / 2, y), (x + self.STEP / 2, y)], GREY, 2)
            canvas.text(x, y - 13, reward, INK, 13)
        for i, s in enumerate(self.order):
            self._draw_state(canvas, i, s, y, values)
        if len(path) > 1:
            canvas.line([(self._x(self.order.index(s)), y + self.RADIUS + 5) for s in path], BLUE, 3)
        for i, s in enumerate(self.order if arrows is not None else ()):
            mine = np.asarray(arrows)[s]
            for a in () if s in self.ends else np.flatnonzero(mine) if mine.ndim else [int(mine)]:
                way = 0 if a < 0 else 1 if a == 1 else -1
                if way:
                    canvas.arrow([(self._x(i) + way * 20, y), (self._x(i) + way * 25, y)], INK, 2, head=8)
        if state is not None:
            x = self._x(self.order.index(int(state)))
            canvas.disc(x, y - self.RADIUS - 10, 8, ORANGE)
        return canvas.array()

    def _draw_state(self, canvas: Canvas, i: int, s: int, y: float, values: Any) -> None:
        x, r = self._x(i), self.RADIUS
        if s in self.ends:
            canvas.box(x - r + 3, y - r + 3, x + r - 3, y + r - 3, GREY)
            canvas.text(x, y, self.labels[i], PAPER, 14)
            return
        shown = None if values is None else [float(values[t]) for t in self.order if t not in self.ends]
        canvas.disc(x, y, r, INK)
        if shown is None or not math.isfinite(values[s]):
            canvas.disc(x, y, r - 2, SAND)
        else:
            low, high = min(v for v in shown if math.isfinite(v)), max(v for v in shown if math.isfinite(v))
            canvas.disc(x, y, r - 2, shade((float(values[s]) - low) / max(high - low, 1e-12)))
            canvas.text(x, y + r + 20, f"{float(values[s]):.3g}", INK, 13)
        canvas.text(x, y, self.labels[i], INK, 17)

    def text(self, world: Any, state: Any, action: Any = None) -> str:
        """Return the row as a line: A agent, . states, # and G ends."""
        signs = {**dict.fromkeys(self.ends, "#"), self.goal: "G", int(state): "A"}
        return " ".join(signs.get(s, ".") for s in self.order) + "\n"

    def _x(self, i: int) -> float:
        return self.STEP * (i + 0.5)
