"""Worlds that speak: their observations hold text, as tokens for compiled code and as words for people.

A token is a number: 0 is padding, at the end of a text; 1 is an unknown word; 2, 3, ... are the words of the vocabulary in order.
"""

from __future__ import annotations

from typing import Any, Protocol, Self

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rlcourse.core.gymworld import as_env
from rlcourse.core.packing import parts
from rlcourse.core.world import World, WorldEnv

__all__ = ["UNKNOWN", "SpokenEnv", "SpokenWorld", "holds_tokens", "names_in", "words_of"]

UNKNOWN = "<unknown>"  # what token 1 is called
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


def holds_tokens(space: gym.Space[Any]) -> bool:
    """Whether a space is text, or several numbers of equal counts from 0."""
    if not isinstance(space, spaces.MultiDiscrete):
        return isinstance(space, spaces.Text)
    return bool(space.nvec.ndim == 1 and len(space.nvec) > 1 and len(np.unique(space.nvec)) == 1 and not space.start.any())


def names_in(env: Any, space: Any) -> list[str] | None:
    """Return what the tokens of a part of the observations are called; None where nobody says.

    They are the characters of a Text, in a MultiDiscrete the words of the outermost wrapper or world with a vocabulary of that many.
    """
    if isinstance(space, spaces.Text):
        return ["", *space.characters, UNKNOWN]
    inner = env
    while inner is not None:
        for owner in (inner, getattr(inner, "world", None)):
            vocabulary = getattr(owner, "vocabulary", None)
            if vocabulary is not None and len(vocabulary) + FIRST == space.nvec[0]:
                return ["", UNKNOWN, *vocabulary]
        inner = inner.env if isinstance(inner, gym.Wrapper) else None
    return None


def words_of(env: Any) -> list[list[str]]:
    """Return what an environment, or a vector of them, calls the tokens of each part of its observations, of those where that is known."""
    try:
        single = as_env(env)
    except ValueError:  # a vector environment that keeps its copies elsewhere
        return []
    space = getattr(single.observation_space, "original", single.observation_space)
    found = [names_in(single, part.space) for part in parts(space) if holds_tokens(part.space)]
    return [names for names in found if names is not None]
