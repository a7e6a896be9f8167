"""Features for linear methods: what an agent with linear values sees of a state, as data (Sec. 9.5).

>>> from rlcourse.features import Fourier, OneHot, Tiles

Features are a named tuple of numbers and arrays with a method ``x(state)`` and properties ``size``, their number, and
``coordinates``, how many numbers of a state they read. A state is an integer, or a tuple or an array of floats. What ``x`` returns is
explained in `rlcourse.core.linear`: floats [size] are the vector x(s); int64 [k] are the indices of active binary features, -1 for none;
with one more axis in front, one row per action, they are x(s, a). `make` builds features by name for a space.

Importing this package imports none of them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rlcourse.features.aggregation import Aggregation
    from rlcourse.features.boxes import Boxes
    from rlcourse.features.coarse import CoarseCoding
    from rlcourse.features.combined import Bias, Dense, Stacked, stack
    from rlcourse.features.fourier import Fourier
    from rlcourse.features.hashed import HashedPairTiles, HashedTiles
    from rlcourse.features.one_hot import OneHot, TableFeatures
    from rlcourse.features.polynomial import Polynomial
    from rlcourse.features.radial import RadialBasis
    from rlcourse.features.ranges import grid
    from rlcourse.features.squashed import Squashed
    from rlcourse.features.state_vectors import proto_value_functions, state2vec, successor_vectors
    from rlcourse.features.stimuli import complete_serial_compound, microstimuli, presence
    from rlcourse.features.stripes import Stripes
    from rlcourse.features.tiles import Tiles
    from rlcourse.features.vector import Vector

__all__ = [
    "Aggregation",
    "Bias",
    "Boxes",
    "CoarseCoding",
    "Dense",
    "Fourier",
    "HashedPairTiles",
    "HashedTiles",
    "OneHot",
    "Polynomial",
    "RadialBasis",
    "Squashed",
    "Stacked",
    "Stripes",
    "TableFeatures",
    "Tiles",
    "Vector",
    "complete_serial_compound",
    "grid",
    "make",
    "microstimuli",
    "names",
    "presence",
    "proto_value_functions",
    "stack",
    "state2vec",
    "successor_vectors",
]

MODULES = {  # class: the file that holds it
    "Aggregation": "rlcourse.features.aggregation",
    "Bias": "rlcourse.features.combined",
    "Boxes": "rlcourse.features.boxes",
    "CoarseCoding": "rlcourse.features.coarse",
    "Dense": "rlcourse.features.combined",
    "Fourier": "rlcourse.features.fourier",
    "HashedPairTiles": "rlcourse.features.hashed",
    "HashedTiles": "rlcourse.features.hashed",
    "OneHot": "rlcourse.features.one_hot",
    "Polynomial": "rlcourse.features.polynomial",
    "RadialBasis": "rlcourse.features.radial",
    "Squashed": "rlcourse.features.squashed",
    "Stacked": "rlcourse.features.combined",
    "Stripes": "rlcourse.features.stripes",
    "TableFeatures": "rlcourse.features.one_hot",
    "Tiles": "rlcourse.features.tiles",
    "Vector": "rlcourse.features.vector",
}
FUNCTIONS = {
    "complete_serial_compound": "rlcourse.features.stimuli",
    "grid": "rlcourse.features.ranges",
    "microstimuli": "rlcourse.features.stimuli",
    "presence": "rlcourse.features.stimuli",
    "proto_value_functions": "rlcourse.features.state_vectors",
    "stack": "rlcourse.features.combined",
    "state2vec": "rlcourse.features.state_vectors",
    "successor_vectors": "rlcourse.features.state_vectors",
}


def make(text: str, space: Any) -> Any:
    """Make features by name for an observation space; see `rlcourse.features.naming.make`."""
    from rlcourse.features.naming import make as make_

    return make_(text, space)


def names() -> dict[str, str]:
    """Return the names that `make` knows, each with an example and what that makes."""
    from rlcourse.features.naming import names as names_

    return names_()


def __getattr__(name: str) -> Any:
    where = MODULES.get(name) or FUNCTIONS.get(name)
    if where is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(where), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
