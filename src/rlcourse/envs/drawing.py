"""Pictures of worlds, drawn with Pillow at twice their size and reduced, so that edges are smooth; no display is needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["Grid", "acrobot", "cartpole", "mountain_car", "pendulum"]

PAPER, INK, BLUE, ORANGE, GREY, GREEN = (250, 249, 245), (40, 44, 52), (52, 101, 164), (222, 120, 31), (196, 196, 190), (78, 140, 80)
SCALE = 2  # drawn this much larger than shown

Points = Sequence[tuple[float, float]]


class _Canvas:
    """A drawing surface in shown pixels."""

    def __init__(self, width: int, height: int) -> None:
        from PIL import Image, ImageDraw

        self.size = (width, height)
        self.image = Image.new("RGB", (width * SCALE, height * SCALE), PAPER)
        self._draw = ImageDraw.Draw(self.image)

    def line(self, points: Points, color: Any, width: float) -> None:
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        self._draw.line(scaled, fill=color, width=round(width * SCALE), joint="curve")
        for x, y in (points[0], points[-1]):
            self.disc(x, y, width / 2, color)

    def disc(self, x: float, y: float, radius: float, color: Any) -> None:
        self._draw.ellipse([v * SCALE for v in (x - radius, y - radius, x + radius, y + radius)], fill=color)

    def box(self, left: float, top: float, right: float, bottom: float, color: Any, radius: float = 0.0) -> None:
        self._draw.rounded_rectangle([v * SCALE for v in (left, top, right, bottom)], radius * SCALE, fill=color)

    def text(self, x: float, y: float, text: str, color: Any, size: float) -> None:
        from PIL import ImageFont

        self._draw.text((x * SCALE, y * SCALE), text, fill=color, font=ImageFont.load_default(size * SCALE), anchor="mm")

    def array(self) -> np.ndarray:
        from PIL import Image

        return np.asarray(self.image.resize(self.size, Image.Resampling.LANCZOS)).copy()


def cartpole(world: Any, state: Any, action: Any) -> np.ndarray:
    """Draw the cart on its track and the pole; an arrow shows the push."""
    canvas = _Canvas(600, 320)
    x, _, theta, _ = state
    scale = 600 / (2 * world.max_position)
    left, top = 300 + x * scale, 230.0
    canvas.line([(0, 252), (600, 252)], GREY, 3)
    canvas.box(left - 32, top - 14, left + 32, top + 14, INK, 6)
    for wheel in (-18, 18):
        canvas.disc(left + wheel, top + 16, 7, GREY)
    length = 2 * world.half_length * 150
    canvas.line([(left, top - 14), (left + length * math.sin(theta), top - 14 - length * math.cos(theta))], ORANGE, 9)
    canvas.disc(left, top - 14, 5, BLUE)
    if action is not None:
        way = 1 if action == 1 else -1
        tip = left + way * 70
        canvas.line([(left + way * 40, top), (tip, top)], BLUE, 4)
        canvas.line([(tip - way * 9, top - 8), (tip, top), (tip - way * 9, top + 8)], BLUE, 4)
    return canvas.array()


def mountain_car(world: Any, state: Any, action: Any) -> np.ndarray:
    """Draw the valley, the car and the flag."""
    canvas = _Canvas(600, 360)
    span = world.max_position - world.min_position

    def at(position: float) -> tuple[float, float]:
        return (position - world.min_position) / span * 600, 330 - 260 * (math.sin(3 * position) * 0.45 + 0.55)

    canvas.line([at(world.min_position + span * i / 120) for i in range(121)], INK, 4)
    fx, fy = at(world.goal_position)
    canvas.line([(fx, fy), (fx, fy - 44)], GREY, 3)
    canvas.box(fx, fy - 46, fx + 24, fy - 30, GREEN, 2)
    x, y = at(state[0])
    slope = math.atan2(-260 * 1.35 * math.cos(3 * state[0]) * span, 600)
    ux, uy = math.cos(slope), math.sin(slope)
    nx, ny = uy, -ux
    canvas.line([(x + nx * 16 - ux * 12, y + ny * 16 - uy * 12), (x + nx * 16 + ux * 12, y + ny * 16 + uy * 12)], ORANGE, 16)
    for wheel in (-12, 12):
        canvas.disc(x + nx * 7 + ux * wheel, y + ny * 7 + uy * wheel, 6, INK)
    return canvas.array()


def pendulum(world: Any, state: Any, action: Any) -> np.ndarray:
    """Draw the rod, and the torque as an arc."""
    canvas = _Canvas(400, 400)
    x, y = 200 + 140 * math.sin(state[0]), 200 - 140 * math.cos(state[0])
    canvas.line([(200, 200), (x, y)], ORANGE, 22)
    canvas.disc(200, 200, 7, INK)
    if action is not None:
        torque = max(-1.0, min(1.0, float(action[0]) / world.max_torque))
        arc = [(200 + 40 * math.sin(a), 200 - 40 * math.cos(a)) for a in np.linspace(0, torque * 2.2, 24)]
        canvas.line(arc, BLUE, 5)
    return canvas.array()


def acrobot(world: Any, state: Any, action: Any) -> np.ndarray:
    """Draw both links and the height to reach."""
    canvas = _Canvas(400, 400)
    x1, y1 = 200 + 85 * math.sin(state[0]), 200 + 85 * math.cos(state[0])
    x2, y2 = x1 + 85 * math.sin(state[0] + state[1]), y1 + 85 * math.cos(state[0] + state[1])
    canvas.line([(10, 115), (390, 115)], GREEN, 2)
    canvas.line([(200, 200), (x1, y1)], BLUE, 15)
    canvas.line([(x1, y1), (x2, y2)], ORANGE, 15)
    canvas.disc(200, 200, 6, INK)
    canvas.disc(x1, y1, 6, INK)
    return canvas.array()


class Grid:
    """A gridworld to look at.

    Parameters
    ----------
    rows, columns : int
    start, goal : int
        States, counted row by row from the top.
    cliff : sequence of int
        States drawn as the cliff.
    wind : sequence of int
        Strength by column, written below the grid.
    """

    def __init__(
        self, rows: int, columns: int, start: int, goal: int, cliff: Sequence[int] = (), wind: Sequence[int] | None = None
    ) -> None:
        self.rows, self.columns, self.start, self.goal = rows, columns, start, goal
        self.cliff, self.wind = frozenset(cliff), wind

    def picture(self, world: Any, state: Any, action: Any = None, path: Sequence[int] = (), values: Any = None) -> np.ndarray:
        """Draw the grid with the agent; optionally state values as shades, shape [S], and a path of states."""
        cell = 48
        canvas = _Canvas(self.columns * cell, self.rows * cell + (24 if self.wind else 0))
        shades = None if values is None else np.interp(values, (np.min(values), np.max(values) + 1e-9), (0.0, 0.75))
        for s in range(self.rows * self.columns):
            row, column = divmod(s, self.columns)
            color: Any = INK if s in self.cliff else (238, 237, 231)
            if shades is not None and s not in self.cliff:
                color = tuple(round(p + (b - p) * shades[s]) for p, b in zip(PAPER, BLUE, strict=True))
            canvas.box(column * cell + 1, row * cell + 1, (column + 1) * cell - 1, (row + 1) * cell - 1, color, 4)
        for s, letter, color in ((self.start, "S", GREY), (self.goal, "G", GREEN)):
            canvas.text(*self._center(s, cell), letter, color, 22)
        if len(path) > 1:
            canvas.line([self._center(s, cell) for s in path], BLUE, 4)
        canvas.disc(*self._center(int(state), cell), 13, ORANGE)
        for column, strength in enumerate(self.wind or ()):
            canvas.text((column + 0.5) * cell, self.rows * cell + 11, str(strength), INK, 13)
        return canvas.array()

    def _center(self, state: int, cell: int) -> tuple[float, float]:
        row, column = divmod(state, self.columns)
        return (column + 0.5) * cell, (row + 0.5) * cell

    def text(self, world: Any, state: Any, action: Any = None) -> str:
        """Return the grid as lines: A agent, S start, G goal, # cliff."""
        signs = {self.start: "S", self.goal: "G", **dict.fromkeys(self.cliff, "#"), int(state): "A"}
        cells = [signs.get(s, ".") for s in range(self.rows * self.columns)]
        lines = [" ".join(cells[r * self.columns : (r + 1) * self.columns]) for r in range(self.rows)]
        if self.wind:
            lines.append(" ".join(str(strength) for strength in self.wind))
        return "\n".join(lines) + "\n"
