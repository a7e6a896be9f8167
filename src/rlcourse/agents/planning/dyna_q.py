"""Dyna-Q: learning, model-learning and planning in every step (Sec. 8.2; Sutton 1990).

Real experience can be used twice: directly, to improve values, and indirectly, to improve a model whose simulated experience
improves the values too. Dyna-Q does both with one update. After each real step it repeats Q-learning's on n pairs drawn from what it
has seen, with Model(S, A) in place of the environment:

    Q(S, A) <- Q(S, A) + alpha [R + gamma max_a Q(S', a) - Q(S, A)]        (6.8)

With n = 0 it is Q-learning. In the maze of Example 8.1 an episode of Q-learning adds one step to the policy; with n = 50 nearly
the whole policy is found during the second episode. The model holds the last outcome of each pair: it is meant for deterministic
environments (`rlcourse.agents.planning.learned_model` says what happens in others).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.planning.learned_model import LearnedModel, PlanningSteps
from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box
from rlcourse.core.config import Config, Discount, Probability, StepSize
from rlcourse.core.policies import epsilon_greedy
from rlcourse.core.trial import Trial

__all__ = ["DynaQ", "DynaQConfig", "dyna_q"]


@box
def dyna_q(world, model, Q, alpha, gamma, epsilon, n, rng):
    """Tabular Dyna-Q, the box of Sec. 8.2."""
    while world.more():
        S = world.reset(rng)  # (a) S <- current (nonterminal) state
        done = False
        while not done:  # Loop forever:
            A = epsilon_greedy(Q[S], epsilon, rng)  # (b) A <- epsilon-greedy(S, Q)
            S_, R, terminated, truncated = world.step(S, A, rng)  # (c) Take action A; observe resultant reward, R, and state, S'
            target = R if terminated else R + gamma * np.max(Q[S_])
            Q[S, A] += alpha * (target - Q[S, A])  # (d) Q(S, A) <- Q(S, A) + alpha [R + gamma max_a Q(S', a) - Q(S, A)]
            model.remember(S, A, R, S_, terminated)  # (e) Model(S, A) <- R, S' (assuming deterministic environment)
            for _ in range(n):  # (f) Loop repeat n times:
                s = model.observed_state(rng)  # S <- random previously observed state
                a = model.taken_action(s, rng)  # A <- random action previously taken in S
                r, s_, over = model.recall(s, a)  # R, S' <- Model(S, A)
                target = r if over else r + gamma * np.max(Q[s_])
                Q[s, a] += alpha * (target - Q[s, a])  # Q(S, A) <- Q(S, A) + alpha [R + gamma max_a Q(S', a) - Q(S, A)]
            S = S_
            done = terminated or truncated


@dataclass(frozen=True)
class DynaQConfig(Config):
    """Settings of `DynaQ`, named as in the book."""

    alpha: StepSize = 0.1  # step size
    gamma: Discount = 0.95  # discount rate
    epsilon: Probability = 0.1  # probability of a random action
    n: PlanningSteps = 10  # planning updates per real step


class DynaQ(TabularAgent):
    """Dyna-Q on any environment with finite observations and actions (Sec. 8.2).

    Attributes
    ----------
    model : LearnedModel
        The last outcome of every pair.
    """

    Config = DynaQConfig
    tables = ("Q", "outcome", "states", "actions")

    def _build(self) -> None:
        super()._build()
        self.model = LearnedModel.of(*self.Q.shape)
        self.outcome, self.states, self.actions = self.model

    def _run(self, trial: Trial) -> None:
        c = self.config
        dyna_q(trial, self.model, self.Q, c.alpha, c.gamma, c.epsilon, c.n, self.rng)
