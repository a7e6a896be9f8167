"""`Board`: pictures of gridworlds whose cells have names, whose states may share cells or be none of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rlcourse.envs.canvas import BLUE, GREEN, INK, ORANGE, PAPER, SAND, Canvas, shade

__all__ = ["Board"]


class Board:
    """A gridworld to look at.

    Parameters
    ----------
    rows, columns : int
    marks : mapping of int to str
        A letter for some states; "G" ends an episode.
    cells : sequence of int, optional
        The state of each cell, row by row; cell i is state i where None.
    agent : str
        What stands for the agent in text.
    """

    MOVES = ((0, -1), (1, 0), (0, 1), (-1, 0))  # (x, y) by action
    CELL = 60  # pixels

    def __init__(self, rows: int, columns: int, marks: Mapping[int, str], cells: Sequence[int] | None = None, agent: str = "A") -> None:
        self.rows, self.columns, self.marks, self.agent = rows, columns, dict(marks), agent
        self.cells = tuple(range(rows * columns) if cells is None else cells)

    def picture(
        self, world: Any, state: Any, action: Any = None, path: Sequence[int] = (), values: Any = None, arrows: Any = None
    ) -> np.ndarray:
        """Draw the board.

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
            Drawn as shades, the higher the darker, and written; what ends an episode and what is not finite stays plain.
        arrows : array_like, optional
            Greedy actions: integers of shape [S] (negative: none), or booleans of shape [S, A], which show ties.
        """
        size = self.CELL
        canvas = Canvas(self.columns * size, self.rows * size)
        shown = [v for s, v in enumerate([] if values is None else values) if self.marks.get(s) != "G" and math.isfinite(v)]
        for cell, s in enumerate(self.cells):
            x, y = self._center(cell)
            color: tuple[int, ...] = SAND
            known = values is not None and self.marks.get(s) != "G" and math.isfinite(values[s])
            if known:
                color = shade((float(values[s]) - min(shown)) / max(max(shown) - min(shown), 1e-12))
            canvas.box(x - size / 2 + 1, y - size / 2 + 1, x + size / 2 - 1, y + size / 2 - 1, color, 5)
            if known:
                canvas.text(x + size / 2 - 6, y + size / 2 - 10, f"{values[s]:.1f}", INK, 12, anchor="rm")
            if s in self.marks:
                mark = self.marks[s]
                if mark == "G":
                    canvas.text(x, y, mark, GREEN, 28)
                    continue
                canvas.text(x - size / 2 + 12, y - size / 2 + 14, mark.upper() + "'" * mark.islower(), INK, 18)
        if len(path) > 1:
            canvas.line([self._center(self.cells.index(s)) for s in path], BLUE, 4)
        if arrows is not None:
            self._draw_arrows(canvas, np.asarray(arrows))
        if state is not None and int(state) in self.cells:
            canvas.disc(*self._center(self.cells.index(int(state))), 14, PAPER)
            canvas.disc(*self._center(self.cells.index(int(state))), 12, ORANGE)
        return canvas.array()

    def text(self, world: Any, state: Any, action: Any = None) -> str:
        """Return the board as lines: the agent, the letters of marked states, and dots."""
        place = self.cells.index(int(state)) if int(state) in self.cells else None
        signs = [self.agent if cell == place else self.marks.get(s, ".") for cell, s in enumerate(self.cells)]
        return "".join(" ".join(signs[r * self.columns : (r + 1) * self.columns]) + "\n" for r in range(self.rows))

    def _center(self, cell: int) -> tuple[float, float]:
        row, column = divmod(cell, self.columns)
        return (column + 0.5) * self.CELL, (row + 0.5) * self.CELL

    def _draw_arrows(self, canvas: Canvas, arrows: np.ndarray) -> None:
        for cell, s in enumerate(self.cells):
            x, y = self._center(cell)
            if self.marks.get(s) == "G":
                continue
            for a in np.flatnonzero(arrows[s]) if arrows.ndim == 2 else [a for a in [int(arrows[s])] if a >= 0]:
                dx, dy = self.MOVES[int(a)]
                canvas.arrow([(x, y - 5), (x + 10 * dx, y - 5 + 10 * dy)], INK, 2, head=7)
