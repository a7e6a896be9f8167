"""Pictures and texts of bandits: each arm's distribution of rewards or its mean, and what an agent thinks of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rlcourse.envs.canvas import BLUE, GREY, INK, ORANGE, SHADE, Canvas

__all__ = ["bars", "lines", "picture", "text"]

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


def bars(world: Any, state: Any, action: Any = None) -> np.ndarray:
    """Draw the means of a Bernoulli bandit as bars from 0 to 1, the arm that was pulled orange; above, a dark dot for each pull made.

    Parameters
    ----------
    world, state : object
    action : int, optional
        The arm pulled last.
    """
    means, made = world.true_values(state), int(state[0])
    canvas = Canvas(LEFT + ARM * max(len(means), 3) + 12, HEIGHT)
    top, bottom, right = 44, HEIGHT - 30, LEFT + ARM * max(len(means), 3)
    for tick in (0.0, 0.5, 1.0):
        y = bottom - (bottom - top) * tick
        canvas.line([(LEFT, y), (right, y)], SHADE, 1)
        canvas.text(LEFT - 8, y, f"{tick:g}", GREY, 12, "rm")
    for a, mean in enumerate(means):
        x, color = LEFT + ARM * (a + 0.5), ORANGE if a == action else BLUE
        y = bottom - (bottom - top) * mean
        canvas.polygon([(x - 0.3 * ARM, bottom), (x - 0.3 * ARM, y), (x + 0.3 * ARM, y), (x + 0.3 * ARM, bottom)], color)
        canvas.text(x, HEIGHT - 15, str(a), ORANGE if a == action else INK, 15)
    room = (right - LEFT) / world.pulls
    for t in range(world.pulls):
        canvas.disc(LEFT + room * (t + 0.5), 20, min(5.0, 0.3 * room), INK if t < made else SHADE)
    return canvas.array()


def lines(world: Any, state: Any, action: Any = None) -> str:
    """Return one line per arm of a Bernoulli bandit: its number and its mean; below, how many pulls were made and which arm was pulled."""
    means = world.true_values(state)
    arms = [f"arm {a}  mean {mean:.3f}{'  best' if mean == max(means) else ''}" for a, mean in enumerate(means)]
    pulled = "no arm was pulled yet" if action is None else f"arm {action} was pulled"
    return "\n".join([*arms, f"{int(state[0])} of {world.pulls} pulls; {pulled}"]) + "\n"
