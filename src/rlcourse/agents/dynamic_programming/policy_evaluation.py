"""Iterative policy evaluation: the value of a given policy by sweeps of expected backups (Sec. 4.1).

The prediction problem with a model: what return does a policy pi promise from each state? Its values solve the Bellman equation, and
turning that equation into an update finds the solution from any start:

    v_{k+1}(s) = sum_a pi(a|s) sum_{s', r} p(s', r | s, a) [r + gamma v_k(s')]        (4.5)

With two arrays, v_k and v_{k+1}, after k undiscounted sweeps v_k(s) is the return of k steps; so the pictures of Fig. 4.1 are made.
In place, as in the book's box, an update sees those before it in the same sweep: usually faster, and the same in the end. Where an
undiscounted episode may never end there is no value to find, and `learn` needs a budget to come to an end.
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

__all__ = [
    "IterativePolicyEvaluation",
    "IterativePolicyEvaluationConfig",
    "expected_backup",
    "policy_evaluation",
    "policy_evaluation_synchronous",
]


@kernel
def expected_backup(model, policy, s, V, gamma):
    """Return sum_a pi(a|s) sum_{s',r} p(s',r|s,a) [r + gamma V(s')]."""
    total = 0.0
    for a in range(policy.shape[1]):
        if policy[s, a] > 0.0:
            total += policy[s, a] * model.expected(s, a, V, gamma)
    return total


@box
def policy_evaluation(world, model, policy, V, gamma, theta):
    """Iterative Policy Evaluation, for estimating V ~ v_pi, the box of Sec. 4.1; returns whether it converged."""
    while world.more():  # Loop:
        delta = 0.0  # Delta <- 0
        for s in range(len(V)):  # Loop for each s in S:
            v = V[s]  # v <- V(s)
            V[s] = expected_backup(model, policy, s, V, gamma)  # V(s) <- sum_a pi(a|s) sum_{s',r} p(s',r|s,a) [r + gamma V(s')]
            delta = max(delta, abs(v - V[s]))  # Delta <- max(Delta, |v - V(s)|)
        if world.sweep(delta, len(V)) < theta:  # until Delta < theta
            return True
    return False


@box
def policy_evaluation_synchronous(world, model, policy, V, gamma, theta):
    """Iterative policy evaluation with two arrays: a whole sweep reads the old values (4.5); returns whether it converged."""
    while world.more():  # Loop:
        delta = 0.0  # Delta <- 0
        old = V.copy()  # v_k
        for s in range(len(V)):  # Loop for each s in S:
            V[s] = expected_backup(model, policy, s, old, gamma)  # v_{k+1}(s) <- sum_a pi(a|s) sum_{s',r} p(s',r|s,a) [r + gamma v_k(s')]
            delta = max(delta, abs(old[s] - V[s]))  # Delta <- max(Delta, |v_k(s) - v_{k+1}(s)|)
        if world.sweep(delta, len(V)) < theta:  # until Delta < theta
            return True
    return False


@dataclass(frozen=True)
class IterativePolicyEvaluationConfig(Config):
    """Settings of `IterativePolicyEvaluation`, named as in the book."""

    gamma: Discount = 1.0  # discount rate
    theta: Positive = 1e-10  # a sweep that changes no value by this much is the last
    in_place: bool = True  # updates see those before them in the same sweep; otherwise two arrays


class IterativePolicyEvaluation(TabularAgent):
    """Iterative policy evaluation where the exact model is known (Sec. 4.1).

    As with `ValueIteration` the unit of progress is a sweep: ``learn(episodes=k)`` makes at most k, ``learn()`` as many as it takes.

    Attributes
    ----------
    V : ndarray of float64, shape [S]
        State values of `policy`.
    """

    Config = IterativePolicyEvaluationConfig
    inputs = ("policy",)
    tables = ("V",)
    budget_required = False

    def _build(self) -> None:
        super()._build()
        self.model = self._model()
        self.history = History(("delta", "updates", "terminated", "timesteps"))

    def _run(self, trial: Trial) -> bool:
        sweeps = policy_evaluation if self.config.in_place else policy_evaluation_synchronous
        return bool(sweeps(trial, self.model, self.policy, self.V, self.config.gamma, self.config.theta))

    def action_values(self, states: np.ndarray) -> np.ndarray:
        """Return one-step look-ahead values, shape [n, A]: greedy by them is a better policy (Sec. 4.2)."""
        return exact.action_values(self.model, self.V, self.config.gamma, states)
