"""Pictures and texts of bandits: each arm's distribution of rewards, its true value, and what an agent thinks of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rlcourse.envs.canvas import BLUE, GREY, INK, ORANGE, SHADE, Canvas

__all__ = ["picture", "text"]

ARM, HEIGHT, LEFT, REACH = 58, 320, 44, 2.6  # pixels per arm, of the whole, of the axis; rewards shown beyond the values


def picture(world: Any, state: Any, action: Any = None, values: Any = None) -> np.ndarray:
    """Draw the distribution of each arm's rewards with its true value as a line; the arm that was pulled is orange.

    Parameters
    ----------
    world, state : object
        The bandit and its state.
    action : int, optional
        The arm pulled last.
    values : array_like of float, shape [k], optional
        An agent's estimates, drawn as dots; what is not finite stays undrawn.
    """
    true = world.true_values(state)
    known = [v for v in (() if values is None else values) if math.isfinite(v)]
    reach = REACH * max(world.noise, 1e-3)
    low, high = min([*[v - reach for v in true], *known]), max([*[v + reach for v in true], *known])
    canvas = Canvas(LEFT + ARM * len(true) + 12, HEIGHT)

    def y(value: float) -> float:
        return 14 + (HEIGHT - 50) * (high - value) / (high - low)

    step = 10.0 ** math.floor(math.log10((high - low) / 2)) * (1 if (high - low) < 60 else 2)
    for tick in np.arange(math.ceil(low / step), math.floor(high / step) + 1) * step:
        canvas.line([(LEFT, y(tick)), (LEFT + ARM * len(true), y(tick))], SHADE, 1)
        canvas.text(LEFT - 8, y(tick), f"{tick:g}", GREY, 12, "rm")
    for a, value in enumerate(true):
        x, color = LEFT + ARM * (a + 0.5), ORANGE if a == action else GREY
        deviations = np.linspace(-REACH, REACH, 41)
        half = [0.42 * ARM * math.exp(-d * d / 2) for d in deviations]
        heights = [y(value + d * max(world.noise, 1e-3)) for d in deviations]
        outline = [(x - w, h) for w, h in zip(half, heights, strict=True)]
        canvas.polygon([*outline, *[(2 * x - px, py) for px, py in reversed(outline)]], color)
        canvas.line([(x - 0.3 * ARM, y(value)), (x + 0.3 * ARM, y(value))], INK, 2)
        if values is not None and math.isfinite(values[a]):
            canvas.disc(x, y(values[a]), 6, "white")
            canvas.disc(x, y(values[a]), 4.5, BLUE)
        canvas.text(x, HEIGHT - 15, str(a), ORANGE if a == action else INK, 15)
    return canvas.array()


def text(world: Any, state: Any, action: Any = None, values: Any = None) -> str:
    """Return one line per arm: its number, its true value, an agent's estimate where there is one; below, which arm was pulled."""
    true = world.true_values(state)
    lines = []
    for a, value in enumerate(true):
        estimate = "" if values is None else f"  estimate {values[a]:+.3f}"
        lines.append(f"arm {a}  q* {value:+.3f}{'  best' if value == max(true) else '':6}{estimate}".rstrip())
    return "\n".join([*lines, "; no arm was pulled yet" if action is None else f"; arm {action} was pulled"]) + "\n"
