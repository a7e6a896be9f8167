"""Settings of an agent: frozen dataclasses whose fields say their own bounds."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import math
import os
from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

import numpy as np

from rlcourse.core.schedules import Schedule, parse

__all__ = [
    "Config",
    "Count",
    "Discount",
    "GradientSteps",
    "Interval",
    "Natural",
    "NonNegative",
    "Positive",
    "Probability",
    "Rule",
    "SomeWidths",
    "StepSize",
    "Widths",
    "build",
    "check",
    "whole",
]


_LARGEST_WHOLE = 2**53  # beyond it a float no longer tells whole numbers apart


class Interval(NamedTuple):
    """Bounds of a number, as an annotation: ``Annotated[float, Interval(0, 1)]``."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False

    def __str__(self) -> str:
        closing = "]" if math.isfinite(self.high) else ")"
        return f"{'(' if self.open_low or not math.isfinite(self.low) else '['}{self.low:g}, {self.high:g}{closing}"

    def holds(self, number: float) -> bool:
        """Whether a number lies inside; nan and infinity never do."""
        if isinstance(number, int) and abs(number) > _LARGEST_WHOLE:
            return False
        return math.isfinite(number) and (self.low < number if self.open_low else self.low <= number) and number <= self.high


class Rule(NamedTuple):
    """What a value must fulfil beyond its type and bounds, as an annotation: a test, and the words that follow "must"."""

    holds: Callable[[Any], bool]
    must: str


Probability = Annotated[float, Interval(0, 1)]
Discount = Annotated[float, Interval(0, 1)]
StepSize = Annotated[float, Interval(0, 1, open_low=True)]
Positive = Annotated[float, Interval(0, math.inf, open_low=True)]
NonNegative = Annotated[float, Interval(0)]
Count = Annotated[int, Interval(1)]
Natural = Annotated[int, Interval(0)]
GradientSteps = Annotated[int, Interval(-1), Rule(lambda steps: steps != 0, "be -1 or at least 1")]  # -1: as many as steps were taken
Widths = Annotated[tuple[int, ...], Rule(lambda widths: all(width >= 1 for width in widths), "name layer widths >= 1")]
SomeWidths = Annotated[tuple[int, ...], Rule(lambda widths: bool(widths) and min(widths) >= 1, "name at least one layer width >= 1")]


@dataclasses.dataclass(frozen=True)
class Config:
    """Base of all settings: checks every field against its annotation when built.

    Raises
    ------
    ValueError
        Naming the field, its value and what it must be.
    """

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            check(field.name, getattr(self, field.name), _hints(type(self))[field.name])

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as JSON and TOML can hold them."""
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}


C = TypeVar("C", bound=Config)


def build(kind: type[C], settings: Mapping[str, Any]) -> C:
    """Make a Config from names and values, for example those of a file.

    Raises
    ------
    ValueError
        For an unknown name, with the nearest known one, or a value out of range.
    """
    known = {field.name for field in dataclasses.fields(kind)}
    for name in settings:
        if name not in known:
            raise ValueError(f"unknown setting {name!r}{did_you_mean(name, known)}")
    hints = _hints(kind)
    return kind(**{name: _typed(value, hints[name]) for name, value in settings.items()})


def whole(name: str, value: Any, low: int, high: int | None = None) -> int:
    """Return the whole number that an argument is.

    Raises
    ------
    ValueError
        Naming the argument, where it is no whole number or out of bounds.
    """
    most = 2**63 - 1 if high is None else high
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer) or not low <= value <= most:
        bounds = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise ValueError(f"{name} must be a whole number {bounds}, not {value!r:.60}")
    return int(value)


def did_you_mean(name: str, known: Any) -> str:
    """Return the end of a message about an unknown name: the nearest known one, or the known ones, all where that is short."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    lowered = {other.lower(): other for other in names}
    if not near:
        near = [lowered[low] for low in difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.5)]
    if near:
        return f"; did you mean {near[0]!r}?"
    shown = [other for i, other in enumerate(names) if sum(map(len, names[: i + 1])) <= 160]
    return f"; known are {', '.join(shown)}" + (f" and {len(names) - len(shown)} others" if len(shown) < len(names) else "")


def _hints(kind: Any) -> dict[str, Any]:
    return _read_hints(kind)


@functools.cache
def _read_hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _typed(value: Any, hint: Any) -> Any:
    """Turn what JSON and TOML hold (lists, texts of schedules, whole numbers, "none") into what the field holds."""
    if isinstance(value, str) and value == "none" and type(None) in get_args(hint):
        return None
    hint = next((part for part in get_args(hint) if part is not type(None)), hint) if type(None) in get_args(hint) else hint
    base = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, list):
        return tuple(value)
    if base == Schedule:
        return parse(value) if isinstance(value, str) else value
    if base is float and isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST_WHOLE:
        return float(value)
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, tuple) and hasattr(value, "at"):
        return f"{type(value).__name__.lower()}({', '.join(_digits(part) for part in value)})"
    return list(value) if isinstance(value, tuple) else value


def _digits(number: float) -> str:
    """The shortest text that reads back as the same number."""
    short = format(number, "g")
    return short if float(short) == number else repr(float(number))


def check(name: str, value: Any, hint: Any) -> None:
    """Raise ValueError, naming the argument or the setting, where a value is not of a type, out of bounds, or against a rule."""
    if type(None) in get_args(hint):  # optional: Positive | None
        if value is None:
            return
        hint = next(part for part in get_args(hint) if part is not type(None))
    _check_type(name, value, hint)
    for rule in get_args(hint)[1:]:
        if isinstance(rule, Rule) and not rule.holds(value):
            raise ValueError(f"{name} must {rule.must}, not {value!r:.60}")


def _check_type(name: str, value: Any, hint: Any) -> None:
    interval = next((extra for extra in get_args(hint)[1:] if isinstance(extra, Interval)), None)
    base = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    if interval is None and base in (int, float):
        interval = Interval()
    if interval is not None:
        parts = [value.start, value.end] if hasattr(value, "at") else [value]
        if hasattr(value, "at") and not value.steps > 0:
            raise ValueError(f"{name} must be a schedule over a positive number of steps, not {value!r:.60}")
        whole = base is int
        for part in parts:
            if isinstance(part, int) and abs(part) > _LARGEST_WHOLE:
                raise ValueError(f"{name} must be a number of at most 2^53 either way, and {str(part)[:20]} is beyond")
            kinds: Any = int if whole else (int, float)
            if isinstance(part, bool) or not isinstance(part, kinds) or not interval.holds(part):
                where = "" if interval == Interval() else f" in {interval}"
                raise ValueError(f"{name} must be {'a whole number' if whole else 'a number'}{where}, not {value!r:.60}")
        return
    if get_origin(base) is tuple:
        if not isinstance(value, tuple):
            raise ValueError(f"{name} must be a list, not {value!r:.60}")
        for part in value:
            check(name, part, get_args(base)[0])
    choices = get_args(base)
    if str(get_origin(base)) == "typing.Literal" and (isinstance(value, np.ndarray) or value not in choices):
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, not {value!r:.60}")
    if base is str and not isinstance(value, str):
        raise ValueError(f"{name} must be a text, not {value!r:.60}")
    if base is bool and not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false, not {value!r:.60}")
