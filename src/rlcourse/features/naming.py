"""Features by name: ``tiles:8x8``, for an observation space.

    text     =  part {"+" part}                     several parts are stacked
    part     =  name {":" argument} ["@" ranges]
    ranges   =  range {"," range}                   one for each coordinate
    range    =  low ":" high  |  "~" [scale]  |  nothing: the bounds of the space

A coordinate with ``~`` has no ends: it is squashed by (2 / pi) arctan(s / scale), with scale 1 where none is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

from rlcourse.core import spaces
from rlcourse.core.arguments import checked
from rlcourse.core.config import did_you_mean
from rlcourse.core.word_vectors import WordVectors
from rlcourse.features.aggregation import Aggregation
from rlcourse.features.coarse import CoarseCoding
from rlcourse.features.combined import Bias, stack
from rlcourse.features.fourier import Fourier
from rlcourse.features.hashed import HashedTiles
from rlcourse.features.one_hot import OneHot, TableFeatures
from rlcourse.features.polynomial import Polynomial
from rlcourse.features.radial import RadialBasis
from rlcourse.features.ranges import grid
from rlcourse.features.squashed import Squashed
from rlcourse.features.tiles import Tiles
from rlcourse.features.vector import Vector

__all__ = ["make", "names"]

NAMES = {  # name: (how it is written, what it makes)
    "aggregate": (
        "aggregate:10",
        "groups of neighbouring states, 10 of them, or 10 along each coordinate; aggregate:10,4 differs by coordinate",
    ),
    "auto": ("auto", "one-hot of finite observations; tiles:8x8 of up to 4 numbers, squashed where they have no bounds; vector of more"),
    "bias": ("bias", "a constant 1"),
    "coarse": ("coarse:10:0.2", "10 receptive fields along each coordinate; radius as a share of the range (0.2)"),
    "fourier": (
        "fourier:3",
        "cosines of up to 3 half waves along each coordinate; fourier:3:scaled has the step sizes of Konidaris et al.",
    ),
    "hashed": ("hashed:8x8:4096", "8 tilings of 8 tiles along each coordinate, in a table of 4096"),
    "one-hot": ("one-hot", "one feature for each of finitely many observations"),
    "poly": ("poly:3", "products of powers of up to 3 of each coordinate"),
    "rbf": ("rbf:5:0.2", "5 Gaussian bumps along each coordinate; width as a share of the range; rbf:5:0.2:normalised sum to 1"),
    "table": ("table:vectors.safetensors", "the vectors of a file, one for each observation: rlcourse pretrain --kind skip-gram makes it"),
    "tiles": (
        "tiles:8x8",
        "8 tilings of 8 tiles along each coordinate; tiles:8x10,5w has 10 and 5, and the second coordinate wraps around",
    ),
    "vector": ("vector", "a constant 1 and the observation as it is"),
}
PRACTICAL = 1e30  # bounds beyond it are those of a number format


def names() -> dict[str, str]:
    """Return the names that `make` knows, each with an example and what that makes."""
    return {name: f"{example}: {meaning}" for name, (example, meaning) in NAMES.items()}


@checked
def make(text: str, space: gym.Space[Any]) -> Any:
    """Make features by name.

    Parameters
    ----------
    text : str
        One of `names`, with numbers after colons and ranges after an ``@``, such as ``tiles:8x8@-1.2:0.6,-0.07:0.07``; several are stacked
        by a plus: ``bias+tiles:8x8``.
    space : gymnasium.Space
        Of the observations.

    Returns
    -------
    named tuple
        See `rlcourse.features`.

    Raises
    ------
    ValueError
        For an unknown name, or one that does not suit the space.
    """
    if not spaces.is_finite(space) and not (isinstance(space, gym.spaces.Box) and len(space.shape) <= 1):
        raise ValueError(f"features: linear agents take finite observations or vectors, not {space}; wrap the environment")
    try:
        return stack(*(_part(part.strip(), space) for part in re.split(r"\+(?=\s*[a-z])", text)))
    except ValueError as error:
        raise ValueError(str(error) if str(error).startswith("features") else f"features {text!r}: {error}") from error


def _part(text: str, space: gym.Space[Any]) -> Any:
    """Make the features of one part of a text."""
    head, at, ranges = text.partition("@")
    name, *arguments = head.split(":")
    if name not in NAMES:
        raise ValueError(f"features: unknown {name!r}{did_you_mean(name, list(NAMES))}")
    finite = spaces.is_finite(space)
    if name == "auto":
        k = 1 if finite else int(np.prod(space.shape or (1,)))
        if arguments or at:
            raise ValueError("'auto' takes no numbers and no ranges")
        bounded = finite or ",".join("" if bound else "~" for bound in _bounded(space))
        return _part("one-hot" if finite else f"tiles:8x8@{bounded}" if k <= 4 else "vector", space)
    if name in ("one-hot", "bias", "vector"):
        if arguments or at:
            raise ValueError(f"{name!r} takes no numbers and no ranges")
        if name == "one-hot" and not finite:
            raise ValueError(f"'one-hot' needs finite observations, not {space}; take tiles:8x8")
        k = 1 if finite else int(np.prod(space.shape or (1,)))
        return OneHot(spaces.size(space)) if name == "one-hot" else Bias() if name == "bias" else Vector(k)
    if name == "table":
        if not arguments or not finite:
            raise ValueError(f"'table' needs a file and finite observations, such as {NAMES[name][0]}, not {space}")
        try:
            return TableFeatures.of(WordVectors.load(text.partition(":")[2]).vectors)
        except OSError as error:
            raise ValueError(str(error)) from error
    if name == "aggregate" and finite and not at:
        return Aggregation.of(spaces.size(space), _numbers("aggregate", arguments, 1, ("10",))[0])
    low, high, scale = _ranges(text, at, ranges, space)
    made = MAKERS[name](arguments, low, high)
    return Squashed.of(made, scale) if scale.any() else made


def _bounded(space: Any) -> np.ndarray:
    """Return which coordinates of a Box have bounds that somebody thought of."""
    low, high = np.ravel(space.low).astype(float), np.ravel(space.high).astype(float)
    return np.asarray((np.abs(low) < PRACTICAL) & (np.abs(high) < PRACTICAL))


def _ranges(text: str, at: str, ranges: str, space: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return ends and scales of all coordinates, [k] each; scale 0 is not squashed."""
    if spaces.is_finite(space):
        n = spaces.size(space)
        low, high, bounded = np.zeros(1), np.array([n - 1.0]), np.array([n > 1])
    else:
        low, high, bounded = np.ravel(space.low).astype(float), np.ravel(space.high).astype(float), _bounded(space)
    k, scale = len(low), np.zeros(len(low))
    given = ranges.split(",") if at else [""] * k
    if len(given) != k:
        raise ValueError(f"{len(given)} ranges after '@', and {space} has {k} coordinates (leave one empty for its own bounds)")
    for i, one in enumerate(part.strip() for part in given):
        if one.startswith("~"):
            scale[i], low[i], high[i] = _number(one[1:] or "1", "~1"), -1.0, 1.0
            if not scale[i] > 0:
                raise ValueError(f"the scale in {one!r} must be positive")
        elif one:
            ends = one.split(":")
            if len(ends) != 2:
                raise ValueError(f"a range is written low:high, such as -2.4:2.4, not {one!r}")
            low[i], high[i] = (_number(end, "-2.4:2.4") for end in ends)
        elif not bounded[i]:
            example = text.partition("@")[0] + "@" + ",".join("" if bound else "-3:3" for bound in bounded)
            raise ValueError(f"coordinate {i} of {space} has no bounds: give ranges, such as {example}, or ~ to squash it by arctan")
    return low, high, scale


def _number(text: str, example: str) -> float:
    """Return a number that is written in a text."""
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number; write it like {example}") from None
    if not np.isfinite(value):
        raise ValueError(f"{text!r} is no finite number; write it like {example}")
    return value


def _numbers(name: str, arguments: list[str], most: int, defaults: tuple[str, ...]) -> list[Any]:
    """Return an argument of whole numbers for each coordinate, then arguments that are numbers, with defaults for those left out."""
    if len(arguments) > most:
        raise ValueError(f"{name!r} takes at most {most} of {':'.join(arguments)!r}; write it like {NAMES[name][0]}")
    texts = [*arguments, *defaults[len(arguments) :]]
    try:
        whole = [int(part) for part in texts[0].split(",")]
    except ValueError:
        raise ValueError(f"{texts[0]!r} is no whole number; write it like {NAMES[name][0]}") from None
    return [whole[0] if len(whole) == 1 else whole, *(_number(part, NAMES[name][0]) for part in texts[1:])]


def _grids(name: str, text: str) -> tuple[Any, int, Any]:
    """Read tilings x tiles: 8x8, 8x10,5w."""
    found = re.fullmatch(r"(\d+)x(\d+w?(?:,\d+w?)*)", text)
    if not found:
        raise ValueError(f"{text!r} is not tilings x tiles; write it like {NAMES[name][0]}")
    parts = found[2].split(",")
    tiles, wrap = [int(part.rstrip("w")) for part in parts], [part.endswith("w") for part in parts]
    return (tiles, int(found[1]), wrap) if len(parts) > 1 else (tiles[0], int(found[1]), wrap[0])


def _aggregate(arguments: list[str], low: np.ndarray, high: np.ndarray) -> Aggregation:
    return Aggregation.box(low, high, _numbers("aggregate", arguments, 1, ("10",))[0])


def _coarse(arguments: list[str], low: np.ndarray, high: np.ndarray) -> CoarseCoding:
    counts, radius = _numbers("coarse", arguments, 2, ("10", "0.2"))
    return CoarseCoding.of(grid(low, high, counts), radius * (high - low))


def _fourier(arguments: list[str], low: np.ndarray, high: np.ndarray) -> Fourier:
    scaled = arguments[-1:] == ["scaled"]
    return Fourier.of(low, high, _numbers("fourier", arguments[:-1] if scaled else arguments, 1, ("3",))[0], scaled=scaled)


def _hashed(arguments: list[str], low: np.ndarray, high: np.ndarray) -> Any:
    if len(arguments) > 2:
        raise ValueError(f"'hashed' takes two arguments, not {':'.join(arguments)!r}; write it like {NAMES['hashed'][0]}")
    tiles, tilings, wrap = _grids("hashed", arguments[0] if arguments else "8x8")
    size = _numbers("hashed", arguments[1:], 1, ("4096",))[0]
    return HashedTiles.of(low, high, tiles, tilings, size, wrap)


def _poly(arguments: list[str], low: np.ndarray, high: np.ndarray) -> Polynomial:
    return Polynomial.of(low, high, _numbers("poly", arguments, 1, ("3",))[0])


def _rbf(arguments: list[str], low: np.ndarray, high: np.ndarray) -> RadialBasis:
    normalised = arguments[-1:] == ["normalised"]
    counts, sigma = _numbers("rbf", arguments[:-1] if normalised else arguments, 2, ("5", "0.2"))
    return RadialBasis.of(grid(low, high, counts), sigma * (high - low), normalised)


def _tiles(arguments: list[str], low: np.ndarray, high: np.ndarray) -> Tiles:
    if len(arguments) > 1:
        raise ValueError(f"'tiles' takes one argument, not {':'.join(arguments)!r}; write it like {NAMES['tiles'][0]}")
    tiles, tilings, wrap = _grids("tiles", arguments[0] if arguments else "8x8")
    return Tiles.of(low, high, tiles, tilings, wrap=wrap)


MAKERS: dict[str, Callable[[list[str], np.ndarray, np.ndarray], Any]] = {
    "aggregate": _aggregate,
    "coarse": _coarse,
    "fourier": _fourier,
    "hashed": _hashed,
    "poly": _poly,
    "rbf": _rbf,
    "tiles": _tiles,
}
