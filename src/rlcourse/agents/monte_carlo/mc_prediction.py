"""Monte Carlo prediction: values as averages of returns, first visit or every visit (Sec. 5.1).

The problem is prediction without a model: what is a state worth under a given policy? The value is an expected return, so play
episodes and average the returns that followed a visit to the state:

    V(S_t) <- V(S_t) + [G_t - V(S_t)] / N(S_t),        G_t = R_t+1 + gamma G_t+1

First-visit MC counts a state once per episode, which makes its returns independent and the average unbiased; every-visit MC
counts every visit and is biased at first. Nothing is bootstrapped: the estimate of one state takes no others. With a step size
alpha in place of 1 / N(S_t) this is constant-alpha MC (6.1). One exception: where a time limit cuts an episode off, what would have
followed is unknown, and G begins with the estimate V of the state where it struck.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box
from rlcourse.core.config import Config, Discount, StepSize
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["MCPrediction", "MCPredictionConfig", "mc_prediction"]


@box
def mc_prediction(world, policy, V, N, first_visit, alpha, gamma, rng):
    """First-visit MC prediction, for estimating V ~ v_pi, the box of Sec. 5.1; an alpha above 0 replaces the average."""
    episode = [(0, 0.0)]  # (S_t, R_t+1)
    episode.pop()
    visits = np.zeros(len(V), np.int64)  # in this episode up to time t
    while world.more():  # Loop forever (for each episode):
        S = world.reset(rng)
        done = terminated = False
        while not done:  # Generate an episode following pi: S_0, A_0, R_1, ..., S_T-1, A_T-1, R_T
            S_, R, terminated, truncated = world.step(S, sample(policy[S], rng), rng)
            episode.append((S, R))
            visits[S] += 1
            S, done = S_, terminated or truncated
        G = 0.0 if terminated else V[S]  # G <- 0, or what the time limit has cut off
        while len(episode) > 0:  # Loop for each step of episode, t = T-1, T-2, ..., 0:
            S, R = episode.pop()
            G = gamma * G + R  # G <- gamma G + R_t+1
            visits[S] -= 1
            if visits[S] == 0 or not first_visit:  # Unless S_t appears in S_0, S_1, ..., S_t-1:
                N[S] += 1.0
                V[S] += (G - V[S]) * (alpha if alpha > 0.0 else 1.0 / N[S])  # V(S_t) <- average(Returns(S_t))


@dataclass(frozen=True)
class MCPredictionConfig(Config):
    """Settings of `MCPrediction`, named as in the book."""

    first_visit: bool = True  # count the first visit to a state in an episode only; else every visit
    alpha: StepSize | None = None  # step size; None averages all returns
    gamma: Discount = 1.0  # discount rate


class MCPrediction(TabularAgent):
    """Monte Carlo prediction of `policy` (Sec. 5.1).

    Attributes
    ----------
    V : ndarray of float64, shape [S]
        State values of `policy`.
    N : ndarray of float64, shape [S]
        Returns averaged in each.
    """

    Config = MCPredictionConfig
    tables = ("V", "N")
    inputs = ("policy",)

    def _build(self) -> None:
        super()._build()
        self.N = np.zeros(len(self.V))

    def _run(self, trial: Trial) -> None:
        c = self.config
        mc_prediction(trial, self.policy, self.V, self.N, c.first_visit, c.alpha or 0.0, c.gamma, self.rng)
