"""`SequenceRing`: the replay memory of S agents with memory, from which windows of consecutive steps are drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from rlcourse.agents.deep.programs.copies import Copies
from rlcourse.agents.deep.programs.launch import Launch
from rlcourse.agents.deep.programs.ring import Ring
from rlcourse.core.sequence_kernels import WINDOWS, Window

__all__ = ["SequenceRing", "Windows"]


class Windows(NamedTuple):
    """B windows of S agents, rows first: what `Window` says, with observations [W or K, S, B, ...], actions [T, S, B], and memories.

    Attributes
    ----------
    states : Tensor, shape [S, arrays, layers, B, width]
        Before the first row; empty where an episode begins there.
    """

    warm: Tensor
    observations: Tensor
    actions: Tensor
    states: Tensor
    window: Window


class SequenceRing(Ring):
    """As `Ring`, with the memory before each step.

    Parameters
    ----------
    copies, seeds, capacity, batch_size, gamma, n, actions
        Those of `Ring`; a window is what it calls a transition.
    warm, steps : int
        Rows that warm the memory up, and steps of a window.
    states : Tensor, shape [T, M, arrays, layers, width]
        The memories before the steps of a round, empty where an episode begins.
    """

    def __init__(
        self,
        copies: Copies,
        seeds: list[int],
        capacity: int,
        batch_size: int,
        gamma: Tensor,
        n: int,
        actions: Tensor,
        warm: int,
        steps: int,
        states: Tensor,
    ) -> None:
        super().__init__(copies, seeds, capacity, batch_size, gamma, n, actions)
        S, device = len(seeds), states.device
        self.states, self.states_kept = torch.zeros(self.rows, *states.shape[1:], device=device), states

        def table(rows: int, dtype: torch.dtype = torch.int64) -> Any:
            return torch.zeros(rows, S, batch_size, dtype=dtype, device=device)

        flags, numbers = torch.bool, torch.float32
        self.window = Window(
            table(warm),
            table(2 * steps),
            table(2 * steps, flags),
            table(warm, flags),
            table(2 * steps, flags),
            table(steps),
            table(steps),
            table(steps),
            table(steps, numbers),
            table(steps, numbers),
            table(steps, flags),
        )
        self._windows = Launch(WINDOWS, S * batch_size, (self._keys, self.drawn, self._stored, gamma, n, self.window), device)

    def keep(self, rows: int, valid: int) -> None:
        """Store the first rows of the copies, and their memories; see `Ring.keep`."""
        self.states.index_copy_(0, (self.newest + 1 + self._index[:rows]) % self.rows, self.states_kept[:rows])
        super().keep(rows, valid)

    def windows(self) -> Windows:
        """Draw windows for each agent; the next call overwrites their numbers."""
        self._windows()
        w: Any = self.window
        self.drawn += 2 * w.at.shape[2]
        first = (w.warm if len(w.warm) else w.slots)[0]  # [S, B]
        seen, successors = (table.flatten(0, 1) for table in (self.observations, self.successors))
        final = w.final.view(*w.final.shape, *([1] * (seen.dim() - 1)))
        observations = torch.where(final, successors[w.slots], seen[w.slots])
        states = self.states.flatten(0, 1)[first].permute(0, 2, 3, 1, 4)
        return Windows(seen[w.warm], observations, self.actions.flatten(0, 1)[w.steps], states, w)

    def state(self) -> dict[str, Callable[[int], Tensor]]:
        """Return views of what agent s goes on from; see `Program._state`."""
        n = self.copies.n
        return super().state() | {"replay.states": lambda s: self.states[:, s * n : (s + 1) * n]}
