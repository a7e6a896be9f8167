"""Policy iteration: evaluate a policy, be greedy by its values, and again until nothing changes (Sec. 4.3).

    pi_0 -E-> v_pi_0 -I-> pi_1 -E-> v_pi_1 -I-> ... -I-> pi* -E-> v*

By the policy improvement theorem each policy is better than the last one, unless both are optimal; there are finitely many, and a
handful of improvements is usually enough. The new action of a state is

    pi(s) <- argmax_a sum_{s', r} p(s', r | s, a) [r + gamma V(s')]        (4.9)

The book's box can switch for ever between equally good policies (Exercise 4.4): here the old action is kept unless another one is
better by more than `tolerance`. And it never ends the evaluation of a policy that, undiscounted, never ends an episode: here an evaluation
has at most `sweeps` sweeps, and the algorithm ends only after a complete one. The first policy takes `first` everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from rlcourse.agents.tabular import TabularAgent
from rlcourse.core import exact
from rlcourse.core.box import box
from rlcourse.core.config import Config, Count, Discount, Interval, NonNegative, Positive
from rlcourse.core.history import History
from rlcourse.core.trial import Trial

__all__ = ["PolicyIteration", "PolicyIterationConfig", "policy_iteration"]


@box
def policy_iteration(world, model, V, pi, count, gamma, theta, sweeps, tolerance):
    """Policy Iteration (using iterative policy evaluation) for estimating pi ~ pi*, the box of Sec. 4.3; returns whether it is stable."""
    while world.more():  # 2. Policy Evaluation. Loop:
        delta = 0.0  # Delta <- 0
        for s in range(len(V)):  # Loop for each s in S:
            v = V[s]  # v <- V(s)
            V[s] = model.expected(s, pi[s], V, gamma)  # V(s) <- sum_{s',r} p(s',r|s,pi(s)) [r + gamma V(s')]
            delta = max(delta, abs(v - V[s]))  # Delta <- max(Delta, |v - V(s)|)
        count[0] += 1
        if world.sweep(delta, len(V)) < theta or count[0] >= sweeps:  # until Delta < theta
            count[0] = 0
            policy_stable = True  # 3. Policy Improvement. policy-stable <- true
            for s in range(len(V)):  # For each s in S:
                old_action = pi[s]  # old-action <- pi(s)
                best = model.expected(s, old_action, V, gamma) + tolerance
                for a in range(model.successor.shape[1]):  # pi(s) <- argmax_a sum_{s',r} p(s',r|s,a) [r + gamma V(s')]
                    value = model.expected(s, a, V, gamma)
                    if value > best:
                        best = value
                        pi[s] = a
                if old_action != pi[s]:  # If old-action != pi(s), then policy-stable <- false
                    policy_stable = False
            if policy_stable and delta < theta:  # If policy-stable, then stop and return V ~ v*, pi ~ pi*; else go to 2
                return True
    return False


@dataclass(frozen=True)
class PolicyIterationConfig(Config):
    """Settings of `PolicyIteration`, named as in the book."""

    gamma: Discount = 1.0  # discount rate
    theta: Positive = 1e-10  # a sweep that changes no value by this much ends an evaluation
    sweeps: Count = 1000  # an evaluation has at most this many sweeps
    tolerance: NonNegative = 1e-8  # a better action is better by more than this
    first: Annotated[int, Interval(0)] = 0  # action of the first policy in every state


class PolicyIteration(TabularAgent):
    """Policy iteration where the exact model is known (Sec. 4.3).

    As with `ValueIteration` the unit of progress is a sweep of evaluation; ``learn()`` needs no budget.

    Attributes
    ----------
    V : ndarray of float64, shape [S]
        State values.
    pi : ndarray of int64, shape [S]
        The action of each state.
    """

    Config = PolicyIterationConfig
    tables: ClassVar[tuple[str, ...]] = ("V", "pi", "count")
    budget_required = False

    def _build(self) -> None:
        super()._build()
        self.model = self._model()
        if self.config.first >= self.Q.shape[1]:
            raise ValueError(f"first must be an action, 0..{self.Q.shape[1] - 1}, not {self.config.first}")
        self.pi = np.full(len(self.V), self.config.first, dtype=np.int64)
        self.count = np.zeros(1, dtype=np.int64)  # sweeps of the present evaluation
        self.history = History(("delta", "updates", "terminated", "timesteps"))

    def _run(self, trial: Trial) -> bool:
        c = self.config
        return bool(policy_iteration(trial, self.model, self.V, self.pi, self.count, c.gamma, c.theta, c.sweeps, c.tolerance))

    def _actions(self, states: np.ndarray, deterministic: bool) -> np.ndarray:
        """Act by the policy."""
        actions: np.ndarray = self.pi[states]
        return actions

    def action_values(self, states: np.ndarray) -> np.ndarray:
        """Return one-step look-ahead values, shape [n, A]."""
        return exact.action_values(self.model, self.V, self.config.gamma, states)
