"""`PrioritizedReplay`: transitions are drawn in proportion to how wrong their value was (Schaul et al. 2016).

    P(i) = p_i^alpha / sum_k p_k^alpha,     w_i = (N P(i))^-beta / max_j w_j                       (Eq. 1 and Section 3.4)

with p_i the magnitude of the last error plus a small constant; a new transition has the greatest priority so far. The weights correct
for drawing often what is wrong often; beta rises to 1, where the correction is full.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.agents.deep.replay import Batch, Replay
from rlcourse.core.fits import fit
from rlcourse.core.sum_tree import new_tree, tree_find, tree_set

__all__ = ["PrioritizedReplay"]


class PrioritizedReplay(Replay):
    """As `Replay`, with priorities in a sum tree.

    Parameters
    ----------
    *arguments
        Those of `Replay`.
    alpha : float
        0 draws uniformly, 1 in proportion to the errors.

    Attributes
    ----------
    beta : float
        How much the importance weights correct; the agent sets it before it samples.
    """

    def __init__(self, *arguments: Any, alpha: float = 0.6, eps: float = 1e-6) -> None:
        super().__init__(*arguments)
        self.alpha, self.eps, self.beta = alpha, eps, 0.4
        self.tree = new_tree(self.rows * self.copies)
        self.greatest = np.ones(1)  # greatest priority so far, to the power of alpha

    def _add(self, *what: Any) -> None:
        row = self.row
        super()._add(*what)
        slots = np.flatnonzero(self.stored[row]) + row * self.copies
        tree_set(self.tree, slots, np.full(len(slots), self.greatest[0]))

    def _see(self, *what: Any) -> None:
        super()._see(*what)
        for lost in range(self.stack):  # the current row, and the oldest stacks, which have lost frames
            row = (self.row + lost) % self.rows
            if lost == 0 or self.filled == self.rows - 1:
                tree_set(self.tree, np.arange(row * self.copies, (row + 1) * self.copies), np.zeros(self.copies))

    def sample(self, size: int, rng: np.random.Generator, gamma: float, n: int = 1) -> Batch:
        """Return transitions by priority, one from each of `size` equal parts of the whole, and their importance weights."""
        total = self.tree[1]
        slots = np.empty(size, np.int64)
        tree_find(self.tree, (np.arange(size) + rng.random(size)) * (total / size), slots)
        probabilities = self.tree[len(self.tree) // 2 + slots] / total
        weights = (len(self) * probabilities) ** -self.beta
        return self.take(slots, gamma, n)._replace(weights=(weights / weights.max()).astype(np.float32))

    def correct(self, slots: np.ndarray, errors: np.ndarray) -> None:
        """Set the priorities of transitions, shape [B], after their values changed by errors, shape [B]."""
        priorities = (np.abs(errors).astype(np.float64) + self.eps) ** self.alpha
        priorities[~np.isfinite(priorities)] = self.greatest[0]  # of a network that has diverged; the tree stays whole
        tree_set(self.tree, slots, priorities)
        self.greatest[0] = max(self.greatest[0], priorities.max())

    def state_dict(self) -> dict[str, Any]:
        """Return what `Replay` returns, and the priorities."""
        return super().state_dict() | {"tree": self.tree, "greatest": self.greatest}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a memory of the same size."""
        super().load_state_dict(state)
        fit(self.tree, state["tree"], "replay.tree")
        fit(self.greatest, state["greatest"], "replay.greatest")
