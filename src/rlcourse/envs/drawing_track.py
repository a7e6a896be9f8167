"""`Track`: pictures of a racetrack, with the car, the paths that it has driven, and values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from rlcourse.envs.canvas import BLUE, GREEN, GREY, INK, ORANGE, PAPER, SAND, Canvas, shade

__all__ = ["Track"]

SIGNS = "#.SG"


class Track:
    """A racetrack to look at.

    Parameters
    ----------
    track : ndarray of int, shape [rows, columns]
        0 off, 1 track, 2 start, 3 finish; row 0 is the bottom.
    """

    CELL = 18  # pixels

    def __init__(self, track: np.ndarray) -> None:
        self.track = track
        self.rows, self.columns = track.shape

    def picture(
        self, world: Any, state: Any, action: Any = None, path: Sequence[int] = (), values: Any = None, arrows: Any = None
    ) -> np.ndarray:
        """Draw the track.

        Parameters
        ----------
        world : Racetrack
        state : int or None
            Where the car is; its velocity is drawn as an arrow. None draws no car.
        action : object
            Not looked at.
        path : sequence of int
            States, joined by lines; a line ends where the car was sent back to the start.
        values : array_like of float, shape [S], optional
            The best value of each cell over all velocities, drawn as a shade with a scale below.
        arrows : array_like of int, shape [S], optional
            Greedy actions: drawn in every cell for a car of the present velocity (at rest where `state` is None).
        """
        size, height = self.CELL, self.rows * self.CELL
        canvas = Canvas(self.columns * size, height + (0 if values is None else 30))
        best = self._best(world, values)
        low, high = (np.nanmin(best), np.nanmax(best)) if values is not None and np.isfinite(best).any() else (0.0, 0.0)
        for row, column in np.argwhere(self.track > 0):
            x, y = self._center(column, row)
            kind, value = self.track[row, column], best[row, column]
            color: tuple[int, ...] = GREEN if kind == 3 else GREY if kind == 2 and values is None else SAND
            if math.isfinite(value) and kind != 3:
                color = shade((value - low) / max(high - low, 1e-12))
            canvas.box(x - size / 2 + 0.5, y - size / 2 + 0.5, x + size / 2 - 0.5, y + size / 2 - 0.5, color, 2)
        if arrows is not None:
            self._draw_arrows(canvas, world, state, np.asarray(arrows))
        self._draw_path(canvas, world, path)
        if state is not None:
            column, row, vx, vy = (int(part) for part in world.places[int(state)])
            x, y = self._center(column, row)
            if vx or vy:
                canvas.arrow([(x, y), (x + 0.9 * vx * size, y - 0.9 * vy * size)], BLUE, 3, head=9)
            canvas.disc(x, y, 9, PAPER)
            canvas.disc(x, y, 7.5, ORANGE)
        if values is not None:
            self._draw_scale(canvas, height + 15, low, high)
        return canvas.array()

    def text(self, world: Any, state: Any, action: Any = None) -> str:
        """Return the track as lines: A car, S start, G finish, . track, # off; below, the velocity (columns, rows upwards)."""
        lines = [[SIGNS[kind] for kind in row] for row in self.track]
        column, row, vx, vy = (int(part) for part in world.places[int(state)])
        lines[row][column] = "A"
        return "\n".join("".join(line) for line in reversed(lines)) + f"\nvelocity ({vx}, {vy})\n"

    def _center(self, column: float, row: float) -> tuple[float, float]:
        return (column + 0.5) * self.CELL, (self.rows - row - 0.5) * self.CELL

    def _best(self, world: Any, values: Any) -> np.ndarray:
        """Return the largest finite value of each cell, shape [rows, columns]; nan where there is none."""
        best = np.full(self.track.shape, -np.inf)
        if values is not None:
            finite = np.where(np.isfinite(values), values, -np.inf)
            np.maximum.at(best, (world.places[:, 1], world.places[:, 0]), finite)
        return np.where(np.isfinite(best), best, np.nan)

    def _draw_path(self, canvas: Canvas, world: Any, path: Sequence[int]) -> None:
        pieces: list[list[tuple[float, float]]] = []
        for i, s in enumerate(path):
            column, row, vx, vy = (int(part) for part in world.places[int(s)])
            if i == 0 or (vx == vy == 0 and self.track[row, column] == 2 and int(path[i - 1]) != int(s)):
                pieces.append([])
            pieces[-1].append(self._center(column, row))
        for piece in pieces:
            if len(piece) > 1:
                canvas.line(piece, BLUE, 2)
            for x, y in piece:
                canvas.disc(x, y, 3.5, BLUE)

    def _draw_arrows(self, canvas: Canvas, world: Any, state: Any, arrows: np.ndarray) -> None:
        velocity = (0, 0) if state is None else tuple(world.places[int(state), 2:])
        for s in np.flatnonzero((world.places[:, 2] == velocity[0]) & (world.places[:, 3] == velocity[1])):
            x, y = self._center(world.places[s, 0], world.places[s, 1])
            dx, dy = arrows[s] // 3 - 1, arrows[s] % 3 - 1
            if arrows[s] >= 0 and (dx or dy):
                length = math.hypot(dx, dy)
                canvas.arrow([(x - 4 * dx / length, y + 4 * dy / length), (x + dx / length, y - dy / length)], INK, 1.2, head=5)
            elif arrows[s] >= 0:
                canvas.disc(x, y, 1.6, INK)

    def _draw_scale(self, canvas: Canvas, y: float, low: float, high: float) -> None:
        middle = self.columns * self.CELL / 2
        for i in range(120):
            canvas.box(middle - 60 + i, y - 6, middle - 59 + i, y + 6, shade(i / 119))
        for value, x, anchor in ((low, middle - 68, "rm"), (high, middle + 68, "lm")):
            canvas.text(x, y, f"{value:.4g}", INK, 13, anchor)
