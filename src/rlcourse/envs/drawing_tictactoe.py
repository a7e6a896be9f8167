"""Pictures and texts of tic-tac-toe: the board, the last move of the agent, and what each free square is worth."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rlcourse.envs.canvas import BLUE, GREY, INK, ORANGE, SAND, Canvas, shade

__all__ = ["picture", "text"]

CELL = 100  # pixels


def marks(world: Any, state: int) -> list[str]:
    """Return what stands on each square: X (the side that began), O or a space."""
    own = [int(state) // 3**a % 3 for a in range(9)]
    begins = own.count(1) == own.count(2) if world.self_play else not world.second
    return [(" XO" if begins else " OX")[mark] for mark in own]


def picture(world: Any, state: Any, action: Any = None, values: Any = None) -> np.ndarray:
    """Draw the board.

    Parameters
    ----------
    world : TicTacToe
    state : int
    action : int, optional
        The square that was marked last by the agent: it has a ring.
    values : array_like of float, shape [9], optional
        What a mark on each square is worth, drawn as shades and numbers on free squares; what is not finite stays plain.
    """
    canvas = Canvas(3 * CELL, 3 * CELL)
    board = marks(world, state)
    shown = [] if values is None else [float(v) for v, mark in zip(values, board, strict=True) if mark == " " and math.isfinite(v)]
    for a, mark in enumerate(board):
        x, y = (a % 3 + 0.5) * CELL, (a // 3 + 0.5) * CELL
        valued = values is not None and mark == " " and math.isfinite(values[a])
        share = (values[a] - min(shown)) / max(max(shown) - min(shown), 1e-12) if valued else 0.0
        canvas.box(x - 48, y - 48, x + 48, y + 48, shade(share) if valued else SAND, 8)
        if a == action:
            canvas.disc(x, y, 44, GREY)
            canvas.disc(x, y, 41, SAND)
        if mark == "X":
            for slope in (-1, 1):
                canvas.line([(x - 25, y - 25 * slope), (x + 25, y + 25 * slope)], BLUE, 10)
        elif mark == "O":
            canvas.disc(x, y, 32, ORANGE)
            canvas.disc(x, y, 22, SAND)
        elif valued:
            canvas.text(x, y, f"{values[a]:.2f}", INK, 20)
    return canvas.array()


def text(world: Any, state: Any, action: Any = None, values: Any = None) -> str:
    """Return the board as lines; below, the square that was marked last."""
    board = [mark if mark != " " else "." for mark in marks(world, state)]
    rows = [" ".join(board[3 * r : 3 * r + 3]) for r in range(3)]
    return "\n".join([*rows, "; no square was marked yet" if action is None else f"; square {action} was marked"]) + "\n"
