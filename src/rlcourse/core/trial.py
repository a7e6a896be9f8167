"""`Trial`: a world around a world that keeps score, time limits and budgets, so that no box has a line of bookkeeping.

``more()`` says whether another episode begins; the step that spends the step budget is ``truncated``. Finished episodes
are rows of a sheet. When the sheet is full, ``more()`` is False once: the caller flushes the rows and runs the box
again, so the sheet's size bounds nothing. No exception ever leaves a box: another thread stops a trial by writing its
budget, which every step reads; so a step stops its own trial where the world gives a reward that is no finite number, or a state
that is none.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from rlcourse.core.box import typed_kernel

__all__ = ["Trial"]

# Slots of the sheet. They are floats in one array: one array costs one reference count per step, and a float64 counts
# exactly to 2**53.
STEPS, STEP_BUDGET, EPISODES, EPISODE_BUDGET, PAUSE, LENGTH, LIMIT, SCORE, ROWS, CAPACITY, STATES, FAULT = range(12)
HEADER = 12
COLUMNS = 4  # of a row: return, length, terminated, steps taken so far in this trial
UNLIMITED = 2.0**53


def sound(state, states):
    """Whether a state is one: an integer below the number of states, or numbers that are finite."""
    if isinstance(state, int | np.integer):
        return 0 <= state < states
    if isinstance(state, tuple):
        return all(map(math.isfinite, state))
    return math.isfinite(np.vdot(state, state)) or bool(np.all(np.isfinite(state)))


@typed_kernel(sound)
def _sound(state, states):
    from numba import types

    if isinstance(state, types.Integer):
        return lambda state, states: 0 <= state < states
    if isinstance(state, types.UniTuple) and isinstance(state.dtype, types.Float):

        def each(state, states):
            total = 0.0
            for number in state:
                total += 0.0 * number
            return total == 0.0

        return each
    if isinstance(state, types.Array):
        return lambda state, states: np.all(np.isfinite(state))
    return lambda state, states: True


def instead(state, before):
    """Return a state to go on from to the end of a step that went wrong, so that no box reads memory that is not there."""
    return before if isinstance(state, int | np.integer) or isinstance(before, tuple | np.ndarray) else state


@typed_kernel(instead)
def _instead(state, before):
    from numba import types

    whole = isinstance(state, types.Integer) and isinstance(before, types.Integer)
    return (lambda state, before: before) if whole or state == before else (lambda state, before: state)


class Trial(NamedTuple):
    """A world with a score sheet; a world itself.

    Attributes
    ----------
    world : World
        The world inside.
    sheet : ndarray of float64
        Counters (see the slot names of this module), then rows of finished episodes.
    """

    world: Any
    sheet: np.ndarray

    @classmethod
    def of(
        cls,
        world: Any,
        *,
        steps: float = UNLIMITED,
        episodes: float = UNLIMITED,
        limit: int | None = None,
        capacity: int = 4096,
        states: float = UNLIMITED,
    ) -> Trial:
        """Make a trial with budgets of steps and episodes, and a time limit per episode (steps); `states` of a world whose are integers."""
        sheet = np.zeros(HEADER + COLUMNS * capacity)
        sheet[STEP_BUDGET], sheet[EPISODE_BUDGET] = steps, episodes
        sheet[PAUSE] = UNLIMITED
        sheet[LIMIT] = UNLIMITED if limit is None else limit
        sheet[CAPACITY], sheet[STATES] = capacity, states
        return cls(world, sheet)

    def more(self):
        """Whether another episode begins."""
        c = self.sheet
        return c[STEPS] < c[STEP_BUDGET] and c[STEPS] < c[PAUSE] and c[EPISODES] < c[EPISODE_BUDGET] and c[ROWS] < c[CAPACITY]

    def reset(self, rng):
        """Begin an episode."""
        c = self.sheet
        c[LENGTH] = 0.0
        c[SCORE] = 0.0
        state = self.world.reset(rng)
        if not sound(state, c[STATES]):
            c[FAULT] = -c[STEPS] - 0.5  # not taken
            c[STEP_BUDGET] = 0.0
            state = instead(state, 0)
        return state

    def step(self, state, action, rng):
        """Take an action; the last step of a budget or of the time limit is truncated."""
        next_state, reward, terminated, truncated = self.world.step(state, action, rng)
        c = self.sheet
        c[STEPS] += 1.0
        c[LENGTH] += 1.0
        if not (sound(next_state, c[STATES]) and 0.0 * reward == 0.0):
            c[FAULT] = c[STEPS] if sound(next_state, c[STATES]) else -c[STEPS]
            c[STEP_BUDGET] = 0.0
            reward, next_state = 0.0, instead(next_state, state)
        c[SCORE] += reward
        truncated = truncated or c[LENGTH] >= c[LIMIT] or c[STEPS] >= c[STEP_BUDGET]
        if terminated or truncated:
            i = HEADER + COLUMNS * int(c[ROWS])
            c[i] = c[SCORE]
            c[i + 1] = c[LENGTH]
            c[i + 2] = 1.0 if terminated else 0.0
            c[i + 3] = c[STEPS]
            c[ROWS] += 1.0
            c[EPISODES] += 1.0
        return next_state, reward, terminated, truncated

    def sweep(self, change, updates):
        """Note one sweep of a planner: its largest change and its number of updates; a sweep counts as an episode."""
        c = self.sheet
        c[STEPS] += updates
        i = HEADER + COLUMNS * int(c[ROWS])
        c[i] = change
        c[i + 1] = updates
        c[i + 2] = 0.0
        c[i + 3] = c[STEPS]
        c[ROWS] += 1.0
        c[EPISODES] += 1.0
        return change

    # The rest is for Python only: it is never called from a box.

    def spent(self) -> bool:
        """Whether a budget is spent."""
        c = self.sheet
        return bool(c[STEPS] >= c[STEP_BUDGET] or c[EPISODES] >= c[EPISODE_BUDGET])

    def fault(self) -> str:
        """Return in words what ended the trial, where the world was at fault, and nothing where it was not."""
        at = float(self.sheet[FAULT])
        if at > 0:
            return "a reward that is no finite number"
        first = "" if at.is_integer() else "first "
        return f"a {first}state that is no finite number, or outside the observation space" if at else ""

    def pause_at(self, steps: float) -> None:
        """Let ``more()`` be False at the first episode end at or after this many steps."""
        self.sheet[PAUSE] = steps

    def stop(self, at_episode_end: bool = False) -> None:
        """Spend the budget, from any thread: now (the next step is truncated) or at the end of the episode."""
        self.sheet[EPISODE_BUDGET if at_episode_end else STEP_BUDGET] = 0.0

    def take_rows(self) -> np.ndarray:
        """Return the finished episodes as rows (return, length, terminated, steps so far), and clear the sheet."""
        rows = int(self.sheet[ROWS])
        taken: np.ndarray = self.sheet[HEADER : HEADER + COLUMNS * rows].reshape(rows, COLUMNS).copy()
        self.sheet[ROWS] = 0.0
        return taken
