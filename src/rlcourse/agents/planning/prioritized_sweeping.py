"""Prioritized sweeping: planning where it matters, backwards from what changed (Sec. 8.4; Moore & Atkeson, Peng & Williams 1993).

Dyna-Q plans at random pairs, and in a large world nearly all of these updates change nothing. Prioritized sweeping keeps a queue of
pairs whose value would change by more than theta, and updates the largest first:

    P = |R + gamma max_a Q(S', a) - Q(S, A)|

After an update of (S, A) the pairs predicted to lead to S are looked at, so a surprise spreads backwards through the model, often
five to ten times faster than in Dyna-Q. The priority is an absolute value; the update has the sign. All updates, that of
the real step included, come from the queue: at most n per real step, counted in ``queue.tally``. The model is for deterministic
environments (`rlcourse.agents.planning.learned_model` says what happens in others).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.planning.learned_model import LearnedModel, PlanningSteps, Predecessors
from rlcourse.agents.planning.queue import PriorityQueue
from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box, kernel
from rlcourse.core.config import Config, Discount, NonNegative, Probability, StepSize
from rlcourse.core.policies import epsilon_greedy
from rlcourse.core.trial import Trial

__all__ = ["PrioritizedSweeping", "PrioritizedSweepingConfig", "change", "prioritized_sweeping"]


@kernel
def change(Q, s, a, r, s_, over, gamma):
    """Return R + gamma max_a Q(S', a) - Q(S, A)."""
    target = r if over else r + gamma * np.max(Q[s_])
    return target - Q[s, a]


@box
def prioritized_sweeping(world, model, predecessors, queue, Q, alpha, gamma, epsilon, n, theta, rng):
    """Prioritized sweeping for a deterministic environment, the box of Sec. 8.4."""
    actions = Q.shape[1]
    while world.more():
        S = world.reset(rng)  # (a) S <- current (nonterminal) state
        done = False
        while not done:  # Loop forever:
            A = epsilon_greedy(Q[S], epsilon, rng)  # (b) A <- policy(S, Q)
            S_, R, terminated, truncated = world.step(S, A, rng)  # (c) Take action A; observe resultant reward, R, and state, S'
            model.remember(S, A, R, S_, terminated)  # (d) Model(S, A) <- R, S'
            predecessors.lead(actions * S + A, S_)
            P = abs(change(Q, S, A, R, S_, terminated, gamma))  # (e) P <- |R + gamma max_a Q(S', a) - Q(S, A)|
            if P > theta:  # (f) if P > theta, then insert S, A into PQueue with priority P
                queue.insert(actions * S + A, P)
            for _ in range(n):  # (g) Loop repeat n times, while PQueue is not empty:
                if queue.is_empty():
                    break
                pair = queue.take_first()  # S, A <- first(PQueue)
                s, a = pair // actions, pair % actions
                r, s_, over = model.recall(s, a)  # R, S' <- Model(S, A)
                Q[s, a] += alpha * change(Q, s, a, r, s_, over, gamma)  # Q(S, A) <- Q(S, A) + alpha [R + gamma max Q(S') - Q(S, A)]
                pair = predecessors.first[s]
                while pair >= 0:  # Loop for all S", A" predicted to lead to S:
                    before, act = pair // actions, pair % actions
                    r, s_, over = model.recall(before, act)  # R" <- predicted reward for S", A", S
                    P = abs(change(Q, before, act, r, s_, over, gamma))  # P <- |R" + gamma max_a Q(S, a) - Q(S", A")|
                    if P > theta:  # if P > theta then insert S", A" into PQueue with priority P
                        queue.insert(pair, P)
                    pair = predecessors.following(pair)
            S = S_
            done = terminated or truncated


@dataclass(frozen=True)
class PrioritizedSweepingConfig(Config):
    """Settings of `PrioritizedSweeping`, named as in the book."""

    alpha: StepSize = 0.5  # step size
    gamma: Discount = 0.95  # discount rate
    epsilon: Probability = 0.1  # probability of a random action
    n: PlanningSteps = 5  # updates per real step at most
    theta: NonNegative = 1e-4  # changes up to this size are not worth an update


class PrioritizedSweeping(TabularAgent):
    """Prioritized sweeping on any environment with finite observations and actions (Sec. 8.4).

    Attributes
    ----------
    model : LearnedModel
        The last outcome of every pair.
    predecessors : Predecessors
        Which pairs lead to each state.
    queue : PriorityQueue
        What is to be updated; it outlives episodes.
    """

    Config = PrioritizedSweepingConfig
    tables = ("Q", "outcome", "states", "actions", "first", "pairs", "heap", "slot", "priority", "tally")

    def _build(self) -> None:
        super()._build()
        S, A = self.Q.shape
        self.model, self.predecessors, self.queue = LearnedModel.of(S, A), Predecessors.of(S, A), PriorityQueue.of(S * A)
        for part in (self.model, self.predecessors, self.queue):
            for name, array in part._asdict().items():
                setattr(self, name, array)

    def _run(self, trial: Trial) -> None:
        c, learned = self.config, (self.model, self.predecessors, self.queue)
        prioritized_sweeping(trial, *learned, self.Q, c.alpha, c.gamma, c.epsilon, c.n, c.theta, self.rng)
