"""`Canvas`: what pictures of worlds are drawn on, with Pillow, at three times their size and reduced, so that edges are smooth."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["BLUE", "GREEN", "GREY", "INK", "OCHRE", "ORANGE", "PAPER", "SAND", "SCALE", "SHADE", "Canvas", "font", "shade"]

PAPER, INK, BLUE, ORANGE, GREEN = (250, 249, 245), (40, 44, 52), (52, 101, 164), (222, 120, 31), (78, 140, 80)
GREY, SAND, SHADE, OCHRE = (150, 150, 145), (238, 237, 231), (226, 224, 216), (219, 165, 88)
SCALE = 3  # drawn this much larger than shown

Points = Sequence[tuple[float, float]]


class Canvas:
    """A drawing surface in shown pixels."""

    def __init__(self, width: int, height: int) -> None:
        from PIL import Image, ImageDraw

        self.size = (width, height)
        self.image = Image.new("RGB", (width * SCALE, height * SCALE), PAPER)
        self._draw = ImageDraw.Draw(self.image)

    def line(self, points: Points, color: Any, width: float) -> None:
        """Draw a line of a width with round ends."""
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        self._draw.line(scaled, fill=color, width=round(width * SCALE), joint="curve")
        for x, y in (points[0], points[-1]):
            self.disc(x, y, width / 2, color)

    def dashes(self, left: float, right: float, y: float, color: Any) -> None:
        """Draw a dashed horizontal line."""
        for x in np.arange(left, right, 12.0):
            self.box(x, y - 1, min(x + 7, right), y + 1, color)

    def arrow(self, points: Points, color: Any, width: float, head: float = 10.0) -> None:
        """Draw a line that ends in a filled head; `points` end where the head begins."""
        (x0, y0), (x1, y1) = points[-2:]
        length = math.hypot(x1 - x0, y1 - y0) or 1.0
        ux, uy = (x1 - x0) / length, (y1 - y0) / length
        self.line(points, color, width)
        half = 0.6 * head
        self.polygon([(x1 - uy * half, y1 + ux * half), (x1 + uy * half, y1 - ux * half), (x1 + ux * head, y1 + uy * head)], color)

    def turn(self, x: float, y: float, radius: float, begin: float, amount: float, color: Any) -> None:
        """Draw an arrow around a point: from the angle `begin`, clockwise from upright, by `amount`, rad."""
        angles = np.linspace(begin, begin + amount, 40)
        self.arrow([(x + radius * math.sin(a), y - radius * math.cos(a)) for a in angles], color, 4)

    def polygon(self, points: Points, color: Any) -> None:
        """Fill a polygon."""
        self._draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=color)

    def disc(self, x: float, y: float, radius: float, color: Any) -> None:
        """Fill a disc."""
        self._draw.ellipse([v * SCALE for v in (x - radius, y - radius, x + radius, y + radius)], fill=color)

    def box(self, left: float, top: float, right: float, bottom: float, color: Any, radius: float = 0.0) -> None:
        """Fill a rectangle, with rounded corners where `radius` is given."""
        self._draw.rounded_rectangle([v * SCALE for v in (left, top, right, bottom)], radius * SCALE, fill=color)

    def text(self, x: float, y: float, text: str, color: Any, size: float, anchor: str = "mm") -> None:
        """Write text at a point (see Pillow for anchors)."""
        self._draw.text((x * SCALE, y * SCALE), text, fill=color, font=font(size), anchor=anchor)

    def array(self) -> np.ndarray:
        """Return the picture, uint8 [height, width, 3]."""
        return np.asarray(self.image.reduce(SCALE)).copy()


@functools.cache
def font(size: float) -> Any:
    """Return the font of a size in shown pixels."""
    from PIL import ImageFont

    return ImageFont.load_default(size * SCALE)


def shade(share: float) -> tuple[int, ...]:
    """Return the colour of a value, by its share of the range from 0 to 1: the higher the darker."""
    return tuple(round(p + (q - p) * (0.1 + 0.9 * share)) for p, q in zip(PAPER, OCHRE, strict=True))
