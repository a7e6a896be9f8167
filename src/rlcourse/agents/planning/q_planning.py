"""Random-sample one-step tabular Q-planning: planning at its simplest (Sec. 8.1).

Planning turns a model into a policy. All that is needed is a sample model: something that, asked for a state and an action, gives a
possible next state and reward. Q-planning asks it about random pairs and treats each answer as Q-learning treats experience:

    Q(S, A) <- Q(S, A) + alpha [R + gamma max_a Q(S', a) - Q(S, A)]        (6.8)

Under the conditions of Q-learning (every pair again and again, a step size that falls as it should) it converges to the optimal policy of
the model. Where the model is deterministic alpha = 1 is best, and the values become exact. A world is a sample model already: its
`step` begins in any state that it is given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box
from rlcourse.core.config import Config, Discount, StepSize
from rlcourse.core.history import History
from rlcourse.core.policies import uniform
from rlcourse.core.trial import Trial

__all__ = ["QPlanning", "QPlanningConfig", "q_planning"]


@box
def q_planning(world, model, Q, alpha, gamma, rng):
    """Random-sample one-step tabular Q-planning, the box of Sec. 8.1; as many updates as there are pairs count as one sweep."""
    S, A = Q.shape
    while world.more():
        largest = 0.0
        for _ in range(S * A):  # Loop forever:
            s = uniform(S, rng)  # 1. Select a state, S, and an action, A, at random
            a = uniform(A, rng)
            s_, r, terminated, _truncated = model.step(s, a, rng)  # 2. Send S, A to a sample model; obtain R and S'
            target = r if terminated else r + gamma * np.max(Q[s_])  # 3. Apply one-step tabular Q-learning to S, A, R, S'
            largest = max(largest, abs(target - Q[s, a]))
            Q[s, a] += alpha * (target - Q[s, a])
        world.sweep(largest, S * A)


@dataclass(frozen=True)
class QPlanningConfig(Config):
    """Settings of `QPlanning`, named as in the book."""

    alpha: StepSize = 0.5  # step size
    gamma: Discount = 0.95  # discount rate


class QPlanning(TabularAgent):
    """Q-planning where the exact model is known, which is asked for samples only (Sec. 8.1).

    Its unit of progress is a sweep, as many random updates as there are pairs: ``episodes`` counts sweeps, ``total_timesteps`` counts
    updates (whole sweeps), and `history` has one row per sweep: "delta", the largest error before an update.
    """

    Config = QPlanningConfig

    def _build(self) -> None:
        super()._build()
        self.model = self._model()
        self.history = History(("delta", "updates", "terminated", "timesteps"))

    def _run(self, trial: Trial) -> None:
        q_planning(trial, self.model, self.Q, self.config.alpha, self.config.gamma, self.rng)
