"""`PrioritizedRing`: a replay memory of S agents from which what was wrong is drawn more often (Schaul et al. 2016)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from rlcourse.agents.deep.programs.draws import REPLAY, Draws
from rlcourse.agents.deep.programs.launch import Launch
from rlcourse.agents.deep.programs.ring import Batch, Ring
from rlcourse.core.replay_kernels import FOLLOW

__all__ = ["PrioritizedRing"]


class PrioritizedRing(Ring):
    """`Ring` with priorities: what `PrioritizedReplay` is to one agent on the host, by cumulative sums in the place of a tree.

    Parameters
    ----------
    *arguments
        Those of `Ring`.
    alpha : float
        0 draws uniformly, 1 in proportion to the errors.

    Attributes
    ----------
    priorities : Tensor of float64, shape [S, R, N]
        To the power of alpha; 0 where nothing is stored.
    greatest : Tensor of float64, shape [S]
        Greatest priority so far, which new transitions have.
    beta : Tensor, shape [S]
        How much the importance weights correct; the program sets it before it samples.
    """

    def __init__(self, *arguments: Any, alpha: float, eps: float = 1e-6) -> None:
        super().__init__(*arguments)
        _, seeds, _, B, gamma, n, _ = arguments
        S, N, device = len(seeds), self.copies.n, self._device
        self.alpha, self.eps, self.beta = alpha, eps, torch.zeros(S, device=device)
        self.priorities = torch.zeros(S, self.rows, N, dtype=torch.float64, device=device)
        self.greatest = torch.ones(S, dtype=torch.float64, device=device)
        self.numbers = Draws(seeds, 1, 1, B, False, device, purpose=REPLAY)
        self._places = torch.zeros(S, B, dtype=torch.int64, device=device)  # of the last batch, in [R * N]
        self._parts, self._own = torch.arange(B, device=device), torch.arange(N, device=device)
        self._columns = torch.arange(S, device=device)[:, None] * N
        self._follow = Launch(FOLLOW, S * B, (self._stored, gamma, n, self.sampled), device)

    def keep(self, rows: int, valid: int) -> None:
        """Store rows; what counts in them has the greatest priority so far."""
        super().keep(rows, valid)
        index = (self.newest - rows + 1 + self._index[:rows]) % self.rows
        counted = self._own < self.counts[index][:, None]  # [rows, N]
        self.priorities.index_copy_(1, index, torch.where(counted, self.greatest[:, None, None], 0.0))

    def sample(self) -> Batch:
        """Draw a batch for each agent, a transition from each of B equal parts of its priorities' sum; with importance weights."""
        each = self.priorities.flatten(1)
        sums = _sums(each)
        total = sums[:, -1:]
        masses = (self._parts + self.numbers()[0].double()) * (total / len(self._parts))
        masses = torch.minimum(masses, torch.nextafter(total, torch.zeros_like(total)))  # rounding finds nothing beyond the last one
        found = torch.searchsorted(sums, masses, right=True)
        self._places.copy_(found.clamp_(max=each.shape[1] - 1))  # a sum that is no number, as in an old file, would point behind the end
        rows, own = self._places // self.copies.n, self._places % self.copies.n
        first: Any = self.sampled.first
        first.copy_(rows * self.rewards.shape[1] + self._columns + own)
        self._follow()
        probabilities = each.gather(1, self._places) / total
        weights = (self.counts.sum() * probabilities) ** -self.beta.double()[:, None]
        return self.take()._replace(weights=(weights / weights.amax(1, keepdim=True)).float())

    def correct(self, errors: Tensor) -> None:
        """Set the priorities of the last batch after its values changed by errors, shape [S, B].

        Errors of an agent that diverges are no numbers; they count as its greatest priority, so that the program goes on for the others.
        """
        priorities = (errors.abs().double() + self.eps) ** self.alpha
        priorities = torch.where(priorities.isfinite(), priorities, self.greatest[:, None])
        self.priorities.flatten(1).scatter_(1, self._places, priorities)
        self.greatest.copy_(torch.maximum(self.greatest, priorities.amax(1)))

    def state(self) -> dict[str, Callable[[int], Tensor]]:
        """Return views of what agent s goes on from; see `Program._state`."""
        mine = {"replay.priorities": lambda s: self.priorities[s], "replay.greatest": lambda s: self.greatest[s : s + 1]}
        return super().state() | mine | {"sampled": lambda s: self.numbers.drawn[s : s + 1]}


def _sums(each: Tensor) -> Tensor:
    """Return cumulative sums along rows, shape [S, n]; in a fixed order where torch must be deterministic: cumsum on CUDA has none."""
    if not torch.are_deterministic_algorithms_enabled():
        return each.cumsum(1)
    sums, width = each, 1
    while width < each.shape[1]:
        sums = torch.cat([sums[:, :width], sums[:, width:] + sums[:, :-width]], 1)
        width *= 2
    return sums.cummax(1).values  # rounding must not make them fall
