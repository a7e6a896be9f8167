"""Real-time dynamic programming: value iteration along greedy trajectories (Sec. 8.7).

Where episodes begin in few states, a policy needs to be right only in the states that it can meet from there. RTDP is value
iteration in place whose next state is the one in which the greedy policy finds itself, in the real task or in a simulated one:

    V(S) <- max_a sum_{s', r} p(s', r | S, a) [r + gamma V(s')]        then act greedily

Asynchronous value iteration may use any order, so nothing is lost; but many states are never updated at all. In undiscounted tasks
whose rewards are negative up to a goal, and from initial values that are not below the optimum, RTDP finds an optimal policy
on the relevant states (Barto, Bradtke and Singh, 1995): what it has not tried looks good until it is tried.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box, kernel
from rlcourse.core.config import Config, Discount
from rlcourse.core.policies import greedy
from rlcourse.core.trial import Trial

__all__ = ["RTDP", "RTDPConfig", "look_ahead", "rtdp"]


@kernel
def look_ahead(model, S, V, gamma):
    """Return sum_{s', r} p(s', r | S, a) [r + gamma V(s')] of each action, shape [A]."""
    values = np.empty(model.successor.shape[1])
    for a in range(len(values)):
        values[a] = model.expected(S, a, V, gamma)
    return values


@box
def rtdp(world, model, V, updates, gamma, rng):
    """Real-time dynamic programming; `updates` counts those of each state."""
    while world.more():  # Loop for each trajectory:
        S = world.reset(rng)  # S <- a start state
        done = False
        while not done:  # Loop for each step:
            values = look_ahead(model, S, V, gamma)
            V[S] = np.max(values)  # V(S) <- max_a sum_{s',r} p(s',r|S,a) [r + gamma V(s')]
            updates[S] += 1
            A = greedy(values, rng)  # A <- argmax_a of the same, ties broken randomly
            S, _, terminated, truncated = world.step(S, A, rng)  # Take action A; S <- S'
            done = terminated or truncated


@dataclass(frozen=True)
class RTDPConfig(Config):
    """Settings of `RTDP`."""

    gamma: Discount = 1.0  # discount rate
    initial_value: float = 0.0  # of every state; convergence is sure only where no state is worth more


class RTDP(TabularAgent):
    """Real-time dynamic programming where the exact model is known (Sec. 8.7). A step is one update.

    Attributes
    ----------
    V : ndarray of float64, shape [S]
        State values.
    updates : ndarray of int64, shape [S]
        How often each state was updated.
    """

    Config = RTDPConfig
    tables = ("V", "updates")

    def _build(self) -> None:
        super()._build()
        self.model = self._model()
        self.V[:] = self.config.initial_value
        self.updates = np.zeros(len(self.V), dtype=np.int64)

    def _run(self, trial: Trial) -> None:
        rtdp(trial, self.model, self.V, self.updates, self.config.gamma, self.rng)

    def action_values(self, states: np.ndarray) -> np.ndarray:
        """Return one-step look-ahead values, shape [n, A]."""
        return np.array([look_ahead(self.model, s, self.V, self.config.gamma) for s in states])
