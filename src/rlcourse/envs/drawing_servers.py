"""Picture and text of the servers of Example 10.2, and the customer whose turn it is."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.envs.canvas import BLUE, GREEN, GREY, INK, OCHRE, ORANGE, PAPER, SHADE, Canvas

__all__ = ["servers", "servers_text"]

PAYS = ("1", "2", "4", "8")
DOES = ("rejected", "accepted")
COLORS = (GREY, BLUE, OCHRE, ORANGE)  # by priority


def servers(world: Any, state: Any, action: Any = None) -> np.ndarray:
    """Draw the servers, busy ones filled, the customer at the head of the queue with what it pays, and what became of the last one."""
    free, priority = divmod(int(state), len(PAYS))
    n = world.successor.shape[0] // len(PAYS) - 1
    canvas = Canvas(60 + 44 * n, 210)
    for i in range(n):
        busy, x = i >= free, 30 + 44 * i
        canvas.box(x, 44, x + 36, 100, INK if busy else SHADE, 6)
        canvas.box(x + 3, 47, x + 33, 97, BLUE if busy else PAPER, 4)
        for y in (57, 69, 81):
            canvas.box(x + 8, y, x + 28, y + 4, PAPER if busy else SHADE, 2)
    canvas.text(30, 22, f"{free} of {n} servers free", INK, 17, anchor="lm")
    canvas.disc(60, 146, 14, COLORS[priority])
    canvas.box(44, 160, 76, 192, COLORS[priority], 9)
    canvas.text(60, 146, PAYS[priority], PAPER, 16)
    canvas.text(92, 160, f"pays {PAYS[priority]}", INK, 17, anchor="lm")
    if action is not None:
        canvas.text(30 + 44 * n, 160, f"the last one was {DOES[int(action)]}", GREEN if int(action) else ORANGE, 16, anchor="rm")
    return canvas.array()


def servers_text(world: Any, state: Any, action: Any = None) -> str:
    """Return the servers, one mark each, the customer, and what became of the last one."""
    free, priority = divmod(int(state), len(PAYS))
    n = world.successor.shape[0] // len(PAYS) - 1
    last = "" if action is None else f"; the last one was {DOES[int(action)]}"
    return f"servers {'.' * free}{'#' * (n - free)}, the customer pays {PAYS[priority]}{last}\n"
