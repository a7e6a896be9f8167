"""`UntilOptimal`: a world around a deterministic world that ends the experiment once the learner's greedy path is a shortest one.

How much computing a planner needs until it has an optimal solution is the question of Example 8.4. Before each real step, when all
planning of the last one is done, the greedy path is walked from the start through the learner's table; the step after the first
success is cut off without taking place, and no further episode begins.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rlcourse.core.arguments import checked, numbers
from rlcourse.core.config import Natural, Positive
from rlcourse.core.mdp import MDP

__all__ = ["UntilOptimal"]

STEPS, BUDGET, SOLVED, UPDATES, START, SHORTEST, STATE = range(7)


class UntilOptimal(NamedTuple):
    """A deterministic `MDP` that ends when it is solved; a world itself.

    Attributes
    ----------
    world : MDP
        One outcome per pair, one start state.
    Q : ndarray of float64, shape [S, A]
        The learner's table; its last update, of the step that is cut off, means nothing.
    tally : ndarray of int64
        The learner's own counters; the last one is kept when it succeeds.
    sheet : ndarray of float64
        Counters (see the slot names of this module).
    """

    world: MDP
    Q: np.ndarray
    tally: np.ndarray
    sheet: np.ndarray

    @classmethod
    @checked
    def of(cls, world: MDP, Q: np.ndarray, shortest: Natural, budget: Positive, tally: np.ndarray | None = None) -> UntilOptimal:
        """Make an experiment that ends when the greedy path has `shortest` steps (0: never), or after `budget` steps."""
        if world.successor.shape[2] != 1:
            raise ValueError("world must be deterministic, one outcome per pair")
        numbers("Q", Q, world.successor.shape[:2])
        if tally is not None and not numbers("tally", tally, ("n",)).size:
            raise ValueError("tally must hold a counter, and is empty")
        sheet = np.zeros(7)
        sheet[[BUDGET, START, SHORTEST]] = budget, np.argmax(np.diff(world.start, prepend=0.0)), shortest
        return cls(world, Q, np.zeros(1, np.int64) if tally is None else tally, sheet)

    def more(self):
        """Whether another episode begins."""
        return self.sheet[SOLVED] == 0.0 and self.sheet[STEPS] < self.sheet[BUDGET]

    def reset(self, rng):
        """Begin an episode."""
        return self.world.reset(rng)

    def step(self, state, action, rng):
        """Take an action, unless the experiment is over."""
        c = self.sheet
        if self.is_solved():
            c[SOLVED] = 1.0
            c[UPDATES] = self.tally[-1]
            return state, 0.0, False, True
        c[STEPS] += 1.0
        next_state, reward, terminated, truncated = self.world.step(state, action, rng)
        c[STATE] = next_state
        return next_state, reward, terminated, truncated or c[STEPS] >= c[BUDGET]

    def is_solved(self):
        """Whether the greedy path, the first of equal actions taken, has learned values all along and the right length."""
        s = int(self.sheet[START])
        shortest = int(self.sheet[SHORTEST])
        for k in range(shortest):
            best = 0
            for a in range(1, self.Q.shape[1]):
                if self.Q[s, a] > self.Q[s, best]:
                    best = a
            if self.Q[s, best] <= 0.0:
                return False
            if self.world.terminal[s, best, 0]:
                return k + 1 == shortest
            s = int(self.world.successor[s, best, 0])
        return False

    # The rest is for Python only: it is never called from a box.

    def result(self) -> dict[str, Any]:
        """Return whether it was solved, the real steps until then, the learner's counter at that moment, and where the learner stands."""
        c = self.sheet
        return {"solved": bool(c[SOLVED]), "steps": int(c[STEPS]), "updates": int(c[UPDATES]), "state": int(c[STATE])}
