"""Schedules: a value that follows the step count. They count absolute steps, so that a resumed run goes on exactly."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

__all__ = ["Exponential", "Linear", "Schedule", "parse", "value"]


class Linear(NamedTuple):
    """From `start` to `end` on a straight line over `steps`, then constant."""

    start: float
    end: float
    steps: float

    def at(self, step):
        """Return the value at a step."""
        return self.start + (self.end - self.start) * min(step / self.steps, 1.0)


class Exponential(NamedTuple):
    """From `start` towards `end`, the distance halved every `steps` steps."""

    start: float
    end: float
    steps: float

    def at(self, step):
        """Return the value at a step."""
        return self.end + (self.start - self.end) * math.exp(-math.log(2.0) * step / self.steps)


Schedule = float | Linear | Exponential


def value(schedule: Schedule, step: float) -> float:
    """Return the value at a step; a number is its own constant schedule."""
    if isinstance(schedule, int | float) and abs(schedule) < 1e300:
        return float(schedule)
    if not isinstance(schedule, Linear | Exponential):
        raise ValueError(f"a schedule must be a text, a number, Linear or Exponential, not {schedule!r:.60}: parse reads texts")
    return float(schedule.at(step))


def parse(text: str | float | Schedule) -> Schedule:
    """Read a schedule: a number, ``linear(start, end, steps)`` or ``exponential(start, end, half_life)``.

    Raises
    ------
    ValueError
        Saying what was expected.
    """
    if not isinstance(text, str):
        value(text, 0.0)
        return text
    try:
        return float(text)
    except ValueError:
        pass
    match = re.fullmatch(r"\s*(linear|exponential)\s*\(([^()]*)\)\s*", text)
    try:
        if match:
            start, end, steps = (float(part) for part in match[2].split(","))
            if steps > 0 and math.isfinite(start + end + steps):
                return Linear(start, end, steps) if match[1] == "linear" else Exponential(start, end, steps)
    except ValueError:
        pass
    raise ValueError(f"{text!r:.60} is no schedule; write a number, linear(start, end, steps) or exponential(start, end, steps)")
