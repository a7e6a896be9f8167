"""Off-policy prediction of state values by importance sampling, ordinary or weighted (Sec. 5.5).

The problem is to evaluate a policy pi from episodes of another one, b, that takes every action that pi may take. An episode
that pi would have made more often counts more: its return is multiplied by the ratio of both probabilities,

    rho_t:T-1 = prod_k=t..T-1 pi(A_k|S_k) / b(A_k|S_k)                                           (5.3)
    V(s) = sum_t rho_t:T-1 G_t / |T(s)|   (5.5)        V(s) = sum_t rho_t:T-1 G_t / sum_t rho_t:T-1   (5.6)

over the visits t in T(s). Ordinary importance sampling (5.5) is unbiased, but its variance may be infinite; weighted importance
sampling (5.6) is biased at first, never leaves the range of the returns, and is nearly always to be preferred. Where a time limit cuts an
episode off, G begins with the estimate V of the state where it struck, and rho ends there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.monte_carlo.coverage import check_coverage
from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box
from rlcourse.core.config import Config, Discount
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["ImportanceSampling", "ImportanceSamplingConfig", "importance_sampling"]


@box
def importance_sampling(world, policy, behavior, V, C, weighted, first_visit, gamma, rng):
    """Off-policy MC prediction, for estimating V ~ v_pi from b, Eqs. (5.5) and (5.6) in the incremental form of Sec. 5.6."""
    episode = [(0, 0, 0.0)]  # (S_t, A_t, R_t+1)
    episode.pop()
    visits = np.zeros(len(V), np.int64)  # in this episode up to time t
    while world.more():  # Loop forever (for each episode):
        S = world.reset(rng)
        done = terminated = False
        while not done:  # Generate an episode following b: S_0, A_0, R_1, ..., S_T-1, A_T-1, R_T
            A = sample(behavior[S], rng)
            S_, R, terminated, truncated = world.step(S, A, rng)
            episode.append((S, A, R))
            visits[S] += 1
            S, done = S_, terminated or truncated
        G = 0.0 if terminated else V[S]  # G <- 0, or what the time limit has cut off
        W = 1.0  # W <- 1
        while len(episode) > 0:  # Loop for each step of episode, t = T-1, T-2, ..., 0:
            S, A, R = episode.pop()
            G = gamma * G + R  # G <- gamma G + R_t+1
            W *= policy[S, A] / behavior[S, A]  # W <- W pi(A_t|S_t) / b(A_t|S_t) = rho_t:T-1
            visits[S] -= 1
            if visits[S] == 0 or not first_visit:  # Unless S_t appears in S_0, S_1, ..., S_t-1:
                C[S] += W if weighted else 1.0  # the denominator
                if not weighted:
                    V[S] += (W * G - V[S]) / C[S]  # (5.5)
                elif W > 0.0:
                    V[S] += W / C[S] * (G - V[S])  # (5.6)


@dataclass(frozen=True)
class ImportanceSamplingConfig(Config):
    """Settings of `ImportanceSampling`, named as in the book."""

    weighted: bool = True  # weighted importance sampling, else ordinary
    first_visit: bool = True  # count the first visit to a state in an episode only; else every visit
    gamma: Discount = 1.0  # discount rate


class ImportanceSampling(TabularAgent):
    """Off-policy Monte Carlo prediction of `policy` from the episodes of `behavior`, state values (Sec. 5.5).

    Attributes
    ----------
    V : ndarray of float64, shape [S]
        State values of `policy`.
    C : ndarray of float64, shape [S]
        Denominators: visits, or sums of their ratios where weighted.
    """

    Config = ImportanceSamplingConfig
    tables = ("V", "C")
    inputs = ("policy", "behavior")
    behavior: np.ndarray

    def _build(self) -> None:
        super()._build()
        check_coverage(self.policy, self.behavior)
        self.C = np.zeros(len(self.V))

    def _run(self, trial: Trial) -> None:
        c = self.config
        importance_sampling(trial, self.policy, self.behavior, self.V, self.C, c.weighted, c.first_visit, c.gamma, self.rng)
