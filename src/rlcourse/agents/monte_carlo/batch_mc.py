"""Batch Monte Carlo: all returns so far, presented again and again until the values settle (Sec. 6.3).

The other answer that a batch of episodes has. Constant-alpha Monte Carlo under batch updating sums the increments of all visits,

    V(s) <- V(s) + alpha sum over visits t to s of [G_t - V(S_t)],

and settles at the mean of the returns that followed s: the least squared error on the episodes seen, while batch TD(0) finds
the estimate that is best for the process that produced them, and so is better on future data (Example 6.4). The sum is divided by
the number of visits, so that every alpha <= 1 is small enough. An episode cut by a time limit has a return that ends in the value of
the state where it was cut.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box
from rlcourse.core.config import Config, Count, Discount, Positive, StepSize
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["BatchMC", "BatchMCConfig", "batch_mc"]


@box
def batch_mc(world, policy, V, visits, totals, tails, alpha, gamma, theta, sweeps, rng):
    """Batch constant-alpha Monte Carlo for estimating v_pi, on all episodes seen so far (Sec. 6.3)."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)
        states, rewards = [S], [0.0]
        done = False
        while not done:  # Generate an episode by pi: S_0, A_0, R_1, S_1, ..., R_T
            A = sample(policy[S], rng)
            S, R, terminated, truncated = world.step(S, A, rng)
            states.append(S)
            rewards.append(R)
            done = terminated or truncated
        G = 0.0
        tail = 0.0 if terminated else 1.0  # weight of V(S_T) in the return; a terminal state has no value
        for t in range(len(states) - 2, -1, -1):  # Add its returns to the batch
            G = rewards[t + 1] + gamma * G
            tail *= gamma
            visits[states[t]] += 1.0
            totals[states[t]] += G
            tails[states[t], S] += tail
        for _ in range(sweeps):  # Present the batch repeatedly
            increments = np.zeros(len(V))
            for s in range(len(V)):
                if visits[s] > 0.0:  # sum of [G - V(s)] over all visits to s
                    increments[s] = totals[s] - visits[s] * V[s]
                    for s_ in range(len(V)):
                        if tails[s, s_] > 0.0:
                            increments[s] += tails[s, s_] * V[s_]
            change = 0.0
            for s in range(len(V)):  # the value function is changed only once, by the sum of all increments
                if visits[s] > 0.0:
                    V[s] += alpha * increments[s] / visits[s]
                    change = max(change, abs(alpha * increments[s] / visits[s]))
            if change < theta:  # until V converges
                break


@dataclass(frozen=True)
class BatchMCConfig(Config):
    """Settings of `BatchMC`."""

    alpha: StepSize = 1.0  # step size, divided by the number of a state's visits
    gamma: Discount = 1.0  # discount rate
    theta: Positive = 1e-8  # a sweep through the batch that changes no value by this much is the last
    sweeps: Count = 10_000  # at most, after each episode


class BatchMC(TabularAgent):
    """Batch Monte Carlo for a given policy; the batch is kept as sums (Sec. 6.3).

    Attributes
    ----------
    visits, totals : ndarray of float64, shape [S]
        Visits to each state, and the sum of the returns that followed them.
    tails : ndarray of float64, shape [S, S]
        Weight, in those returns, of the value of the state where a time limit struck.
    """

    Config = BatchMCConfig
    inputs = ("policy",)
    tables = ("V", "visits", "totals", "tails")

    def _build(self) -> None:
        super()._build()
        S = len(self.V)
        if S > 5000:
            raise ValueError(f"BatchMC keeps a table of states by states, and {S} x {S} are too many: take MCPrediction")
        self.visits, self.totals, self.tails = np.zeros(S), np.zeros(S), np.zeros((S, S))

    def _run(self, trial: Trial) -> None:
        batch, c = (self.visits, self.totals, self.tails), self.config
        batch_mc(trial, self.policy, self.V, *batch, c.alpha, c.gamma, c.theta, c.sweeps, self.rng)
