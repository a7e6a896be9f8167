"""`History`: one row per episode, in columns that grow."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["History"]


class History:
    """Finished episodes as columns.

    ``history["return"]`` is a float64 array over episodes; ``len(history)`` counts them; ``history[-1]`` is one episode as a
    dictionary.

    Parameters
    ----------
    columns : tuple of str
        "return" (undiscounted sum of rewards), "length" (steps), "terminated" (1, or 0 where the episode was truncated)
        and "timesteps" (steps taken when it ended), unless a planner keeps other things.
    """

    def __init__(self, columns: tuple[str, ...] = ("return", "length", "terminated", "timesteps")) -> None:
        self.columns = columns
        self._rows = np.empty((64, len(columns)))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, key: str | int) -> Any:
        if isinstance(key, str):
            if key not in self.columns:
                raise KeyError(f"{key!r}; columns are {', '.join(self.columns)}")
            return self.rows[:, self.columns.index(key)].copy()
        return dict(zip(self.columns, self.rows[key].tolist(), strict=True))

    def __repr__(self) -> str:
        return f"<History: {len(self)} rows of {', '.join(self.columns)}>"

    @property
    def rows(self) -> np.ndarray:
        """A view of all rows, shape [episodes, columns]."""
        view: np.ndarray = self._rows[: self._count]
        return view

    def extend(self, rows: np.ndarray) -> None:
        """Append rows, shape [n, columns]."""
        needed = self._count + len(rows)
        if needed > len(self._rows):
            grown = np.empty((max(needed, 2 * len(self._rows)), len(self.columns)))
            grown[: self._count] = self.rows
            self._rows = grown
        self._rows[self._count : needed] = rows
        self._count = needed

    def replace(self, rows: np.ndarray) -> None:
        """Forget everything and take these rows, shape [n, columns]."""
        self._count = 0
        self.extend(np.asarray(rows, dtype=float).reshape(-1, len(self.columns)))
