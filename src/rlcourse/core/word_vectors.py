"""`WordVectors`: vectors of tokens, which of them lie in the same direction, and their file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rlcourse.core import files
from rlcourse.core.arguments import numbers
from rlcourse.core.config import did_you_mean
from rlcourse.core.fits import Misfit, fitting, of_file, shaped

__all__ = ["WordVectors"]


@dataclass(frozen=True)
class WordVectors:
    """What skip-gram has learned.

    Attributes
    ----------
    vectors : ndarray, shape [N, d]
        The input vectors: the ones to use. Rows of tokens that were never learned from are zero.
    outputs : ndarray, shape [N, d]
        The output vectors, by which neighbours are predicted.
    counts : ndarray of int, shape [N]
        How often each token occurs.
    names : tuple of str or None
        What the tokens are called; None where they are numbers, such as the states of a world.
    settings : mapping
        How they were learned.
    """

    vectors: np.ndarray
    outputs: np.ndarray
    counts: np.ndarray
    names: tuple[str, ...] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError where arrays do not fit each other, or a name is not that of one vector."""
        shape = numbers("vectors", self.vectors, ("N", "d")).shape
        if numbers("outputs", self.outputs, ("N", "d")).shape != shape or numbers("counts", self.counts, ("N",)).shape != shape[:1]:
            raise ValueError("vectors, outputs and counts must have shapes [N, d], [N, d] and [N]")
        if not isinstance(self.settings, Mapping):
            raise ValueError(f"settings must be a mapping, not {self.settings!r:.60}")
        if not (self.names is None or (isinstance(self.names, tuple | list) and all(isinstance(name, str) for name in self.names))):
            raise ValueError(f"names must be texts, not {self.names!r:.60}")
        names = self.names or ()
        if self.names is not None and len(names) != len(self.vectors):
            raise ValueError(f"names must be as many as the vectors, {len(self.vectors)}, not {len(names)}")
        if len(set(names)) < len(names):
            twice = next(name for i, name in enumerate(names) if name in names[:i])
            raise ValueError(f"names must differ: {twice!r} is there twice")

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.vectors)

    def row(self, token: str | int) -> int:
        """Return the row of a token, by its name or its number."""
        if isinstance(token, str):
            names = self.names or ()
            if token not in names:
                raise ValueError(f"token {token!r} has no vector{did_you_mean(token, names) if names else ': tokens have numbers here'}")
            return names.index(token)
        if not 0 <= token < len(self):
            raise ValueError(f"token must be a number in 0..{len(self) - 1}, not {token}")
        return int(token)

    def __getitem__(self, token: str | int) -> np.ndarray:
        """Return the vector of a token, shape [d]."""
        vector: np.ndarray = self.vectors[self.row(token)]
        return vector

    def most_similar(self, token: str | int | np.ndarray, n: int = 10) -> list[tuple[str | int, float]]:
        """Return the n tokens whose vectors lie in the most similar directions, and their cosines.

        Parameters
        ----------
        token : str, int, or ndarray of shape [d]
            A token, which is itself left out, or any vector.
        n : int
            Fewer are returned where fewer have been learned.

        Raises
        ------
        ValueError
            Where the token was never learned from, or the vector has another width or no direction.
        """
        itself = None if isinstance(token, np.ndarray) else self.row(token)
        vector = token if isinstance(token, np.ndarray) else self.vectors[itself]
        lengths = np.linalg.norm(self.vectors, axis=1)
        if itself is not None and lengths[itself] == 0:
            raise ValueError(f"token {token!r} has no vector: it was never learned from")
        if vector.shape != self.vectors.shape[1:] or not np.linalg.norm(vector) > 0:
            raise ValueError(
                f"token must be a vector of {self.vectors.shape[1]} numbers, not all of them 0, not one of shape {vector.shape}"
            )
        cosines = self.vectors @ vector / np.maximum(lengths * np.linalg.norm(vector), 1e-300)
        nearest = [int(i) for i in np.argsort(-cosines, kind="stable") if lengths[i] > 0 and i != itself][:n]
        return [(i if self.names is None else self.names[i], float(cosines[i])) for i in nearest]

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Save to one safetensors file (see `rlcourse.core.files`)."""
        arrays = {"vectors": self.vectors, "outputs": self.outputs, "counts": self.counts}
        return files.write(path, arrays, {"class": "WordVectors", "names": self.names, "settings": dict(self.settings)})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> WordVectors:
        """Load what `save` wrote.

        Raises
        ------
        ValueError
            Where the file holds something else, or is damaged.
        """
        arrays, metadata = files.read(path)
        if metadata.get("class") != "WordVectors":
            raise ValueError(
                f"{path} holds a {str(metadata.get('class'))[:100]}, not word vectors; `rlcourse pretrain --kind skip-gram` makes them"
            )
        with fitting(path, "WordVectors"):
            names, vectors, settings = (
                metadata["names"],
                shaped(arrays["vectors"], (None, None), np.float64, "vectors"),
                metadata["settings"],
            )
            outputs = shaped(arrays["outputs"], vectors.shape, np.float64, "outputs")
            counts = shaped(arrays["counts"], vectors.shape[:1], np.int64, "counts")
            if (
                not isinstance(settings, dict)
                or not isinstance(names, list | None)
                or not all(isinstance(name, str) for name in names or ())
            ):
                raise Misfit("its names are no words")
        with of_file(path):
            return cls(vectors, outputs, counts, None if names is None else tuple(names), settings)
