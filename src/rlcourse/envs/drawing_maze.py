"""Pictures of mazes: a grid whose walls are read from the world, so that a maze that changes shows the walls of the moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rlcourse.envs.drawing import Grid

__all__ = ["MazeGrid"]

SMALL = 24  # cells of fewer pixels have no room for arrows


class MazeGrid(Grid):
    """A maze to look at.

    Parameters
    ----------
    rows, columns : int
    start : int or None
        None is not drawn.
    goals : sequence of int
        All cells of the goal; the letter is written in the middle one.
    cell : int
        Pixels of a cell.
    """

    def __init__(self, rows: int, columns: int, start: int | None, goals: Sequence[int], cell: int = Grid.CELL) -> None:
        at = np.array([divmod(s, columns) for s in goals])
        row, column = (int(x) for x in (at.min(axis=0) + at.max(axis=0) + 1) // 2)
        super().__init__(rows, columns, start, row * columns + column)
        self.goals, self.CELL = frozenset(goals), cell

    def picture(
        self, world: Any, state: Any, action: Any = None, path: Sequence[int] = (), values: Any = None, arrows: Any = None
    ) -> np.ndarray:
        """Draw the maze; see `Grid.picture`. The walls are those of the world at this moment."""
        self.cliff = walls(world) - self.goals
        return super().picture(world, state, action, path, values, None if self.CELL < SMALL else arrows)

    def text(self, world: Any, state: Any, action: Any = None) -> str:
        """Return the maze as lines: A agent, S start, G goal, # wall."""
        signs: dict[int | None, str] = {
            self.start: "S",
            **dict.fromkeys(walls(world), "#"),
            **dict.fromkeys(self.goals, "G"),
            int(state): "A",
        }
        cells = [signs.get(s, ".") for s in range(self.rows * self.columns)]
        return "".join(" ".join(cells[r * self.columns : (r + 1) * self.columns]) + "\n" for r in range(self.rows))

    def _is_shown(self, state: int, value: float) -> bool:
        return super()._is_shown(state, value) and state not in self.goals


def walls(world: Any) -> frozenset[int]:
    """Return the cells that no other cell leads to."""
    successor = world.model().successor[:, :, 0] if hasattr(world, "model") else world.successor[:, :, 0]
    cells = np.arange(len(successor))
    return frozenset(np.setdiff1d(cells, successor[successor != cells[:, None]]).tolist())
