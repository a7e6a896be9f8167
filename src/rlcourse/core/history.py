"""`History`: one row per episode, in columns that grow."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["History"]


class History:
    """Finished episodes as columns.

    ``history["return"]`` is a float64 array over episodes; ``len(history)`` counts them; ``history[-1]`` is one episode as a
    dictionary.

    A run on disk keeps the newest rows only (`shorten`), so that its memory is bounded however long it trains; the others are in its
    episodes.csv. Their number still counts.

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
        self._forgotten = 0

    def __len__(self) -> int:
        return self._forgotten + self._count

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
        """A view of all rows that are kept, shape [episodes, columns]."""
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

    def since(self, episode: int) -> np.ndarray:
        """Return the rows of the episodes from that number on, counted from 0 and shape [n, columns]; a view.

        Raises
        ------
        ValueError
            Where some of them were forgotten.
        """
        if episode < self._forgotten:
            raise ValueError(f"episode must be at least {self._forgotten}, not {episode}: earlier ones were forgotten")
        return self.rows[episode - self._forgotten :]

    def shorten(self, keep: int) -> None:
        """Forget all but the newest rows; `len` still counts them."""
        gone = max(0, self._count - keep)
        if gone:
            kept = self.rows[gone:].copy()
            self._rows = np.empty((max(64, 2 * keep), len(self.columns)))
            self._rows[: len(kept)] = kept
            self._count = len(kept)
            self._forgotten += gone

    def replace(self, rows: np.ndarray, episodes: int | None = None) -> None:
        """Forget everything and take these rows, shape [n, columns], the newest of so many episodes (of just these where None)."""
        rows = np.asarray(rows, dtype=float).reshape(-1, len(self.columns))
        self._count, self._forgotten = 0, 0 if episodes is None else episodes - len(rows)
        self.extend(rows)
