"""One of each kind of features, over two coordinates: the first in [-1, 1], the second in [0, 3]."""

import numpy as np

from rlcourse.features import (
    Aggregation,
    Bias,
    Boxes,
    CoarseCoding,
    Dense,
    Fourier,
    HashedTiles,
    Polynomial,
    RadialBasis,
    Squashed,
    Stripes,
    Tiles,
    Vector,
    grid,
    stack,
)

LOW, HIGH = [-1.0, 0.0], [1.0, 3.0]
POINTS = grid(LOW, HIGH, (5, 4))

KINDS = {
    "aggregation": Aggregation.box(LOW, HIGH, (4, 5)),
    "bias": Bias(),
    "boxes": Boxes.of([(-0.5, 0.0, 0.1), (1.0, 2.5)]),
    "coarse": CoarseCoding.of(POINTS, (0.6, 1.1)),
    "dense": Dense.of(Tiles.of(LOW, HIGH, 3, 4)),
    "dense vectors": Dense.of(Fourier.of(LOW, HIGH, 2)),
    "fourier": Fourier.of(LOW, HIGH, 3),
    "fourier scaled": Fourier.of(LOW, HIGH, c=[(0, 0), (0, 5), (2, 5)], scaled=True),
    "hashed": HashedTiles.of(LOW, HIGH, 3, 4, 500),
    "polynomial": Polynomial.of(LOW, HIGH, 3),
    "radial": RadialBasis.of(POINTS, (0.5, 1.0)),
    "radial normalised": RadialBasis.of(POINTS, 0.1, normalised=True),
    "squashed": Squashed.of(Tiles.of([-1.0, -1.0], [1.0, 1.0], 3, 4), (0.0, 2.0)),
    "stacked": stack(Bias(), Tiles.of(LOW, HIGH, 3, 4), CoarseCoding.of(POINTS, 0.4)),
    "stacked vectors": stack(Bias(), Aggregation.box(LOW, HIGH, 2), Fourier.of(LOW, HIGH, 2)),
    "stripes": Stripes.of([(1, 0), (1, -1), (0, 1)], [(-0.5, 0.5), (0, 1, 2), (0.3, 0.9, 2.7)]),
    "tiles": Tiles.of(LOW, HIGH, (3, 5), 8),
    "vector": Vector(2),
}


def states(n=200, seed=0):
    """Random states, a few of them outside of the range."""
    return np.random.default_rng(seed).uniform([-1.3, -0.5], [1.3, 3.5], (n, 2))
