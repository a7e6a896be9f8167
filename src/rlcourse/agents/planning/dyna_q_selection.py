"""Dyna-Q with the bonus in action selection: the experiment of Exercise 8.4 (Sec. 8.3).

Dyna-Q+ changes estimated values so that long untried actions look better, everywhere the model leads. The exercise asks what happens
if the bonus is left out of the updates and used only to choose the real action: always one for which

    Q(S, a) + kappa sqrt(tau(S, a))

is maximal, tau being the real steps since a was tried in S. The values stay those of the model. What is lost is foresight: the bonus of
a pair is seen only where the agent stands, so it tests actions near its usual way again and again, but plans no journey to a
part of the world where something may have changed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rlcourse.agents.planning.learned_model import LearnedModel, PlanningSteps
from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box, kernel
from rlcourse.core.config import Config, Discount, NonNegative, StepSize
from rlcourse.core.policies import greedy
from rlcourse.core.trial import Trial

__all__ = ["DynaQSelection", "DynaQSelectionConfig", "curious", "dyna_q_selection"]


@kernel
def curious(values, last, time, kappa):
    """Return Q(S, a) + kappa sqrt(tau(S, a)) of every action, shape ``[A]``."""
    result = np.empty(len(values))
    for a in range(len(values)):
        result[a] = values[a] + kappa * math.sqrt(time - last[a])
    return result


@box
def dyna_q_selection(world, model, last, time, Q, alpha, gamma, n, kappa, rng):
    """The box of Sec. 8.2 with the action selection of Exercise 8.4."""
    while world.more():
        S = world.reset(rng)  # (a) S <- current (nonterminal) state
        done = False
        while not done:  # Loop forever:
            A = greedy(curious(Q[S], last[S], time[0], kappa), rng)  # (b) A <- argmax_a [Q(S, a) + kappa sqrt(tau(S, a))]
            S_, R, terminated, truncated = world.step(S, A, rng)  # (c) Take action A; observe resultant reward, R, and state, S'
            target = R if terminated else R + gamma * np.max(Q[S_])
            Q[S, A] += alpha * (target - Q[S, A])  # (d) Q(S, A) <- Q(S, A) + alpha [R + gamma max_a Q(S', a) - Q(S, A)]
            model.remember(S, A, R, S_, terminated)  # (e) Model(S, A) <- R, S'
            time[0] += 1
            last[S, A] = time[0]  # when the pair was last tried
            for _ in range(n):  # (f) Loop repeat n times:
                s = model.observed_state(rng)  # S <- random previously observed state
                a = model.taken_action(s, rng)  # A <- random action previously taken in S
                r, s_, over = model.recall(s, a)  # R, S' <- Model(S, A)
                target = r if over else r + gamma * np.max(Q[s_])
                Q[s, a] += alpha * (target - Q[s, a])  # Q(S, A) <- Q(S, A) + alpha [R + gamma max_a Q(S', a) - Q(S, A)]
            S = S_
            done = terminated or truncated


@dataclass(frozen=True)
class DynaQSelectionConfig(Config):
    """Settings of `DynaQSelection`, named as in the book."""

    alpha: StepSize = 0.1  # step size
    gamma: Discount = 0.95  # discount rate
    n: PlanningSteps = 10  # planning updates per real step
    kappa: NonNegative = 1e-3  # weight of the bonus kappa sqrt(tau)


class DynaQSelection(TabularAgent):
    """Dyna-Q that adds the bonus of Dyna-Q+ when it chooses actions (Exercise 8.4).

    Attributes
    ----------
    model : LearnedModel
        The last outcome of every pair.
    last : ndarray of int64, shape [S, A]
        The real step in which each pair was last tried; 0 for never.
    time : ndarray of int64, shape [1]
        Real steps so far.
    """

    Config = DynaQSelectionConfig
    tables = ("Q", "outcome", "states", "actions", "last", "time")

    def _build(self) -> None:
        super()._build()
        self.model = LearnedModel.of(*self.Q.shape)
        self.outcome, self.states, self.actions = self.model
        self.last, self.time = np.zeros(self.Q.shape, np.int64), np.zeros(1, np.int64)

    def _run(self, trial: Trial) -> None:
        c = self.config
        dyna_q_selection(trial, self.model, self.last, self.time, self.Q, c.alpha, c.gamma, c.n, c.kappa, self.rng)
