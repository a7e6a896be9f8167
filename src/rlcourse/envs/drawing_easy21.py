"""The picture of Easy21: the dealer's card, the player's sum, and perhaps values and greedy actions of every state."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rlcourse.envs.canvas import BLUE, GREY, INK, ORANGE, PAPER, SAND, SHADE, Canvas, shade

__all__ = ["picture", "text"]

CARDS, SUMS = 10, 21
TABLE = (214, 224, 212)  # the cloth
WIDTH, HEIGHT, CELL = 520, 230, 22


def picture(world: Any, state: Any, action: Any = None, path: Any = (), values: Any = None, arrows: Any = None) -> np.ndarray:
    """Draw the table.

    Parameters
    ----------
    world : object
        Not looked at.
    state : int or None
        21 * (dealer's first card - 1) + player's sum - 1; None draws no cards.
    action : int or None
        What the player has just done, 0 stick or 1 hit.
    path : sequence of int
        Not looked at: play leaves no path.
    values : array_like of float, shape [S], optional
        Drawn below as shades, one row for each card of the dealer.
    arrows : array_like, optional
        Greedy actions, integers [S] or booleans [S, 2], written there: S sticks, a dot hits.
    """
    below = values is not None or arrows is not None
    canvas = Canvas(WIDTH, HEIGHT + (CARDS * CELL + 44 if below else 0))
    canvas.box(0, 0, WIDTH, HEIGHT, TABLE)
    if state is not None:
        dealer, player = int(state) // SUMS + 1, int(state) % SUMS + 1
        canvas.text(130, 24, "dealer", INK, 15)
        _card(canvas, 84, 42, str(dealer))
        _card(canvas, 142, 42, None)
        canvas.text(370, 24, "player", INK, 15)
        canvas.text(370, 88, str(player), ORANGE, 62)
        if action is not None:
            canvas.text(370, 136, "hits" if int(action) == 1 else "sticks", BLUE, 15)
        _scale(canvas, player)
    if below:
        _states(canvas, state, values, arrows)
    return canvas.array()


def text(world: Any, state: Any, action: Any = None) -> str:
    """Return one line: the dealer's first card, the player's sum, and what the player has just done."""
    did = "" if action is None else "; hit" if int(action) == 1 else "; stuck"
    return f"dealer {int(state) // SUMS + 1:2d}   player {int(state) % SUMS + 1:2d}{did}\n"


def _card(canvas: Canvas, left: float, top: float, number: str | None) -> None:
    """Draw a black card, or the back of one."""
    canvas.box(left - 1, top - 1, left + 49, top + 69, GREY, 7)
    canvas.box(left, top, left + 48, top + 68, PAPER if number else BLUE, 6)
    if number:
        canvas.text(left + 24, top + 35, number, INK, 32)
    else:
        canvas.box(left + 6, top + 6, left + 42, top + 62, TABLE, 4)
        canvas.text(left + 24, top + 35, "?", BLUE, 28)


def _scale(canvas: Canvas, player: int) -> None:
    """Draw the sums from 1 to 21; outside them is bust."""
    step = 22.0
    left = (WIDTH - SUMS * step) / 2
    for total in range(1, SUMS + 1):
        x = left + (total - 0.5) * step
        canvas.box(x - 10, 178, x + 10, 200, ORANGE if total == player else SAND, 4)
        canvas.text(x, 189, str(total), PAPER if total == player else INK, 12)
    canvas.text(WIDTH / 2, 216, "bust below 1 and above 21; the dealer sticks from 17", GREY, 11)


def _states(canvas: Canvas, state: Any, values: Any, arrows: Any) -> None:
    """Draw all states: the dealer's card downwards, the player's sum to the right."""
    left, top = 44.0, HEIGHT + 12.0
    shown = np.full(CARDS * SUMS, np.nan) if values is None else np.asarray(values, dtype=float)
    finite = shown[np.isfinite(shown)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)
    greedy = None if arrows is None else np.asarray(arrows)
    for s in range(CARDS * SUMS):
        x, y = left + (s % SUMS + 0.5) * CELL, top + (s // SUMS + 0.5) * CELL
        color = shade((float(shown[s]) - low) / max(high - low, 1e-12)) if math.isfinite(shown[s]) else SHADE
        if state is not None and s == int(state):
            canvas.box(x - 11, y - 11, x + 11, y + 11, ORANGE, 3)
        canvas.box(x - 9, y - 9, x + 9, y + 9, color, 3)
        if greedy is not None:
            sticks, hits = (bool(greedy[s][0]), bool(greedy[s][1])) if greedy.ndim == 2 else (greedy[s] == 0, greedy[s] == 1)
            if sticks:
                canvas.text(x, y, "S", INK, 11)
            if hits:
                canvas.disc(x + (6 if sticks else 0), y, 2, INK)
    for dealer in range(1, CARDS + 1):
        canvas.text(left - 14, top + (dealer - 0.5) * CELL, str(dealer), GREY, 11)
    scale = f"value from {low:.2f} (light) to {high:.2f} (dark)" if len(finite) else ""
    legend = "" if greedy is None else "S sticks, a dot hits"
    canvas.text(WIDTH / 2, top + CARDS * CELL + 14, "    ".join(part for part in (scale, legend) if part), INK, 12)
