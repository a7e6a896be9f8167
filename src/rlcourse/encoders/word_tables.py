"""Word vectors in the tables of an encoder: learned embeddings that begin where skip-gram has ended.

Only vectors of tokens that were learned are taken; of the others, and of padding, a table keeps what it began with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from rlcourse.encoders.embedding import Embedding

__all__ = ["fill_tables"]


def fill_tables(
    encoder: nn.Module, vectors: np.ndarray, path: Any, names: Sequence[str] | None = None, words: Iterable[Sequence[str]] = ()
) -> bool:
    """Give the tables of an encoder the vectors [N, d] of a file; return whether nothing else in it is to be learned.

    A table fits that has d columns and a row for each token, or, as `Embedding` has of observations of several parts, a row for each token
    in each place. Names are what the file calls its tokens, words what the environment calls those of each text, where that is known.

    Raises
    ------
    ValueError
        Where no table fits, or the tokens are other words.
    """
    N, d = vectors.shape
    _check_words(path, names, [tuple(each) for each in words if len(each) == N])
    tables: dict[Any, tuple[int, ...]] = {part.table: part.sizes for part in encoder.modules() if isinstance(part, Embedding)}
    tables |= {part: (part.num_embeddings,) for part in encoder.modules() if isinstance(part, nn.Embedding)}
    fitting = [table for table, sizes in tables.items() if set(sizes) == {N} and table.weight.shape[1] == d]
    if not fitting:
        has = [(*table.weight.shape, " in unequal parts" * (len(set(sizes)) > 1)) for table, sizes in tables.items()]
        shapes = ", ".join(f"{rows} of {columns}{parts}" for rows, columns, parts in has) or "none"
        raise ValueError(f"{path} holds {N} word vectors of {d} numbers, and no table of the encoder is so; it has {shapes}")
    learned = torch.from_numpy(vectors.any(axis=1))
    with torch.no_grad():
        for table in fitting:
            weight = table.weight.view(-1, N, d)
            weight[:, learned] = torch.from_numpy(vectors[vectors.any(axis=1)]).to(weight.dtype)
    return {id(parameter) for parameter in encoder.parameters()} == {id(table.weight) for table in fitting}


def _check_words(path: Any, names: Sequence[str] | None, known: list[tuple[str, ...]]) -> None:
    """Raise ValueError where texts are known whose tokens are as many as the names, but none has these."""
    if names is None or not known or tuple(names) in known:
        return
    differ = [i for i, (theirs, ours) in enumerate(zip(names, known[0], strict=True)) if theirs != ours]
    raise ValueError(
        f"{path} holds vectors of other words: {len(differ)} of {len(names)} tokens differ, the first is {names[differ[0]]!r} there and "
        f"{known[0][differ[0]]!r} in this environment; learn vectors of its own words with rlcourse pretrain ... --kind skip-gram"
    )
