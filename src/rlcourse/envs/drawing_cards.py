"""Pictures of blackjack: both hands on the table, and what a value function and a policy say in every state."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from rlcourse.envs.canvas import BLUE, GREEN, GREY, INK, ORANGE, PAPER, SAND, Canvas, shade

__all__ = ["hand", "picture", "text"]

CELL = 20.0  # of the tables of values


def hand(total: int, usable_ace: bool) -> list[int]:
    """Return cards that have a sum: one of the many hands that a state stands for."""
    if usable_ace:
        return [1, total - 11]
    return [10, total - 10] if total < 21 else [10, 6, 5]


def picture(world: Any, state: Any, action: Any = None, path: Sequence[int] = (), values: Any = None, arrows: Any = None) -> np.ndarray:
    """Draw the table.

    Parameters
    ----------
    world : object
        Not looked at.
    state : int or None
        None draws no cards.
    action : int or None
        The last one, written below the cards.
    path : sequence of int
        States, joined by a line on the tables of values.
    values : array_like of float, shape [200], optional
        Drawn on the right, the higher the darker: sums upwards, the dealer's card to the right, with a usable ace and without.
    arrows : array_like of int, shape [200], optional
        Greedy actions: a dot where it is to hit (1).
    """
    tables = values is not None or arrows is not None or len(path) > 0
    canvas = Canvas(730 if tables else 260, 300)
    canvas.box(8, 8, 252, 292, GREEN, 14)
    if state is not None:
        total, dealer, usable = int(state) // 20 + 12, int(state) // 2 % 10 + 1, bool(int(state) % 2)
        canvas.text(24, 26, "dealer shows", PAPER, 13, "lm")
        _draw_hand(canvas, [dealer, 0], 40)
        canvas.text(24, 160, f"player has {total}{', usable ace' if usable else ''}", PAPER, 13, "lm")
        _draw_hand(canvas, hand(total, usable), 174)
    if action is not None:
        canvas.text(236, 160, ("stick", "hit")[int(action)], PAPER, 13, "rm")
    for side in (1, 0) if tables else ():
        _draw_table(canvas, side, state, path, values, arrows)
    return canvas.array()


def text(world: Any, state: Any, action: Any = None) -> str:
    """Return both hands as a line."""
    total, dealer, usable = int(state) // 20 + 12, int(state) // 2 % 10 + 1, bool(int(state) % 2)
    ace = " with a usable ace" if usable else ""
    return f"dealer shows {_name(dealer)}, player has {total}{ace}{'' if action is None else '; ' + ('stick', 'hit')[int(action)]}\n"


def _name(card: int) -> str:
    return "ace" if card == 1 else str(card)


def _draw_hand(canvas: Canvas, cards: Sequence[int], top: float) -> None:
    for i, card in enumerate(cards):
        left = 24 + 66 * i
        canvas.box(left, top, left + 58, top + 84, PAPER if card else BLUE, 6)
        if card:
            canvas.text(left + 29, top + 44, "A" if card == 1 else str(card), ORANGE if card == 1 else INK, 30)
        else:
            canvas.box(left + 6, top + 6, left + 52, top + 78, PAPER, 4)  # the hidden card
            canvas.box(left + 8, top + 8, left + 50, top + 76, BLUE, 3)


def _draw_table(canvas: Canvas, usable: int, state: Any, path: Sequence[int], values: Any, arrows: Any) -> None:
    left, top = (514.0 if usable == 0 else 290.0), 34.0

    def center(s: int) -> tuple[float, float]:
        return left + (s // 2 % 10 + 0.5) * CELL, top + (9.5 - s // 20) * CELL

    canvas.text(left + 100, 18, "usable ace" if usable else "no usable ace", INK, 13)
    V = None if values is None else np.asarray(values, dtype=float)
    finite = [] if V is None else [float(v) for v in V if math.isfinite(v)]
    for s in range(usable, 200, 2):
        x, y = center(s)
        color: tuple[int, ...] = SAND
        if V is not None and math.isfinite(V[s]):
            color = shade((float(V[s]) - min(finite)) / max(max(finite) - min(finite), 1e-12))
        canvas.box(x - 9.5, y - 9.5, x + 9.5, y + 9.5, color, 2)
        if arrows is not None and int(np.asarray(arrows)[s]) == 1:
            canvas.disc(x, y, 2.5, INK)
    mine = [center(int(s)) for s in path if int(s) % 2 == usable]
    if len(mine) > 1:
        canvas.line(mine, BLUE, 3)
    if state is not None and int(state) % 2 == usable:
        canvas.disc(*center(int(state)), 6, ORANGE)
    for card in range(1, 11):
        canvas.text(left + (card - 0.5) * CELL, top + 210, "A" if card == 1 else str(card), GREY, 11)
    for total in (12, 15, 18, 21):
        canvas.text(left - 6, top + (21.5 - total) * CELL, str(total), GREY, 11, "rm")
    canvas.text(left + 100, top + 228, "dealer's card", INK, 12)
    if usable and arrows is not None:
        canvas.disc(left + 4, top + 248, 2.5, INK)
        canvas.text(left + 12, top + 248, "hit", INK, 12, "lm")
    if usable and finite:
        canvas.text(left + 200, top + 248, f"values {min(finite):.3g} to {max(finite):.3g}", INK, 12, "rm")
