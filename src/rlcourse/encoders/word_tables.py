"""Word vectors in the tables of an encoder: learned embeddings that begin where skip-gram has ended.

Only vectors of tokens that were learned are taken; of the others, and of padding, a table keeps what it began with.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from rlcourse.encoders.embedding import Embedding

__all__ = ["fill_tables"]


def fill_tables(encoder: nn.Module, vectors: np.ndarray, path: Any) -> bool:
    """Give the tables of an encoder the vectors [N, d] of a file; return whether nothing else in it is to be learned.

    A table fits that has d columns and a row for each token, or, as `Embedding` has of observations of several parts, a row for each token
    in each place.

    Raises
    ------
    ValueError
        Where no table fits.
    """
    N, d = vectors.shape
    places = [part.table for part in encoder.modules() if isinstance(part, Embedding)]
    tables: list[Any] = [*places, *(part for part in encoder.modules() if isinstance(part, nn.Embedding))]
    fitting = [table for table in places if len(table.weight) % N == 0] + [table for table in tables if len(table.weight) == N]
    fitting = [table for table in dict.fromkeys(fitting) if table.weight.shape[1] == d]
    if not fitting:
        shapes = ", ".join(f"{rows} of {columns}" for rows, columns in (tuple(table.weight.shape) for table in tables)) or "none"
        raise ValueError(f"{path} holds {N} word vectors of {d} numbers, and no table of the encoder is so; it has {shapes}")
    learned = torch.from_numpy(vectors.any(axis=1))
    with torch.no_grad():
        for table in fitting:
            weight = table.weight.view(-1, N, d)
            weight[:, learned] = torch.from_numpy(vectors[vectors.any(axis=1)]).to(weight.dtype)
    return {id(parameter) for parameter in encoder.parameters()} == {id(table.weight) for table in fitting}
