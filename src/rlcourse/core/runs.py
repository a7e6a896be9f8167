"""`Runs`: a world around a world in which one call of a box lives many independent runs.

A parameter study wants tens of thousands of short runs, and entering compiled code costs as much as a thousand steps. Here ``more()``
restores the tables at the beginning of each run, so that a box, which keeps nothing beside its arrays, starts afresh. What
is learned from lies in the sheet itself: hand `tables(...)` to the box. The sheet also keeps each episode's return and length,
the root-mean-square error of the first table against the truth before every episode and after the last one, and, where asked for,
copies of the first table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Runs"]

# SIZE of all tables, KNOWN of the truth; the FIRST numbers of the tables are copied before each EVERY-th episode
RUN, RUNS, EPISODE, EPISODES, LENGTH, SCORE, LIMIT, SIZE, KNOWN, EVERY, FIRST = range(11)
HEADER = 11


class Runs(NamedTuple):
    """Many independent runs; a world itself.

    Attributes
    ----------
    world : World
        The world inside.
    sheet : ndarray of float64
        Counters, tables, their initial values, the truth; then returns [runs, episodes], lengths [runs, episodes], errors
        [runs, episodes + 1], copies [runs, episodes / every + 1, first]. One array, because each array of a world costs time in
        every step.
    """

    world: Any
    sheet: np.ndarray

    @classmethod
    def of(
        cls,
        world: Any,
        runs: int,
        episodes: int,
        tables: Sequence[np.ndarray],
        truth: np.ndarray | None = None,
        limit: int | None = None,
        every: int = 0,
    ) -> Runs:
        """Make `runs` runs of `episodes` episodes each.

        Parameters
        ----------
        world : World
        runs, episodes : int
        tables : sequence of ndarray
            Initial values of the box's tables.
        truth : ndarray, optional
            What the first ``truth.size`` entries of the tables should become.
        limit : int, optional
            Time limit of an episode, steps.
        every : int
            Copy the first table before the first episode and after each `every`-th; 0 copies nothing.
        """
        initial = np.concatenate([np.ravel(table).astype(float) for table in tables]) if tables else np.zeros(0)
        right = np.zeros(0) if truth is None else np.ravel(truth).astype(float)
        header = np.zeros(HEADER)
        header[[RUNS, EPISODES, LIMIT, SIZE, KNOWN]] = runs, episodes, 2.0**53 if limit is None else limit, len(initial), len(right)
        first = np.size(tables[0]) if every else 0
        copies = first * (episodes // every + 1) if every else 0
        header[[EVERY, FIRST]] = every, first
        return cls(world, np.concatenate([header, initial, initial, right, np.zeros(runs * (3 * episodes + 1 + copies))]))

    def more(self):
        """Whether another episode begins; between two runs the tables are restored."""
        c = self.sheet
        size, episodes = int(c[SIZE]), int(c[EPISODES])
        if c[KNOWN] > 0:
            wrong = 0.0
            for i in range(int(c[KNOWN])):
                error = c[HEADER + i] - c[HEADER + 2 * size + i]
                wrong += error * error
            at = HEADER + 2 * size + int(c[KNOWN]) + 2 * int(c[RUNS]) * episodes + int(c[RUN]) * (episodes + 1) + int(c[EPISODE])
            c[at] = np.sqrt(wrong / c[KNOWN])
        if c[EVERY] > 0 and int(c[EPISODE]) % int(c[EVERY]) == 0:
            first, rows = int(c[FIRST]), episodes // int(c[EVERY]) + 1
            at = HEADER + 2 * size + int(c[KNOWN]) + int(c[RUNS]) * (3 * episodes + 1)
            at += (int(c[RUN]) * rows + int(c[EPISODE]) // int(c[EVERY])) * first
            for i in range(first):
                c[at + i] = c[HEADER + i]
        if c[EPISODE] == episodes:
            if c[RUN] + 1 == c[RUNS]:
                return False
            c[RUN] += 1.0
            c[EPISODE] = 0.0
            for i in range(size):
                c[HEADER + i] = c[HEADER + size + i]
            if c[KNOWN] > 0:
                start = HEADER + 2 * size + int(c[KNOWN]) + 2 * int(c[RUNS]) * episodes
                c[start + int(c[RUN]) * (episodes + 1)] = c[start]  # the error of the initial values
            if c[EVERY] > 0:
                first, rows = int(c[FIRST]), episodes // int(c[EVERY]) + 1
                at = HEADER + 2 * size + int(c[KNOWN]) + int(c[RUNS]) * (3 * episodes + 1) + int(c[RUN]) * rows * first
                for i in range(first):
                    c[at + i] = c[HEADER + i]
        return True

    def reset(self, rng):
        """Begin an episode."""
        c = self.sheet
        c[LENGTH] = 0.0
        c[SCORE] = 0.0
        return self.world.reset(rng)

    def step(self, state, action, rng):
        """Take an action; the last step of the time limit is truncated."""
        next_state, reward, terminated, truncated = self.world.step(state, action, rng)
        c = self.sheet
        c[LENGTH] += 1.0
        c[SCORE] += reward
        truncated = truncated or c[LENGTH] >= c[LIMIT]
        if terminated or truncated:
            at = HEADER + 2 * int(c[SIZE]) + int(c[KNOWN]) + int(c[RUN]) * int(c[EPISODES]) + int(c[EPISODE])
            c[at] = c[SCORE]
            c[at + int(c[RUNS]) * int(c[EPISODES])] = c[LENGTH]
            c[EPISODE] += 1.0
        return next_state, reward, terminated, truncated

    # The rest is for Python only: it is never called from a box.

    def tables(self, *shapes: tuple[int, ...]) -> list[np.ndarray]:
        """Return views of the tables for the box, given their shapes in order."""
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
        if ends[-1] != self.sheet[SIZE]:
            raise ValueError(f"shapes {shapes} hold {ends[-1]} numbers; the tables hold {int(self.sheet[SIZE])}")
        parts = np.split(self.sheet[HEADER : HEADER + int(ends[-1])], ends[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]

    def returns(self) -> np.ndarray:
        """Undiscounted returns, shape [runs, episodes]."""
        return self._records(0, 0)

    def lengths(self) -> np.ndarray:
        """Return the steps of each episode, shape [runs, episodes]."""
        return self._records(1, 0)

    def errors(self) -> np.ndarray:
        """Root-mean-square errors, shape [runs, episodes + 1]: before the first episode, then after each."""
        return self._records(2, 1)

    def copies(self) -> np.ndarray:
        """Return the copies of the first table, flattened: shape [runs, episodes // every + 1, size]."""
        c = self.sheet
        runs, episodes, first = int(c[RUNS]), int(c[EPISODES]), int(c[FIRST])
        if not first:
            raise ValueError("nothing was copied: make the runs with every=1, say")
        taken: np.ndarray = c[HEADER + 2 * int(c[SIZE]) + int(c[KNOWN]) + runs * (3 * episodes + 1) :].copy()
        return taken.reshape(runs, -1, first)

    def _records(self, block: int, extra: int) -> np.ndarray:
        c = self.sheet
        runs, episodes = int(c[RUNS]), int(c[EPISODES])
        begin = HEADER + 2 * int(c[SIZE]) + int(c[KNOWN]) + block * runs * episodes
        taken: np.ndarray = c[begin : begin + runs * (episodes + extra)].reshape(runs, episodes + extra).copy()
        return taken
