"""Worlds that speak: their observations hold text, as tokens for compiled code and as words for people.

A token is a number: 0 is padding, at the end of a text; 1 is an unknown word; 2, 3, ... are the words of the vocabulary in order.
"""

from __future__ import annotations

from typing import Any, Protocol, Self

import numpy as np
from gymnasium import spaces

from rlcourse.core.world import World, WorldEnv

__all__ = ["SpokenEnv", "SpokenWorld"]

FIRST = 2  # number of the vocabulary's first word


class SpokenWorld(World, Protocol):
    """A world whose observations, a packed Dict, have tokens in the part "mission"."""

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The words of the world as it is made, in the order of their tokens."""

    @property
    def longest(self) -> int:
        """Characters of its longest text, at most."""

    def numbered(self, table: np.ndarray[Any, Any], length: int, tokens: int) -> Self:
        """Return the world with other tokens.

        Parameters
        ----------
        table : ndarray of int64
            New token of each present one.
        length : int
            Tokens of an observation: what is longer is cut, what is shorter is padded.
        tokens : int
            How many tokens there are, padding and unknown among them.
        """


class SpokenEnv(WorldEnv):
    """A world that speaks as a Gymnasium environment whose part "mission" is Text; parameters as `WorldEnv`.

    `rlcourse.wrappers.TextTokens` makes tokens of the text again, and agents then find the world that speaks in these tokens itself.
    """

    def __init__(self, world: SpokenWorld, render_mode: str | None = None, **drawn: Any) -> None:
        super().__init__(world, render_mode, **drawn)
        self._words = ("", "", *world.vocabulary)
        letters = "".join(sorted(set("".join(self._words)) | {" "}))
        parts = dict(self.observation_space.items())  # type: ignore[attr-defined]
        self.observation_space = spaces.Dict(parts | {"mission": spaces.Text(world.longest, charset=letters)})

    def _observation(self) -> Any:
        seen = super()._observation()
        return seen | {"mission": " ".join(self._words[token] for token in seen["mission"] if token)}
