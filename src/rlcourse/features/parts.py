"""Features taken apart into plain numbers and arrays, for files, and put together again."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from rlcourse.core import spaces
from rlcourse.core.fits import Misfit

__all__ = ["check", "copied", "described", "reading", "rebuilt"]


def copied(features: Any) -> Any:
    """Return features whose arrays are their own, so that what one agent enters into a table is not seen by another."""
    parts = features._asdict() if hasattr(features, "_asdict") else {}
    own = {name: value.copy() for name, value in parts.items() if isinstance(value, np.ndarray)}
    own |= {name: copied(value) for name, value in parts.items() if hasattr(value, "_asdict")}
    return features._replace(**own) if own else features


def described(features: Any, name: str = "features") -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return class and numbers of features, and copies of their arrays by name; features inside have descriptions of their own."""
    parts = features._asdict()
    description: dict[str, Any] = {
        "class": type(features).__name__,
        "numbers": {part: v for part, v in parts.items() if not isinstance(v, np.ndarray) and not hasattr(v, "_asdict")},
    }
    arrays = {f"{name}.{part}": value.copy() for part, value in parts.items() if isinstance(value, np.ndarray)}
    for part, value in parts.items():
        if hasattr(value, "_asdict"):
            inside, more = described(value, f"{name}.{part}")
            description.setdefault("parts", {})[part] = inside
            arrays |= more
    return description, arrays


def rebuilt(description: dict[str, Any], arrays: dict[str, np.ndarray], known: Any, name: str = "features") -> Any:
    """Return features from their description.

    Parameters
    ----------
    description, arrays : dict
        As from `described`.
    known : named tuple or None
        Features at hand, whose class need not be found by its name.

    Raises
    ------
    ValueError
        For a class that is neither that of the features at hand nor one of `rlcourse.features`.
    """
    from rlcourse import features

    kind = type(known)
    if description["class"] != kind.__name__:
        if description["class"] not in features.MODULES:
            raise Misfit(f"these weights belong to features of class {description['class']}: make the agent with them, then load its state")
        kind = getattr(features, description["class"])
    inside = {
        part: rebuilt(each, arrays, getattr(known, part, None), f"{name}.{part}") for part, each in description.get("parts", {}).items()
    }
    own = {part: arrays[f"{name}.{part}"].copy() for part in kind._fields if f"{name}.{part}" in arrays}
    return kind(**description["numbers"], **inside, **own)


def reading(features: Any) -> Any:
    """Return the same features, arrays shared, for predictions: what has a table looks up in it and enters nothing."""
    parts = features._asdict() if hasattr(features, "_asdict") else {}
    changed: dict[str, Any] = {name: reading(value) for name, value in parts.items() if hasattr(value, "_asdict")}
    if "read_only" in parts:
        changed["read_only"] = True
    return features._replace(**changed) if changed else features


def check(features: Any, space: gym.Space[Any]) -> np.ndarray:
    """Return the features of some observation, whatever it is; nothing is drawn or entered.

    Raises
    ------
    ValueError
        Where the features do not take observations of the space, or what they return is no array of features.
    """
    name = type(features).__name__
    finite = spaces.is_finite(space)
    read, numbers = getattr(features, "coordinates", 0), 1 if finite else int(np.prod(space.shape or ()))
    if read not in (0, numbers):
        raise ValueError(f"features of {name} take {read} numbers of a state, not the {numbers} of {space}")
    rows: Any = getattr(features, "rows", None)
    if finite and rows is not None and len(rows) != spaces.size(space):
        raise ValueError(f"features have rows for {len(rows)} states, and there are {spaces.size(space)}")
    for state in _some_states(space):
        try:
            x = reading(features).x(state)
        except (IndexError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"features of {name} do not take observations of {space}: {error}") from error
        if not isinstance(x, np.ndarray) or x.ndim not in (1, 2) or x.dtype not in (np.float64, np.int64):
            raise ValueError("features: x(state) must return an array of float64 or int64 with one axis, or two: one row per action")
        if x.shape[-1] != features.size if x.dtype == np.float64 else x.size and x.max() >= features.size:
            shown = f"vectors of {x.shape[-1]} numbers" if x.dtype == np.float64 else f"the index {x.max()}"
            raise ValueError(f"features of {name} say that their size is {features.size}, and x({state}) returns {shown}")
    return x


def _some_states(space: gym.Space[Any]) -> list[Any]:
    """Return states to try features on, the same each time; zeros, or the first one, come last."""
    if spaces.is_finite(space):
        n = spaces.size(space)
        return [*range(n - 1, 0, -max(1, n // 20)), 0]
    rng = np.random.default_rng(0)
    low, high = (np.clip(np.asarray(bound, dtype=float), -10.0, 10.0) for bound in (space.low, space.high))  # type: ignore[attr-defined]
    return [*(low + (high - low) * rng.random(low.shape) for _ in range(20)), np.zeros(low.shape)]
