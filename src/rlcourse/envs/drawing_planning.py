"""Pictures of chapter 8's second half: the rod in its room, and the random tasks as a field of states."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from rlcourse.core.mdp import MDP
from rlcourse.envs import rod
from rlcourse.envs.canvas import BLUE, GREEN, GREY, INK, ORANGE, PAPER, SAND, SHADE, Canvas, shade

__all__ = ["Branches", "Room"]

UNIT = 24  # pixels of 1/20 of the room
CELL = 44  # pixels of a state


class Room:
    """The room of Example 8.5 to look at."""

    def picture(self, world: Any, state: Any, action: Any = None, path: Sequence[int] = (), values: Any = None) -> np.ndarray:
        """Draw obstacles, start (S), goal (G) and the rod; its head is the round end.

        Parameters
        ----------
        world, action : object
            Not looked at.
        state : int or None
            Where the rod is; None draws none.
        path : sequence of int
            States in which the rod is drawn too, with the way of its centre.
        values : array_like of float, shape [S], optional
            Drawn as shades, the best value over all angles at each position, the higher the darker; what is not finite stays plain.
        """
        side = rod.SIZE * UNIT
        canvas = Canvas(side, side)
        if values is not None:
            self._shades(canvas, np.asarray(values, dtype=float))
        for polygon in rod.OBSTACLES:
            canvas.polygon([self._at(x, y) for x, y in polygon], INK)
        for each in path:
            self._rod(canvas, each, GREY, 2)
        if len(path) > 1:
            canvas.line([self._at(*rod.place(each)[:2]) for each in path], BLUE, 3)
        for corner, letter, color in ((rod.START, "S", BLUE), (rod.GOAL, "G", GREEN)):
            s = rod.state_at(*corner)
            self._rod(canvas, s, color, 2 * rod.RADIUS * UNIT)
            x, y = self._at(*rod.place(s)[:2])
            canvas.disc(x, y, 11, PAPER)
            canvas.text(x, y, letter, color, 17)
        if state is not None:
            self._rod(canvas, state, ORANGE, 2 * rod.RADIUS * UNIT)
        return canvas.array()

    def text(self, world: Any, state: Any, action: Any = None) -> str:
        """Return the room as lines: A the rod's centre, o its other cells, S start, G goal, # obstacles."""
        cells = [["." for _ in range(rod.SIZE)] for _ in range(rod.SIZE)]
        for y in range(rod.SIZE):
            for x in range(rod.SIZE):
                if any(_inside(x + 0.5, y + 0.5, polygon) for polygon in rod.OBSTACLES):
                    cells[y][x] = "#"
        for (x, y, _), letter in ((rod.START, "S"), (rod.GOAL, "G")):
            cells[y][x] = letter
        center_x, center_y, angle = rod.place(state)
        for along in np.arange(-rod.HALF, rod.HALF + 0.1, 0.5):
            cells[int(center_y + along * math.sin(angle))][int(center_x + along * math.cos(angle))] = "o"
        cells[int(center_y)][int(center_x)] = "A"
        return "\n".join(" ".join(row) for row in reversed(cells)) + "\n"

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return x * UNIT, (rod.SIZE - y) * UNIT

    def _rod(self, canvas: Canvas, state: int, color: Any, width: float) -> None:
        x, y, angle = rod.place(state)
        ends = [self._at(x + way * rod.HALF * math.cos(angle), y + way * rod.HALF * math.sin(angle)) for way in (-1, 1)]
        canvas.line(ends, color, width)
        canvas.disc(*ends[1], 0.5 * width + 2.5, color)

    def _shades(self, canvas: Canvas, values: np.ndarray) -> None:
        best = np.where(np.isfinite(values), values, -np.inf).reshape(rod.SIZE, rod.SIZE, rod.TURNS).max(axis=2)
        shown = best[np.isfinite(best)]
        low, high = (shown.min(), shown.max()) if len(shown) else (0.0, 0.0)
        for y, x in np.argwhere(np.isfinite(best)):
            left, top = self._at(x, y + 1)
            canvas.box(left, top, left + UNIT - 1, top + UNIT - 1, shade((best[y, x] - low) / max(high - low, 1e-12)))


class Branches:
    """A random task of Section 8.6 to look at: its states in rows; lines lead to where each action may."""

    def __init__(self, world: MDP) -> None:
        self.world = world
        self.columns = math.ceil(math.sqrt(len(world.start)))
        self.rows = math.ceil(len(world.start) / self.columns)

    def picture(
        self, world: Any, state: Any, action: Any = None, path: Sequence[int] = (), values: Any = None, arrows: Any = None
    ) -> np.ndarray:
        """Draw the states; from the present one, or along greedy actions, lines to the possible next states.

        Parameters
        ----------
        world, action : object
            Not looked at.
        state : int or None
            The present state; its first action's branches are blue, its second one's green.
        path : sequence of int
            States, joined by a line.
        values : array_like of float, shape [S], optional
            Drawn as shades, the higher the darker.
        arrows : array_like of int, shape [S], optional
            Greedy actions, written into the states: 0 or 1; negative: none.
        """
        canvas = Canvas(self.columns * CELL, self.rows * CELL)
        shown = None if values is None else np.asarray(values, dtype=float)
        low, high = (0.0, 1.0) if shown is None else (float(np.nanmin(shown)), float(np.nanmax(shown)))
        for s in range(len(self.world.start)):
            x, y = self._center(s)
            plain = shown is None or not math.isfinite(shown[s])
            color = SAND if plain or shown is None else shade((shown[s] - low) / max(high - low, 1e-12))
            canvas.disc(x, y, 13, color)
            if arrows is not None and int(arrows[s]) >= 0:
                canvas.text(x, y, str(int(arrows[s])), INK, 13)
        if len(path) > 1:
            canvas.line([self._center(s) for s in path], SHADE, 5)
        if state is not None:
            for a, color in ((1, GREEN), (0, BLUE)):
                for following in self._branches(int(state), a):
                    canvas.line([self._center(int(state)), self._center(following)], color, 2)
                    canvas.disc(*self._center(following), 6, color)
            canvas.disc(*self._center(int(state)), 13, ORANGE)
        return canvas.array()

    def text(self, world: Any, state: Any, action: Any = None) -> str:
        """Return the states as lines: A the present one, 0 and 1 where these actions may lead, * both."""
        signs = ["."] * len(self.world.start)
        for a in (0, 1):
            for following in self._branches(int(state), a):
                signs[following] = "*" if signs[following] == "0" and a == 1 else str(a)
        signs[int(state)] = "A"
        lines = [" ".join(signs[row * self.columns : (row + 1) * self.columns]) for row in range(self.rows)]
        return "\n".join(lines) + "\n"

    def _branches(self, state: int, action: int) -> list[int]:
        going_on = ~self.world.terminal[state, action]
        return [int(s) for s in self.world.successor[state, action][going_on]]

    def _center(self, state: int) -> tuple[float, float]:
        row, column = divmod(int(state), self.columns)
        return (column + 0.5) * CELL, (row + 0.5) * CELL


def _inside(x: float, y: float, polygon: Sequence[tuple[float, float]]) -> bool:
    """Whether a point lies in a convex polygon, its corners anticlockwise."""
    corners = (*polygon, polygon[0])
    return all((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) >= 0 for (x0, y0), (x1, y1) in itertools.pairwise(corners))
