"""Batch TD(0): all experience so far, presented again and again until the values settle (Sec. 6.3).

With a finite amount of experience, TD(0) and Monte Carlo converge to different answers. Under batch updating the increments of all
visits are computed from one V and summed, and only then is V changed:

    V(s) <- V(s) + alpha sum over visits t to s of [R_{t+1} + gamma V(S_{t+1}) - V(S_t)]

These sums depend on how often s was followed by s' and on the rewards, and on nothing else: so what batch TD(0) finds is exactly the
value function of the Markov process with the observed frequencies, the certainty-equivalence estimate. The book asks for a
sufficiently small alpha; here each state's sum is divided by its number of visits, which is small enough for every alpha <= 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box
from rlcourse.core.config import Config, Count, Discount, Positive, StepSize
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["BatchTD0", "BatchTD0Config", "batch_td0"]


@box
def batch_td0(world, policy, V, visits, totals, followed, alpha, gamma, theta, sweeps, rng):
    """Batch TD(0) for estimating v_pi: after each episode V converges on all episodes seen so far (Sec. 6.3)."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)
        done = False
        while not done:  # Add the episode to the batch
            A = sample(policy[S], rng)
            S_, R, terminated, truncated = world.step(S, A, rng)
            visits[S] += 1.0
            totals[S] += R
            if not terminated:
                followed[S, S_] += 1.0
            S = S_
            done = terminated or truncated
        for _ in range(sweeps):  # Present the batch repeatedly
            increments = np.zeros(len(V))
            for s in range(len(V)):
                if visits[s] > 0.0:  # sum of [R + gamma V(S') - V(s)] over all visits to s
                    increments[s] = totals[s] - visits[s] * V[s]
                    for s_ in range(len(V)):
                        if followed[s, s_] > 0.0:
                            increments[s] += gamma * followed[s, s_] * V[s_]
            change = 0.0
            for s in range(len(V)):  # the value function is changed only once, by the sum of all increments
                if visits[s] > 0.0:
                    V[s] += alpha * increments[s] / visits[s]
                    change = max(change, abs(alpha * increments[s] / visits[s]))
            if change < theta:  # until V converges
                break


@dataclass(frozen=True)
class BatchTD0Config(Config):
    """Settings of `BatchTD0`."""

    alpha: StepSize = 1.0  # step size, divided by the number of a state's visits
    gamma: Discount = 1.0  # discount rate
    theta: Positive = 1e-8  # a sweep through the batch that changes no value by this much is the last
    sweeps: Count = 10_000  # at most, after each episode


class BatchTD0(TabularAgent):
    """Batch TD(0) for a given policy; the batch is kept as counts, S x S of them (Sec. 6.3).

    Attributes
    ----------
    visits, totals : ndarray of float64, shape [S]
        Visits to each state, and the sum of the rewards that followed them.
    followed : ndarray of float64, shape [S, S]
        How often one state followed another; the end of an episode by termination is no state.
    """

    Config = BatchTD0Config
    inputs = ("policy",)
    tables = ("V", "visits", "totals", "followed")

    def _build(self) -> None:
        super()._build()
        S = len(self.V)
        if S > 5000:
            raise ValueError(f"BatchTD0 counts which state followed which, and {S} x {S} are too many: take TD0")
        self.visits, self.totals, self.followed = np.zeros(S), np.zeros(S), np.zeros((S, S))

    def _run(self, trial: Trial) -> None:
        batch, c = (self.visits, self.totals, self.followed), self.config
        batch_td0(trial, self.policy, self.V, *batch, c.alpha, c.gamma, c.theta, c.sweeps, self.rng)
