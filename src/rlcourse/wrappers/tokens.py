"""`TextTokens`: text as numbers of a fixed length, one for each word or character, as embeddings and recurrent encoders take them.

0 is padding, at the end; 1 is whatever the vocabulary does not know; 2, 3, ... are its entries in order.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rlcourse.core.arguments import checked
from rlcourse.core.config import Count, Natural, whole
from rlcourse.core.gymworld import peel
from rlcourse.core.spaces import short
from rlcourse.core.spoken import SpokenEnv, SpokenWorld

__all__ = ["TextTokens", "vocabulary_of"]

PADDING, UNKNOWN, FIRST = 0, 1, 2
SIGNS = {"words": "<unknown>", "characters": "\N{REPLACEMENT CHARACTER}"}  # what an unknown token is decoded to


def split(text: str, unit: str) -> list[str]:
    """Return the words of a text in small letters, each punctuation mark a word of its own; or its characters as they are."""
    if unit not in SIGNS:
        raise ValueError(f"unit must be 'words' or 'characters', not {unit!r}")
    return re.findall(r"\w+|[^\w\s]", text.lower()) if unit == "words" else list(text)


@checked
def vocabulary_of(corpus: Iterable[str], unit: str = "words", min_count: Natural = 1) -> tuple[str, ...]:
    """Return what occurs in texts at least so many times: the most frequent first, equals in the order of the alphabet.

    Parameters
    ----------
    corpus : iterable of str
    unit : {"words", "characters"}
    min_count : int
    """
    if isinstance(corpus, str):
        raise ValueError("corpus must be several texts, not one: pass [text]")
    corpus = list(corpus)
    if not all(isinstance(text, str) for text in corpus):
        raise ValueError("corpus must be texts")
    counts = Counter(token for text in corpus for token in split(text, unit))
    kept = [token for token, count in counts.items() if count >= min_count]
    if not kept:
        raise ValueError(f"corpus has no {unit} that occur at least {min_count} times; lower min_count")
    return tuple(sorted(kept, key=lambda token: (-counts[token], token)))


class TextTokens(gym.ObservationWrapper[Any, Any, Any], gym.utils.RecordConstructorArgs):
    """Turn text observations, or the texts in a Dict of observations, into tokens.

    Parameters
    ----------
    env : Env
        Observations are Text, or a Dict with Text parts; its other parts stay as they are.
    vocabulary : sequence of str
        The words or characters that have a number of their own; `vocabulary_of` makes one from a corpus.
    length : int
        Tokens of an observation: what is longer is cut, what is shorter is padded.
    unit : {"words", "characters"}
        What a token stands for.
    """

    @checked
    def __init__(self, env: gym.Env[Any, Any], vocabulary: Sequence[str], length: Count, unit: str = "words") -> None:
        gym.utils.RecordConstructorArgs.__init__(self, vocabulary=vocabulary, length=length, unit=unit)
        gym.ObservationWrapper.__init__(self, env)
        if isinstance(vocabulary, str) or not len(vocabulary) or len(set(vocabulary)) < len(vocabulary):
            raise ValueError("vocabulary must be a sequence of different words or characters; vocabulary_of(corpus) makes one")
        strange = [token for token in vocabulary if not isinstance(token, str) or split(token, unit) != [token]]
        if strange:
            raise ValueError(f"vocabulary must hold single {unit}{', in small letters' * (unit == 'words')}, not {strange[0]!r}")
        self.vocabulary, self.length, self.unit = tuple(vocabulary), whole("length", length, 1), unit
        self._numbers = {token: i for i, token in enumerate(self.vocabulary, start=FIRST)}
        self.observation_space = self._space(env.observation_space)

    def _space(self, space: gym.Space[Any]) -> gym.Space[Any]:
        tokens = spaces.MultiDiscrete(np.full(self.length, len(self.vocabulary) + FIRST))
        if isinstance(space, spaces.Text):
            return tokens
        if isinstance(space, spaces.Dict) and any(isinstance(part, spaces.Text) for part in space.values()):
            return spaces.Dict({key: tokens if isinstance(part, spaces.Text) else part for key, part in space.items()})
        raise ValueError(f"TextTokens needs observations of Text, or a Dict with a Text in it, not {short(space)}")

    def observation(self, observation: Any) -> Any:
        """Return an observation with tokens in the place of text."""
        inside = self.env.observation_space
        if isinstance(inside, spaces.Dict):
            return {key: self.encode(part) if isinstance(inside[key], spaces.Text) else part for key, part in observation.items()}
        return self.encode(observation)

    def encode(self, text: str) -> np.ndarray:
        """Return the tokens of a text, int64 [length]."""
        tokens = np.full(self.length, PADDING, np.int64)
        known = [self._numbers.get(token, UNKNOWN) for token in split(text, self.unit)[: self.length]]
        tokens[: len(known)] = known
        return tokens

    def within(self) -> tuple[Any, int | None]:
        """Return the world that speaks the text in tokens, and its time limit; None where there is none, or letters are wanted."""
        inner, limit = peel(self.env)
        return (inner.world, limit) if type(inner) is SpokenEnv and self.unit == "words" else (None, None)

    def around(self, world: SpokenWorld) -> Any:
        """Return a world that speaks in the tokens of this vocabulary."""
        table = [PADDING, UNKNOWN, *(self._numbers.get(word, UNKNOWN) for word in world.vocabulary)]
        return world.numbered(np.array(table), self.length, len(self.vocabulary) + FIRST)

    def decode(self, tokens: Any) -> str:
        """Return the text of tokens: words with spaces between them, or characters; what was unknown has a sign in its place."""
        names = ("", SIGNS[self.unit], *self.vocabulary)
        return (" " if self.unit == "words" else "").join(names[int(token)] for token in tokens if token != PADDING)
