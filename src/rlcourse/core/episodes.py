"""What Monte Carlo boxes do with a whole episode, given as a list of (S_t, A_t, R_t+1)."""

from __future__ import annotations

import numpy as np

from rlcourse.core.box import kernel

__all__ = ["returns_of"]


@kernel
def returns_of(episode, gamma, G):
    """Return G_t of every step, shape [T]: R_t+1 + gamma R_t+2 + ..., with G after the last step (Eq. 3.8)."""
    found = np.empty(len(episode))
    for t in range(len(episode) - 1, -1, -1):
        G = gamma * G + episode[t][2]
        found[t] = G
    return found
