"""Value iteration: dynamic programming by one optimal backup per state and sweep (Sec. 4.4).

Where p(s', r | s, a) is known, no experience is needed. Value iteration turns the Bellman optimality equation into an update and
sweeps it through the states until nothing changes by more than theta:

    V(s) <- max_a sum_{s', r} p(s', r | s, a) [r + gamma V(s')]        (4.10)

Every sweep shrinks the distance to v* by gamma at least, so a small last change bounds what is left. It is the oracle that every
learner on a finite world is tested against.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box
from rlcourse.core.config import Config, Discount, Positive
from rlcourse.core.history import History
from rlcourse.core.trial import Trial

__all__ = ["ValueIteration", "ValueIterationConfig", "value_iteration"]


@box
def value_iteration(world, model, V, gamma, theta):
    """Value iteration, for estimating pi ~ pi*, the box of Sec. 4.4; returns whether it converged."""
    A = model.successor.shape[1]
    while world.more():  # Loop:
        delta = 0.0  # Delta <- 0
        for s in range(len(V)):  # Loop for each s in S:
            v = V[s]  # v <- V(s)
            best = model.expected(s, 0, V, gamma)  # V(s) <- max_a sum_{s',r} p(s',r|s,a) [r + gamma V(s')]
            for a in range(1, A):
                best = max(best, model.expected(s, a, V, gamma))
            V[s] = best
            delta = max(delta, abs(v - V[s]))  # Delta <- max(Delta, |v - V(s)|)
        if world.sweep(delta, len(V)) < theta:  # until Delta < theta
            return True
    return False


@dataclass(frozen=True)
class ValueIterationConfig(Config):
    """Settings of `ValueIteration`, named as in the book."""

    gamma: Discount = 1.0  # discount rate
    theta: Positive = 1e-10  # a sweep that changes no value by this much is the last


class ValueIteration(TabularAgent):
    """Value iteration where the exact model is known (Sec. 4.4).

    ``learn()`` needs no budget: it ends when it has converged. Its unit of progress is a sweep: ``episodes`` counts sweeps,
    ``total_timesteps`` counts updates (whole sweeps), and `history` has one row per sweep: "delta", its largest change.

    Attributes
    ----------
    V : ndarray of float64, shape [S]
        State values.
    """

    Config = ValueIterationConfig
    tables = ("V",)
    budget_required = False

    def _build(self) -> None:
        super()._build()
        self.model = self._model()
        self.history = History(("delta", "updates", "terminated", "timesteps"))

    def _run(self, trial: Trial) -> bool:
        return bool(value_iteration(trial, self.model, self.V, self.config.gamma, self.config.theta))

    def action_values(self, states: np.ndarray) -> np.ndarray:
        """Return one-step look-ahead values, shape [n, A]."""
        A: Any = range(self.Q.shape[1])
        return np.array([[self.model.expected(s, a, self.V, self.config.gamma) for a in A] for s in states])
