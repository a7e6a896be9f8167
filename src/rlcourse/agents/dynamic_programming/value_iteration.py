"""Value iteration: dynamic programming by one optimal backup per state and sweep (Sec. 4.4).

Where p(s', r | s, a) is known, no experience is needed. Value iteration turns the Bellman optimality equation into an update and
sweeps it through the states until nothing changes by more than theta:

    V(s) <- max_a sum_{s', r} p(s', r | s, a) [r + gamma V(s')]        (4.10)

Every sweep shrinks the distance to v* by gamma at least, so a small last change bounds what is left. It is the oracle that every
learner on a finite world is tested against. The box of the book works in place: an update sees those before it in the same sweep, and the
order of the states matters to the speed. With two arrays all updates of a sweep read the old values; both end at v*.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.tabular import TabularAgent
from rlcourse.core import exact
from rlcourse.core.box import box, kernel
from rlcourse.core.config import Config, Discount, Positive
from rlcourse.core.history import History
from rlcourse.core.trial import Trial

__all__ = ["ValueIteration", "ValueIterationConfig", "optimal_backup", "value_iteration", "value_iteration_synchronous"]


@kernel
def optimal_backup(model, s, V, gamma):
    """Return max_a sum_{s',r} p(s',r|s,a) [r + gamma V(s')]."""
    best = model.expected(s, 0, V, gamma)
    for a in range(1, model.successor.shape[1]):
        best = max(best, model.expected(s, a, V, gamma))
    return best


@box
def value_iteration(world, model, V, gamma, theta):
    """Value iteration, for estimating pi ~ pi*, the box of Sec. 4.4; returns whether it converged."""
    while world.more():  # Loop:
        delta = 0.0  # Delta <- 0
        for s in range(len(V)):  # Loop for each s in S:
            v = V[s]  # v <- V(s)
            V[s] = optimal_backup(model, s, V, gamma)  # V(s) <- max_a sum_{s',r} p(s',r|s,a) [r + gamma V(s')]
            delta = max(delta, abs(v - V[s]))  # Delta <- max(Delta, |v - V(s)|)
        if world.sweep(delta, len(V)) < theta:  # until Delta < theta
            return True
    return False


@box
def value_iteration_synchronous(world, model, V, gamma, theta):
    """Value iteration with two arrays: a whole sweep reads the old values; returns whether it converged."""
    while world.more():  # Loop:
        delta = 0.0  # Delta <- 0
        old = V.copy()  # v_k
        for s in range(len(V)):  # Loop for each s in S:
            V[s] = optimal_backup(model, s, old, gamma)  # v_{k+1}(s) <- max_a sum_{s',r} p(s',r|s,a) [r + gamma v_k(s')]
            delta = max(delta, abs(old[s] - V[s]))  # Delta <- max(Delta, |v_k(s) - v_{k+1}(s)|)
        if world.sweep(delta, len(V)) < theta:  # until Delta < theta
            return True
    return False


@dataclass(frozen=True)
class ValueIterationConfig(Config):
    """Settings of `ValueIteration`, named as in the book."""

    gamma: Discount = 1.0  # discount rate
    theta: Positive = 1e-10  # a sweep that changes no value by this much is the last
    in_place: bool = True  # updates see those before them in the same sweep; otherwise two arrays


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
        sweeps = value_iteration if self.config.in_place else value_iteration_synchronous
        return bool(sweeps(trial, self.model, self.V, self.config.gamma, self.config.theta))

    def action_values(self, states: np.ndarray) -> np.ndarray:
        """Return one-step look-ahead values, shape [n, A]."""
        return exact.action_values(self.model, self.V, self.config.gamma, states)
