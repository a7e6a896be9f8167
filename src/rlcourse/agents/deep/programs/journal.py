"""`Journal`: the episodes of many rounds, kept on the device until somebody looks."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rlcourse.agents.deep.programs.copies import Copies

__all__ = ["Journal"]

_ENTRIES = 2**22  # steps of copies that are kept at most, unless one round has more


class Journal:
    """Which episodes ended in the last rounds: rows of the copies' arrays, one block a round.

    Parameters
    ----------
    copies : Copies
    """

    def __init__(self, copies: Copies) -> None:
        T, M = copies.ended.shape
        self.copies, self.rounds = copies, max(1, _ENTRIES // (T * M))
        device = copies.ended.device
        sources = (copies.ended, copies.terminated, copies.lengths, copies.scores)
        self._kept = [torch.zeros(self.rounds, T, M, dtype=source.dtype, device=device) for source in sources]
        self._slot = torch.zeros(1, dtype=torch.int64, device=device)
        self._order = torch.arange(T, device=device)[:, None] * copies.n + torch.arange(copies.n, device=device).repeat(M // copies.n)
        self._befores: list[int] = []

    @property
    def full(self) -> bool:
        """Whether it must be read before the next round."""
        return len(self._befores) >= self.rounds

    def write(self, rows: int, valid: int) -> None:
        """Keep the rows of a round, of which `valid` steps of each agent count; part of the round."""
        c = self.copies
        counted = (self._order < valid) & (self._order < rows * c.n)
        for kept, source in zip(self._kept, (c.ended & counted, c.terminated, c.lengths, c.scores), strict=True):
            kept.index_copy_(0, self._slot, source[None])
        self._slot += 1

    def note(self, before: int) -> None:
        """Note, on the host, how many steps an agent had taken before the round."""
        self._befores.append(before)

    def read(self, agents: int) -> list[np.ndarray]:
        """Return the episodes of each agent, shape [E, 4]: return, length, terminated, step; and begin anew. Waits for the device."""
        blocks = len(self._befores)
        ended, terminated, lengths, scores = (kept[:blocks] for kept in self._kept)
        k, t, m = ended.nonzero(as_tuple=True)
        befores = torch.tensor([*self._befores, 0], dtype=torch.float64, device=ended.device)  # never empty
        columns: list[Tensor] = [scores[k, t, m], lengths[k, t, m], terminated[k, t, m], befores[k] + self._order[t, m] + 1]
        rows = torch.stack([column.double() for column in columns], dim=1).cpu().numpy()
        owner = (m // self.copies.n).cpu().numpy()
        self._befores.clear()
        self._slot.zero_()
        return [rows[owner == s] for s in range(agents)]
