"""What is known exactly of an agent and its environment, where states are finitely many: true error, exact return, optimum; otherwise None.

Only where the environment has a model of a moderate size that does not change with time, and never for longer than a few
seconds, counted by work: what a run's tables hold depends on no clock. After the first thing that takes more, all of it is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rlcourse.agents.linear import LinearAgent
from rlcourse.agents.tabular import TabularAgent
from rlcourse.core import horizon, spaces
from rlcourse.core.gymworld import model_of, peel
from rlcourse.core.mdp import MDP
from rlcourse.core.work import TooMuchWork, at_most, spend

__all__ = ["Truth"]

PAIRS, OUTCOMES = 100_000, 4_000_000  # (state, action) pairs, and outcomes of all of them, up to which a model counts as small
PATIENCE = 3e9  # operations, each about a nanosecond
LOOK_UP = 30_000  # operations for a linear agent's greedy action in one state


class Truth:
    """Ground truth beside a run.

    Parameters
    ----------
    agent : Agent
        Whose values are judged; any agent, but only tabular ones, and linear ones of finitely many states and actions, have a truth here.
    env : gymnasium.Env, optional
        Another environment than the agent's own.
    """

    def __init__(self, agent: Any, env: Any = None) -> None:
        self.env: Any = agent.env if env is None else env
        self.limit: int | None = None
        self.model: MDP | None = None
        self._known = self._has_table(agent) and self._is_small() and getattr(agent.world, "clock", None) is None
        if self._known:
            self.limit = peel(self.env)[1]
            self.model = self._patiently(lambda: model_of(self.env))
            self._known = self.model is not None and self.model.probability.size <= OUTCOMES
        self._judged = self._known and env is None

    def error(self, agent: Any) -> float | None:
        """Return the root-mean-square distance of an agent's values from what it is after; None where that is not known."""
        if not (self._known and self._judged and agent.tables):
            return None
        found = self._patiently(agent.true_error)
        self._judged = found is not None
        return found

    def policy_return(self, agent: Any) -> float | None:
        """Return the exact expected return of the greedy policy from the start, undiscounted, within the time limit."""
        model = self.model
        if not self._known or model is None:
            return None
        S = self._states()
        if model.probability.shape[0] != S:
            return None
        return self._patiently(lambda: horizon.policy_return(model, _greedy(agent, np.arange(S)), 1.0, self.limit))

    def optimum(self) -> tuple[float, str] | None:
        """Return the largest expected return, undiscounted, within the time limit, and what to call it."""
        model, limit = self.model, self.limit
        if not self._known or model is None:
            return None
        best = self._patiently(lambda: horizon.best_return(model, 1.0, limit))
        if best is None or limit is None:
            return None if best is None else (best, "optimum, exact")
        longer = self._patiently(lambda: horizon.best_return(model, 1.0, 2 * limit))
        self._known = True  # also without an answer to that
        matters = longer is None or abs(longer - best) > 1e-4 * (1.0 + abs(best))
        return best, f"optimum within {limit:,} steps, exact" if matters else "optimum, exact"

    def _states(self) -> int:
        return spaces.size(self.env.observation_space)

    def _has_table(self, agent: Any) -> bool:
        """Whether an agent has a value for each of finitely many states."""
        finite = spaces.is_finite(agent.observation_space) and spaces.is_finite(agent.action_space)
        return isinstance(agent, TabularAgent) or (isinstance(agent, LinearAgent) and finite)

    def _is_small(self) -> bool:
        return self._states() * spaces.size(self.env.action_space) <= PAIRS

    def _patiently(self, function: Callable[[], Any]) -> Any:
        """Return what a function returns; None where that takes too much work or it raises ValueError."""
        try:
            with at_most(PATIENCE):
                found = function()
        except TooMuchWork:
            self._known = False
            return None
        except (ValueError, MemoryError):
            return None
        return None if isinstance(found, float) and not np.isfinite(found) else found


def _greedy(agent: Any, states: np.ndarray) -> np.ndarray:
    """Return the best action in each state, as the model numbers them."""
    if isinstance(agent, LinearAgent):
        spend(LOOK_UP * len(states))
        return np.array([agent._act(int(s), True) for s in states])
    actions: np.ndarray = agent._actions(states, True)
    return actions
