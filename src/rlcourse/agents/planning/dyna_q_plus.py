"""Dyna-Q+: planning with a bonus for what was long not tried (Sec. 8.3).

A model may be wrong because the world has changed. If it promises too much, following it brings the error to light; if the world has
become better, a greedy agent may never notice. Dyna-Q+ is curious: a transition not tried in tau real steps is planned as if its
reward were larger, which makes long chains of actions towards stale parts of the world worth planning,

    R + kappa sqrt(tau)   in place of   R

Actions never tried are considered in planning too, as leading back to the same state with reward 0 (the footnote of Sec. 8.3; `untried`
turns this off). tau counts real steps over all episodes, from the beginning for pairs never tried. The learning update of the real
step has no bonus. With kappa = 0 and untried = False this is Dyna-Q.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rlcourse.agents.planning.learned_model import LearnedModel, PlanningSteps
from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box
from rlcourse.core.config import Config, Discount, NonNegative, Probability, StepSize
from rlcourse.core.policies import epsilon_greedy, uniform
from rlcourse.core.trial import Trial

__all__ = ["DynaQPlus", "DynaQPlusConfig", "dyna_q_plus"]


@box
def dyna_q_plus(world, model, last, time, Q, alpha, gamma, epsilon, n, kappa, untried, rng):
    """Tabular Dyna-Q+: the box of Sec. 8.2 with the changes of Sec. 8.3."""
    while world.more():
        S = world.reset(rng)  # (a) S <- current (nonterminal) state
        done = False
        while not done:  # Loop forever:
            A = epsilon_greedy(Q[S], epsilon, rng)  # (b) A <- epsilon-greedy(S, Q)
            S_, R, terminated, truncated = world.step(S, A, rng)  # (c) Take action A; observe resultant reward, R, and state, S'
            target = R if terminated else R + gamma * np.max(Q[S_])
            Q[S, A] += alpha * (target - Q[S, A])  # (d) Q(S, A) <- Q(S, A) + alpha [R + gamma max_a Q(S', a) - Q(S, A)]
            model.remember(S, A, R, S_, terminated)  # (e) Model(S, A) <- R, S'
            time[0] += 1
            last[S, A] = time[0]  # when the pair was last tried
            for _ in range(n):  # (f) Loop repeat n times:
                s = model.observed_state(rng)  # S <- random previously observed state
                a = uniform(Q.shape[1], rng) if untried else model.taken_action(s, rng)  # A <- random action
                r, s_, over = model.recall(s, a)  # R, S' <- Model(S, A); untried: 0, S
                tau = time[0] - last[s, a]  # real steps since the pair was tried
                r += kappa * math.sqrt(tau)
                target = r if over else r + gamma * np.max(Q[s_])
                Q[s, a] += alpha * (target - Q[s, a])  # Q(S, A) <- Q(S, A) + alpha [R + bonus + gamma max_a Q(S', a) - Q(S, A)]
            S = S_
            done = terminated or truncated


@dataclass(frozen=True)
class DynaQPlusConfig(Config):
    """Settings of `DynaQPlus`, named as in the book."""

    alpha: StepSize = 0.1  # step size
    gamma: Discount = 0.95  # discount rate
    epsilon: Probability = 0.1  # probability of a random action
    n: PlanningSteps = 10  # planning updates per real step
    kappa: NonNegative = 1e-3  # weight of the bonus kappa sqrt(tau)
    untried: bool = True  # whether planning considers actions never tried in a state


class DynaQPlus(TabularAgent):
    """Dyna-Q+ on any environment with finite observations and actions (Sec. 8.3).

    Attributes
    ----------
    model : LearnedModel
        The last outcome of every pair.
    last : ndarray of int64, shape [S, A]
        The real step in which each pair was last tried; 0 for never.
    time : ndarray of int64, shape [1]
        Real steps so far.
    """

    Config = DynaQPlusConfig
    tables = ("Q", "outcome", "states", "actions", "last", "time")

    def _build(self) -> None:
        super()._build()
        self.model = LearnedModel.of(*self.Q.shape)
        self.outcome, self.states, self.actions = self.model
        self.last, self.time = np.zeros(self.Q.shape, np.int64), np.zeros(1, np.int64)

    def _run(self, trial: Trial) -> None:
        c = self.config
        numbers = (c.alpha, c.gamma, c.epsilon, c.n, c.kappa, c.untried)
        dyna_q_plus(trial, self.model, self.last, self.time, self.Q, *numbers, self.rng)
