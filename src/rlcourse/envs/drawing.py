"""Pictures of worlds; no display is needed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from rlcourse.envs.canvas import BLUE, GREEN, GREY, INK, ORANGE, PAPER, SAND, SHADE, Canvas, shade

__all__ = ["Grid", "acrobot", "cartpole", "mountain_car", "pendulum"]


def cartpole(world: Any, state: Any, action: Any) -> np.ndarray:
    """Draw the cart on its track, the pole, and the angles at which it counts as fallen; an arrow shows the push."""
    canvas = Canvas(600, 320)
    x, _, theta, _ = state
    center, top = 300 + x * 270 / world.max_position, 230.0
    length = 2 * world.half_length * 170

    def tip(angle: float, reach: float) -> tuple[float, float]:
        return center + reach * math.sin(angle), top - 14 - reach * math.cos(angle)

    canvas.box(0, 254, 600, 320, SAND)
    canvas.line([(30, 254), (570, 254)], GREY, 3)
    for end in (30, 570):  # the ends of the track
        canvas.line([(end, 246), (end, 262)], GREY, 3)
    for side in (-1, 1):
        canvas.line([tip(side * world.max_angle, 30), tip(side * world.max_angle, length)], SHADE, 2)
    for wheel in (-20, 20):
        canvas.disc(center + wheel, top + 15, 8, INK)
        canvas.disc(center + wheel, top + 15, 3, PAPER)
    canvas.box(center - 36, top - 14, center + 36, top + 12, INK, 6)
    canvas.line([tip(theta, 0), tip(theta, length)], ORANGE, 10)
    canvas.disc(center, top - 14, 5, PAPER)
    if action is not None:
        way = 1 if action == 1 else -1
        canvas.arrow([(center + way * 44, top), (center + way * 68, top)], BLUE, 4)
    return canvas.array()


def mountain_car(world: Any, state: Any, action: Any) -> np.ndarray:
    """Draw the valley, the car and the flag; an arrow shows the push."""
    canvas = Canvas(600, 360)
    span = max(world.max_position, world.goal_position + 0.1) - world.min_position  # room for the flag

    def at(position: float) -> tuple[float, float]:
        return (position - world.min_position) / span * 600, 330 - 260 * (math.sin(3 * position) * 0.45 + 0.55)

    hill = [at(world.min_position + span * i / 300) for i in range(301)]
    canvas.polygon([(0, 360), *hill, (600, 360)], SAND)
    canvas.line(hill, INK, 4)
    x, y = at(world.goal_position)
    canvas.line([(x, y), (x, y - 52)], INK, 3)
    canvas.polygon([(x + 1, y - 53), (x + 27, y - 44), (x + 1, y - 35)], GREEN)
    x, y = at(state[0])
    slope = math.atan2(-260 * 1.35 * math.cos(3 * state[0]) * span, 600)

    def on(along: float, above: float) -> tuple[float, float]:
        return x + along * math.cos(slope) + above * math.sin(slope), y + along * math.sin(slope) - above * math.cos(slope)

    canvas.polygon([on(-24, 10), on(-24, 19), on(-12, 21), on(-7, 30), on(8, 30), on(15, 20), on(25, 18), on(26, 10)], ORANGE)
    canvas.polygon([on(-7, 21), on(-4, 27), on(6, 27), on(10, 21)], PAPER)
    for wheel in (-13, 14):
        canvas.disc(*on(wheel, 9), 7, INK)
        canvas.disc(*on(wheel, 9), 2.5, PAPER)
    push = 0.0 if action is None else float(action[0]) if np.ndim(action) else action - 1.0  # to the left or right, or how strongly
    if push:
        way = math.copysign(1.0, push)
        canvas.arrow([on(way * 34, 15), on(way * (40 + 12 * min(abs(push), 1.0)), 15)], BLUE, 4)
    return canvas.array()


def pendulum(world: Any, state: Any, action: Any) -> np.ndarray:
    """Draw the rod, and the torque as an arrow around the pivot; positive angles lie to the left, as in Gymnasium's picture."""
    canvas = Canvas(400, 400)
    canvas.disc(200, 200, 151, SHADE)
    canvas.disc(200, 200, 149, PAPER)
    canvas.line([(200, 44), (200, 56)], GREEN, 4)  # upright
    x, y = 200 - 150 * math.sin(state[0]), 200 - 150 * math.cos(state[0])
    canvas.line([(200, 200), (x, y)], ORANGE, 16)
    canvas.disc(x, y, 18, ORANGE)
    canvas.disc(200, 200, 14, INK)
    canvas.disc(200, 200, 5, PAPER)
    torque = 0.0 if action is None else max(-1.0, min(1.0, float(action[0]) / world.max_torque))
    if abs(torque) > 0.02:
        canvas.turn(200, 200, 44, 0.0, -torque * 2.2, BLUE)
    return canvas.array()


def acrobot(world: Any, state: Any, action: Any) -> np.ndarray:
    """Draw both links and the height to reach; an arrow around the second joint shows the torque."""
    canvas = Canvas(400, 400)
    unit = 85 / world.length_1
    below = state[0] + state[1]
    x1, y1 = 200 + unit * world.length_1 * math.sin(state[0]), 200 + unit * world.length_1 * math.cos(state[0])
    x2, y2 = x1 + unit * math.sin(below), y1 + unit * math.cos(below)
    canvas.dashes(20, 380, 200 - unit, GREEN)
    canvas.line([(130, 200), (270, 200)], SHADE, 5)  # the bar
    canvas.line([(200, 200), (x1, y1)], BLUE, 16)
    canvas.line([(x1, y1), (x2, y2)], ORANGE, 16)
    for x, y in ((200, 200), (x1, y1)):
        canvas.disc(x, y, 8, INK)
        canvas.disc(x, y, 3, PAPER)
    if action is not None and action != 1:
        way = 1 - int(action)  # a positive torque turns the second link anticlockwise
        canvas.turn(x1, y1, 26, math.pi - below + way * 0.5, way * 1.3, INK)
    return canvas.array()


class Grid:
    """A gridworld to look at.

    Parameters
    ----------
    rows, columns : int
    start, goal : int
        States, counted row by row from the top; a start of None is not drawn.
    cliff : sequence of int
        States drawn as the cliff.
    wind : sequence of int
        Strength by column, written below the grid.
    """

    MOVES = ((0, -1), (1, 0), (0, 1), (-1, 0), (1, -1), (1, 1), (-1, 1), (-1, -1), (0, 0))  # (x, y) by action; the last one stays
    CELL = 48  # pixels

    def __init__(
        self, rows: int, columns: int, start: int | None, goal: int, cliff: Iterable[int] = (), wind: Sequence[int] | None = None
    ) -> None:
        self.rows, self.columns, self.start, self.goal = rows, columns, start, goal
        self.cliff, self.wind = frozenset(cliff), wind

    def picture(
        self, world: Any, state: Any, action: Any = None, path: Sequence[int] = (), values: Any = None, arrows: Any = None
    ) -> np.ndarray:
        """Draw the grid.

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
            Drawn as shades with a scale below, the higher the darker; the cliff, the goal and what is not finite stay plain.
        arrows : array_like, optional
            Greedy actions: integers of shape [S] (negative: none), or booleans of shape [S, A], which show ties.
        """
        size = self.CELL
        width, height = self.columns * size, self.rows * size
        wind_height = 26 if self.wind else 0
        canvas = Canvas(width, height + wind_height + (0 if values is None else 30))
        shades = self._shades(values)
        for s in range(self.rows * self.columns):
            x, y = self._center(s)
            share = shades[s]
            color = INK if s in self.cliff else SAND if share is None else shade(share)
            canvas.box(x - size / 2 + 1, y - size / 2 + 1, x + size / 2 - 1, y + size / 2 - 1, color, min(5, size // 9))
        if len(path) > 1:
            canvas.line([self._center(s) for s in path], BLUE, 4)
        if arrows is not None:
            self._draw_arrows(canvas, np.asarray(arrows))
        for cell, letter, color in ((self.start, "S", INK), (self.goal, "G", GREEN)):
            if cell is None:
                continue
            x, y = self._center(cell)
            canvas.box(x - 17, y - 17, x + 17, y + 17, PAPER, 5)
            canvas.text(x, y, letter, color, 22)
        if state is not None:
            canvas.disc(*self._center(int(state)), 14, PAPER)
            canvas.disc(*self._center(int(state)), 12, ORANGE)
        self._draw_wind(canvas, height)
        if values is not None:
            self._draw_scale(canvas, height + wind_height + 15, self._range(values))
        return canvas.array()

    def text(self, world: Any, state: Any, action: Any = None) -> str:
        """Return the grid as lines: A agent, S start, G goal, # cliff; below, the wind."""
        signs: dict[int | None, str] = {self.start: "S", self.goal: "G", **dict.fromkeys(self.cliff, "#"), int(state): "A"}
        cells = [signs.get(s, ".") for s in range(self.rows * self.columns)]
        lines = [" ".join(cells[r * self.columns : (r + 1) * self.columns]) for r in range(self.rows)]
        if self.wind:
            lines.append(" ".join(str(strength) for strength in self.wind))
        return "\n".join(lines) + "\n"

    def _center(self, state: int) -> tuple[float, float]:
        row, column = divmod(state, self.columns)
        return (column + 0.5) * self.CELL, (row + 0.5) * self.CELL

    def _range(self, values: Any) -> tuple[float, float]:
        shown = [float(v) for s, v in enumerate(values) if self._is_shown(s, v)]
        return (min(shown), max(shown)) if shown else (0.0, 0.0)

    def _shades(self, values: Any) -> list[float | None]:
        """Return how dark each cell is, 0 to 1; None where no value is shown."""
        if values is None:
            return [None] * (self.rows * self.columns)
        low, high = self._range(values)
        return [(float(v) - low) / max(high - low, 1e-12) if self._is_shown(s, v) else None for s, v in enumerate(values)]

    def _is_shown(self, state: int, value: float) -> bool:
        return state not in self.cliff and state != self.goal and math.isfinite(value)

    def _draw_arrows(self, canvas: Canvas, arrows: np.ndarray) -> None:
        for s in range(self.rows * self.columns):
            if s in self.cliff or s in (self.start, self.goal):
                continue
            x, y = self._center(s)
            for a in np.flatnonzero(arrows[s]) if arrows.ndim == 2 else [int(arrows[s])]:
                dx, dy = self.MOVES[a] if a >= 0 else (0, 0)
                length = math.hypot(dx, dy)
                if length:
                    canvas.arrow([(x, y), (x + 10 * dx / length, y + 10 * dy / length)], INK, 2, head=7)
                elif a >= 0:
                    canvas.disc(x, y, 3, INK)

    def _draw_wind(self, canvas: Canvas, top: float) -> None:
        for column, strength in enumerate(self.wind or ()):
            x = (column + 0.5) * self.CELL
            canvas.text(x - (5 if strength else 0), top + 13, str(strength), INK if strength else GREY, 14)
            if strength:
                canvas.arrow([(x + 8, top + 20), (x + 8, top + 12)], BLUE, 2, head=7)

    def _draw_scale(self, canvas: Canvas, y: float, ends: tuple[float, float]) -> None:
        middle = self.columns * self.CELL / 2
        for i in range(120):
            canvas.box(middle - 60 + i, y - 6, middle - 59 + i, y + 6, shade(i / 119))
        for value, x, anchor in ((ends[0], middle - 68, "rm"), (ends[1], middle + 68, "lm")):
            canvas.text(x, y, f"{value:.4g}", INK, 13, anchor)
