"""`BanditAgent`: what agents without states share; a situation says nothing to them."""

from __future__ import annotations

import numpy as np

from rlcourse.agents.tabular import TabularAgent
from rlcourse.core import spaces
from rlcourse.core.policies import epsilon_greedy

__all__ = ["BanditAgent"]


class BanditAgent(TabularAgent):
    """Base of the bandit agents; they run on every environment with finite observations and actions.

    Attributes
    ----------
    Q : ndarray of float64, shape [A]
        Action values or preferences: one row for all observations.
    actions : int
        The number of actions, A.
    """

    def _build(self) -> None:
        super()._build()
        self.actions = spaces.size(self.action_space)

    def _actions(self, states: np.ndarray, deterministic: bool) -> np.ndarray:
        if deterministic:
            return np.full(len(states), np.argmax(self.Q))
        return np.array([self.explore() for _ in states])

    def explore(self) -> int:
        """Return an action as the agent chooses it while it learns."""
        return int(epsilon_greedy(self.Q, self.config.epsilon, self.rng))

    def action_values(self, states: np.ndarray) -> np.ndarray:
        """Return the same values for every state, shape [n, A]."""
        return np.tile(self.Q, (len(states), 1))
