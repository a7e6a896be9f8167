"""`WeightPaths`: a world around a world that notes a box's tables before every step, in many independent runs.

Divergence is a matter of single weights over single steps, where `Runs` knows whole episodes only. What is learned from lies in the sheet,
as there: hand `tables(...)` to the box. Each run is one episode of a number of steps, cut off by truncation, or several where the world
itself ends them; between two runs ``more()`` restores the tables, so that a box, which keeps nothing beside its arrays, starts afresh.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

__all__ = ["WeightPaths"]

RUN, RUNS, STEP, STEPS, EVERY, SIZE = range(6)
HEADER = 6


class WeightPaths(NamedTuple):
    """Many independent runs of a number of steps each; a world itself.

    Attributes
    ----------
    world : World
        The world inside.
    sheet : ndarray of float64
        Counters, tables, their initial values; then the tables as they were, [runs, steps / every + 1, size].
    """

    world: Any
    sheet: np.ndarray

    @classmethod
    def of(cls, world: Any, runs: int, steps: int, tables: Sequence[np.ndarray], every: int = 1) -> WeightPaths:
        """Make `runs` runs of `steps` steps each, and note the tables at every `every`-th of them.

        Raises
        ------
        ValueError
            Where `every` does not divide `steps`.
        """
        if steps % every:
            raise ValueError(f"every must divide the number of steps, and {every} does not divide {steps}")
        initial = np.concatenate([np.ravel(table).astype(float) for table in tables])
        header = np.zeros(HEADER)
        header[[RUNS, STEPS, EVERY, SIZE]] = runs, steps, every, len(initial)
        return cls(world, np.concatenate([header, initial, initial, np.zeros(runs * (steps // every + 1) * len(initial))]))

    def more(self):
        """Whether another episode begins; between two runs the tables are noted and restored."""
        c = self.sheet
        if c[STEP] == c[STEPS]:
            self.note()
            if c[RUN] + 1 == c[RUNS]:
                return False
            c[RUN] += 1.0
            c[STEP] = 0.0
            size = int(c[SIZE])
            for i in range(size):
                c[HEADER + i] = c[HEADER + size + i]
        return True

    def note(self):
        """Write the tables down."""
        c = self.sheet
        size, rows = int(c[SIZE]), int(c[STEPS]) // int(c[EVERY]) + 1
        at = HEADER + size * (2 + int(c[RUN]) * rows + int(c[STEP]) // int(c[EVERY]))
        for i in range(size):
            c[at + i] = c[HEADER + i]

    def reset(self, rng):
        """Begin an episode."""
        return self.world.reset(rng)

    def step(self, state, action, rng):
        """Note the tables now and then, and take an action; the last step of a run is truncated."""
        c = self.sheet
        if int(c[STEP]) % int(c[EVERY]) == 0:
            self.note()
        next_state, reward, terminated, truncated = self.world.step(state, action, rng)
        c[STEP] += 1.0
        return next_state, reward, terminated, truncated or c[STEP] >= c[STEPS]

    # The rest is for Python only: it is never called from a box.

    def tables(self, *shapes: tuple[int, ...]) -> list[np.ndarray]:
        """Return views of the tables for the box, given their shapes in order."""
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
        if ends[-1] != self.sheet[SIZE]:
            raise ValueError(f"shapes {shapes} hold {ends[-1]} numbers; the tables hold {int(self.sheet[SIZE])}")
        parts = np.split(self.sheet[HEADER : HEADER + int(ends[-1])], ends[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]

    def paths(self) -> np.ndarray:
        """Return the tables over time, one after the other, shape [runs, steps / every + 1, size]: row k is after k `every` steps."""
        c = self.sheet
        size = int(c[SIZE])
        noted: np.ndarray = c[HEADER + 2 * size :].reshape(int(c[RUNS]), -1, size).copy()
        return noted
