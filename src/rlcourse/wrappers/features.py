"""`FeatureObservation`: a vector of features in the place of observations, so that any agent learns over tiles or cosines.

A deep agent without a hidden layer is then a linear method over these features; one with hidden layers begins where a linear method ends.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core import spaces
from rlcourse.core.arguments import checked
from rlcourse.core.box import typed_kernel
from rlcourse.core.rows import fill
from rlcourse.core.world import World
from rlcourse.features import Dense, TableFeatures, make
from rlcourse.features.parts import check, copied, reading

__all__ = ["FeatureObservation", "Featured", "featured"]


class Featured(NamedTuple):
    """A world that shows features of its observations; states, rewards and dynamics are those of the world inside.

    Attributes
    ----------
    world : World
    features : named tuple
        Features that are vectors.
    bounds : tuple of float
        The least and the greatest number in a vector.
    """

    world: Any
    features: Any
    bounds: tuple[float, float]

    @property
    def observation_space(self) -> gym.spaces.Box:
        """Vectors of all features."""
        return _space(self.features, self.bounds)

    @property
    def action_space(self) -> gym.Space[Any]:
        """That of the world inside."""
        return self.world.action_space

    def reset(self, rng):
        """Begin an episode."""
        return self.world.reset(rng)

    def step(self, state, action, rng):
        """Take an action."""
        return self.world.step(state, action, rng)

    def observe(self, state):
        """Return the features of what the world inside shows: an array."""
        shown = np.empty(self.features.n)
        self.paint(state, shown)
        return shown

    def paint(self, state, seen):
        """Write the features; what they are made of is allocated."""
        fill(seen, self.features.x(rounded(self.world.observe(state))))


def rounded(seen):
    """Return an observation in single precision, as environments show it, so that a state at the edge of a tile is in the same one."""
    return np.asarray(seen, np.float32) if np.ndim(seen) else seen


@typed_kernel(rounded)
def _rounded(seen):
    if not (hasattr(seen, "count") or hasattr(seen, "ndim")):  # an integer
        return lambda seen: seen

    def single(seen):
        numbers = np.empty(len(seen), np.float32)
        for i in range(len(seen)):
            numbers[i] = seen[i]
        return numbers

    return single


@checked
def featured(world: World, features: Any) -> Featured:
    """Return a world that shows features; see `FeatureObservation`."""
    return Featured(world, *_vectors(features, world.observation_space))


class FeatureObservation(gym.ObservationWrapper[Any, Any, Any], gym.utils.RecordConstructorArgs):
    """Show features instead of observations, a vector of float32.

    Parameters
    ----------
    env : Env
        Observations are finite, or vectors.
    features : str, features, or ndarray
        A name for `rlcourse.features.make`, features themselves, or a table of them for `TableFeatures.of`.
    """

    @checked
    def __init__(self, env: gym.Env[Any, Any], features: Any = "auto") -> None:
        gym.utils.RecordConstructorArgs.__init__(self, features=features)
        gym.ObservationWrapper.__init__(self, env)
        self.features, self._bounds = _vectors(features, env.observation_space)
        self.observation_space = _space(self.features, self._bounds)

    def observation(self, observation: Any) -> np.ndarray:
        """Return the features of an observation, float32 [size]."""
        space = self.env.observation_space
        x = self.features.x(spaces.ravel(space, observation) if spaces.is_finite(space) else rounded(observation))
        return np.asarray(x, dtype=np.float32)

    def around(self, world: Any) -> Featured:
        """Return this wrapper around a world."""
        return Featured(world, self.features, self._bounds)


def _space(features: Any, bounds: tuple[float, float]) -> gym.spaces.Box:
    """Return the space of vectors of features."""
    return gym.spaces.Box(bounds[0], bounds[1], (features.size,), np.float32)


def _vectors(features: Any, space: gym.Space[Any]) -> tuple[Any, tuple[float, float]]:
    """Return features that are vectors, and bounds of their numbers: 0 and 1 of binary ones."""
    rows = TableFeatures.of(features) if isinstance(features, np.ndarray | list) else features
    given = make(rows, space) if isinstance(rows, str) else copied(rows)
    if _numbers_tiles(given):
        raise ValueError(
            "FeatureObservation needs features that stay the same, and hashed tiles are numbered as they are met, in each copy in another "
            "order; take tiles, or features._replace(read_only=True) when the table is complete"
        )
    x = check(given, space)
    if x.ndim != 1:
        raise ValueError("FeatureObservation needs features of states, and these are of pairs of states and actions")
    return Dense.of(given), (0.0, 1.0) if x.dtype == np.int64 and reading(given) is given else (-np.inf, np.inf)


def _numbers_tiles(features: Any) -> bool:
    """Whether some part of features enters what it meets into a table."""
    parts = features._asdict() if hasattr(features, "_asdict") else {}
    return parts.get("read_only") is False or any(_numbers_tiles(part) for part in parts.values())
