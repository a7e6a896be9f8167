"""`BanditTestbed`: many bandit problems, each lived from the beginning in one call of a box, and what was earned in each step.

A figure of chapter 2 averages thousands of problems, and entering compiled code costs as much as a thousand pulls. Here an episode is
one problem of `steps` pulls; before each, the learner's tables are restored and the true values of the next problem are taken. Rewards
are summed over the problems by step, and over the scored steps by problem. The dynamics are those of `bandit`, or of `DriftingBandit`
where there is drift.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rlcourse.core.arguments import checked, numbers
from rlcourse.core.config import Count, Natural, NonNegative

__all__ = ["BanditTestbed"]

LIVED, STEP, BEST = range(3)  # slots: problems lived so far, step of the present one, its greatest q*(a)
HEADER = 3


class BanditTestbed(NamedTuple):
    """Many bandit problems; a world for boxes that ignore the state.

    Attributes
    ----------
    sheet : ndarray of float64
        Counters; the tables, their initial values; q* of the present problem [k], then of all [problems, k]; sums of rewards [steps],
        counts of optimal actions [steps], scores [problems], sums of the greatest q*(a) over the scored steps [problems].
    k, problems, steps, size : int
        Arms; problems; pulls of each; numbers in all tables.
    since : int
        The first step that counts for the score.
    drift : float
        Standard deviation of the step that every q*(a) takes after a pull.
    """

    sheet: np.ndarray
    k: int
    problems: int
    steps: int
    size: int
    since: int
    drift: float

    @classmethod
    @checked
    def of(
        cls, values: np.ndarray, steps: Count, tables: Sequence[np.ndarray], drift: NonNegative = 0.0, since: Natural = 0
    ) -> BanditTestbed:
        """Make a testbed.

        Parameters
        ----------
        values : ndarray, shape [problems, k]
            True values q*(a) at the beginning.
        steps : int
            Pulls in each problem.
        tables : sequence of ndarray
            Initial values of the box's tables.
        drift : float
        since : int
            The score of a problem is the mean reward from this step on (counted from 0).

        Raises
        ------
        ValueError
            Where there is no problem, no table, or no step that is scored.
        """
        problems, k = numbers("values", values, ("problems", "k")).shape
        if not values.size or since >= steps:
            raise ValueError(f"values must hold a problem, and since be below steps, {steps}, not {since}")
        if not len(tables):
            raise ValueError("tables must be those of the box, and there are none")
        initial = np.concatenate([numbers(f"tables[{i}]", np.ravel(table), ("n",)) for i, table in enumerate(tables)])
        parts = [np.zeros(HEADER), initial, initial, np.zeros(k), np.ravel(values).astype(float), np.zeros(2 * (steps + problems))]
        return cls(np.concatenate(parts), k, problems, steps, len(initial), since, float(drift))

    def more(self):
        """Whether another problem waits."""
        return self.sheet[LIVED] < self.problems

    def reset(self, rng):
        """Begin the next problem with the initial tables."""
        c = self.sheet
        q = HEADER + 2 * self.size  # where q* of the present problem begins
        for i in range(self.size):
            c[HEADER + i] = c[HEADER + self.size + i]
        best = -np.inf
        for a in range(self.k):
            c[q + a] = c[q + self.k + int(c[LIVED]) * self.k + a]
            best = max(best, c[q + a])
        c[BEST] = best
        c[STEP] = 0.0
        return 0

    def step(self, state, action, rng):
        """Pull an arm; then, where there is drift, all values walk. The last pull of a problem is truncated."""
        c = self.sheet
        q = HEADER + 2 * self.size
        sums = q + self.k + self.problems * self.k  # where the rewards by step begin
        t = int(c[STEP])
        reward = c[q + action] + rng.standard_normal()
        c[sums + t] += reward
        if c[q + action] == c[BEST]:
            c[sums + self.steps + t] += 1.0
        if t >= self.since:
            scores = sums + 2 * self.steps + int(c[LIVED])
            c[scores] += reward
            c[scores + self.problems] += c[BEST]
        if self.drift > 0.0:
            best = -np.inf
            for a in range(self.k):
                c[q + a] += self.drift * rng.standard_normal()
                best = max(best, c[q + a])
            c[BEST] = best
        c[STEP] = t + 1.0
        if t + 1 == self.steps:
            c[LIVED] += 1.0
        return 0, reward, False, t + 1 == self.steps

    # The rest is for Python only: it is never called from a box.

    def tables(self, *shapes: int) -> list[np.ndarray]:
        """Return views of the tables for the box, given their lengths in order."""
        if sum(shapes) != self.size:
            raise ValueError(f"tables of {shapes} numbers do not fill the {self.size} of the testbed")
        return np.split(self.sheet[HEADER : HEADER + self.size], np.cumsum(shapes)[:-1])

    def rewards(self) -> np.ndarray:
        """Return the mean reward of each step over the problems, shape [steps]."""
        return self._records(0, self.steps) / self.problems

    def optimal(self) -> np.ndarray:
        """Return the share of problems in which each step's action was optimal, shape [steps]."""
        return self._records(self.steps, self.steps) / self.problems

    def scores(self) -> np.ndarray:
        """Return the mean reward of each problem over the scored steps, shape [problems]."""
        return self._records(2 * self.steps, self.problems) / (self.steps - self.since)

    def bests(self) -> np.ndarray:
        """Return the mean of the greatest q*(a) over the scored steps, shape [problems]: what perfect knowledge would earn."""
        return self._records(2 * self.steps + self.problems, self.problems) / (self.steps - self.since)

    def _records(self, begin: int, length: int) -> np.ndarray:
        at = HEADER + 2 * self.size + self.k + self.problems * self.k + begin
        return self.sheet[at : at + length]
