"""`Graph`: pictures of small finite worlds as states and the ways between them, such as the counterexamples of chapter 11."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from rlcourse.envs.canvas import BLUE, GREY, INK, ORANGE, PAPER, SAND, Canvas

__all__ = ["Graph"]


class Graph:
    """States at given places, with an arrow for each way that the world's table knows.

    Parameters
    ----------
    places : sequence of (x, y)
        Middle of each state, pixels.
    labels : sequence of str
        What is written on each.
    size : (width, height)
        Pixels.
    end : (x, y), optional
        Where a square stands for the end of an episode.
    names : sequence of str
        The actions, for text.
    """

    RADIUS = 19  # pixels

    def __init__(
        self,
        places: Sequence[tuple[float, float]],
        labels: Sequence[str],
        size: tuple[int, int],
        end: tuple[float, float] | None = None,
        names: Sequence[str] = (),
    ) -> None:
        self.places, self.labels, self.size, self.end, self.names = list(places), list(labels), size, end, list(names)

    def picture(self, world: Any, state: Any, action: Any = None) -> np.ndarray:
        """Draw states, arrows with their rewards where those are not zero, and the agent.

        Parameters
        ----------
        world : MDP
        state : int or None
            None draws no agent.
        action : int, optional
            The last one; the ways of this action are drawn stronger.
        """
        canvas = Canvas(*self.size)
        S, A, K = world.successor.shape
        for a in range(A):
            color = BLUE if action is not None and int(action) == a else GREY
            for s in range(S):
                for k in range(K):
                    if world.probability[s, a, k] > 0:
                        target = self.end if world.terminal[s, a, k] else self.places[int(world.successor[s, a, k])]
                        self._draw_way(canvas, self.places[s], target, float(world.reward[s, a, k]), color)
        if self.end is not None:
            x, y = self.end
            canvas.box(x - 10, y - 10, x + 10, y + 10, GREY)
        for s, (x, y) in enumerate(self.places):
            here = state is not None and int(state) == s
            canvas.disc(x, y, self.RADIUS, INK)
            canvas.disc(x, y, self.RADIUS - 2, ORANGE if here else SAND)
            canvas.text(x, y, self.labels[s], PAPER if here else INK, 14)
        return canvas.array()

    def _draw_way(self, canvas: Canvas, start: tuple[float, float], target: Any, reward: float, color: Any) -> None:
        (x, y), r = start, self.RADIUS
        if target == start:  # back to itself: a loop below
            around = np.linspace(0.15, 0.9, 24) * np.pi
            canvas.arrow([(float(x + 14 * np.cos(t)), float(y + r + 22 * np.sin(t) - 3)) for t in around], color, 2, head=8)
            middle = (x, y + r + 30)
        else:
            dx, dy = target[0] - x, target[1] - y
            length = math.hypot(dx, dy)
            dx, dy = dx / length, dy / length
            side = (-5 * dy, 5 * dx)  # ways there and back do not cover each other
            canvas.arrow(
                [
                    (x + r * dx + side[0], y + r * dy + side[1]),
                    (target[0] - (r + 3) * dx + side[0], target[1] - (r + 3) * dy + side[1]),
                ],
                color,
                2,
                head=8,
            )
            middle = (x + 0.5 * length * dx - 1.6 * side[0], y + 0.5 * length * dy - 1.6 * side[1])
        if reward != 0.0:
            canvas.text(*middle, f"{reward:+g}", INK, 13)

    def text(self, world: Any, state: Any, action: Any = None) -> str:
        """Return the state's label, and the last action."""
        taken = f"; last action {self.names[int(action)]}" if action is not None and self.names else ""
        return f"state {self.labels[int(state)]}{taken}\n"
