"""`Attention`: a query looks for what it needs among the elements of a sequence (Luong, Pham & Manning 2015, Section 3.1).

Every element s of the source is scored against the query h; a softmax of the scores says how much of it goes into the context c:

    dot     h . s                   general  h . W s                   concat   v . tanh(W [h; s])
    a = softmax(score(h, s)),       c = sum a s,       h~ = tanh(W_c [c; h])   (Eqs. 5, 7 and 8)
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

__all__ = ["Attention", "Score"]

Score = Literal["dot", "general", "concat"]


class Attention(nn.Module):
    """Global attention over a padded source.

    Parameters
    ----------
    query, source : int
        Widths of a query and of an element of the source; of "dot" they are equal.
    score : {"dot", "general", "concat"}
    combine : bool
        Whether there is a W_c, for `attend`.

    Attributes
    ----------
    features_dim : int
        Width of `attend`'s output: that of a query.
    """

    def __init__(self, query: int, source: int, score: Score = "general", combine: bool = True) -> None:
        super().__init__()
        if score not in get_args(Score):
            raise ValueError(f"score must be 'dot', 'general' or 'concat', not {score!r}")
        if score == "dot" and query != source:
            raise ValueError(f"score 'dot' needs queries as wide as the source, not {query} and {source}: take 'general'")
        self.score, self.features_dim = score, query
        if score == "general":
            self.weight = nn.Linear(source, query, bias=False)
        if score == "concat":
            self.of_query, self.of_source = nn.Linear(query, query, bias=False), nn.Linear(source, query, bias=False)
            self.v = nn.Linear(query, 1, bias=False)
        if combine:
            self.combine = nn.Linear(source + query, query, bias=False)  # W_c

    def forward(self, queries: Tensor, source: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return contexts, shape [T, B, source], and the weights a, shape [T, B, L].

        Parameters
        ----------
        queries : Tensor, shape [T, B, query]
        source : Tensor, shape [L, B, source]
        mask : Tensor of bool, shape [L, B], optional
            Which elements exist, at least one of each; None: all.
        """
        scores = self._scores(queries.transpose(0, 1), source.transpose(0, 1))  # [B, T, L]
        if mask is not None:
            scores = scores.masked_fill(~mask.t().unsqueeze(1), -torch.inf)
        weights = torch.softmax(scores, dim=2)
        return torch.bmm(weights, source.transpose(0, 1)).transpose(0, 1), weights.transpose(0, 1)

    def attend(self, queries: Tensor, source: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return h~, shape [T, B, query]: the queries, once they have looked at the source; arguments as `forward`'s."""
        context, _ = self(queries, source, mask)
        return torch.tanh(self.combine(torch.cat([context, queries], dim=2)))

    def _scores(self, queries: Tensor, source: Tensor) -> Tensor:
        """Return scores, shape [B, T, L], of queries [B, T, query] and a source [B, L, source]."""
        if self.score == "concat":
            pairs = self.of_query(queries).unsqueeze(2) + self.of_source(source).unsqueeze(1)  # [B, T, L, query]
            found: Tensor = self.v(torch.tanh(pairs)).squeeze(3)
            return found
        asked = queries @ self.weight.weight if self.score == "general" else queries  # of h . W s the part that has no s: there are few h
        return torch.bmm(asked, source.transpose(1, 2))
