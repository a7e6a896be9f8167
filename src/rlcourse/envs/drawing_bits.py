"""`row_of_coins`: the picture of a stream of bits, the newest at the right."""

from __future__ import annotations

from collections.abc import Mapping

from rlcourse.envs.canvas import BLUE, GREY, INK, OCHRE, PAPER, SAND, Canvas

__all__ = ["row_of_coins"]


def row_of_coins(canvas: Canvas, coins: str, marks: Mapping[int, str], y: float = 66.0) -> None:
    """Draw coins as discs, ones dark; a mark names the coin of a lag, and what has fallen unseen (a space) is left blank."""
    n = len(coins)
    step = 540 / n
    radius = min(22.0, 0.42 * step)
    for i, coin in enumerate(coins):
        x, lag = 20 + (i + 0.5) * step, n - 1 - i
        if lag in marks:
            canvas.disc(x, y, radius + 4, OCHRE if lag else BLUE)
        canvas.disc(x, y, radius, PAPER if coin == " " else INK if coin == "1" else SAND)
        if coin != " ":
            canvas.text(x, y, coin, PAPER if coin == "1" else INK, 0.9 * radius)
        if lag in marks:
            canvas.text(x, y + radius + 20, marks[lag], GREY, 13)
