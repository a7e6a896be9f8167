"""Off-policy Monte Carlo prediction of action values by weighted importance sampling (Sec. 5.6).

The problem is to evaluate a policy pi from episodes of another one, b. Weighted importance sampling averages returns with the weights
W = rho_t+1:T-1, the ratio of the probabilities under pi and b of all that was done after (S_t, A_t). The average needs no list of
returns: with C the sum of the weights so far,

    C <- C + W,        Q(S_t, A_t) <- Q(S_t, A_t) + W / C [G_t - Q(S_t, A_t)]        (5.8)

Going backwards, W becomes 0 at the first action that pi would not have taken, and nothing earlier is learned from that episode.
With b = pi all weights are 1: every-visit Monte Carlo. Where a time limit cuts an episode off, G begins with the expectation of Q
under pi in the state where it struck.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.monte_carlo.coverage import check_coverage
from rlcourse.agents.tabular import TabularAgent
from rlcourse.core import exact
from rlcourse.core.box import box
from rlcourse.core.config import Config, Discount
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["OffPolicyMCPrediction", "OffPolicyMCPredictionConfig", "off_policy_mc_prediction"]


@box
def off_policy_mc_prediction(world, policy, behavior, Q, C, gamma, rng):
    """Off-policy MC prediction (policy evaluation) for estimating Q ~ q_pi, the box of Sec. 5.6."""
    episode = [(0, 0, 0.0)]  # (S_t, A_t, R_t+1)
    while world.more():  # Loop forever (for each episode):
        episode.clear()
        S = world.reset(rng)
        done = terminated = False
        while not done:  # Generate an episode following b: S_0, A_0, R_1, ..., S_T-1, A_T-1, R_T
            A = sample(behavior[S], rng)
            S_, R, terminated, truncated = world.step(S, A, rng)
            episode.append((S, A, R))
            S, done = S_, terminated or truncated
        G = 0.0  # G <- 0, or what the time limit has cut off
        for A in range(0 if terminated else Q.shape[1]):
            G += policy[S, A] * Q[S, A]
        W = 1.0  # W <- 1
        while len(episode) > 0 and W != 0.0:  # Loop for each step of episode, t = T-1, T-2, ..., 0, while W != 0:
            S, A, R = episode.pop()
            G = gamma * G + R  # G <- gamma G + R_t+1
            C[S, A] += W  # C(S_t, A_t) <- C(S_t, A_t) + W
            Q[S, A] += W / C[S, A] * (G - Q[S, A])  # Q(S_t, A_t) <- Q(S_t, A_t) + W / C(S_t, A_t) [G - Q(S_t, A_t)]
            W *= policy[S, A] / behavior[S, A]  # W <- W pi(A_t|S_t) / b(A_t|S_t)


@dataclass(frozen=True)
class OffPolicyMCPredictionConfig(Config):
    """Settings of `OffPolicyMCPrediction`, named as in the book."""

    gamma: Discount = 1.0  # discount rate


class OffPolicyMCPrediction(TabularAgent):
    """Off-policy Monte Carlo prediction of `policy` from the episodes of `behavior`, action values (Sec. 5.6).

    Attributes
    ----------
    Q : ndarray of float64, shape [S, A]
        Action values of `policy`.
    C : ndarray of float64, shape [S, A]
        Sums of weights.
    """

    Config = OffPolicyMCPredictionConfig
    tables = ("Q", "C")
    inputs = ("policy", "behavior")
    behavior: np.ndarray

    def _build(self) -> None:
        super()._build()
        check_coverage(self.policy, self.behavior)
        self.C = np.zeros(self.Q.shape)

    def _run(self, trial: Trial) -> None:
        off_policy_mc_prediction(trial, self.policy, self.behavior, self.Q, self.C, self.config.gamma, self.rng)

    def exact_values(self) -> np.ndarray:
        """Return q_pi [S, A] of the given policy; needs a model (see `rlcourse.core.exact`)."""
        if self._exact is None:
            self._exact = exact.q_pi(self._model(), self.policy, self.config.gamma)
        return self._exact

    def true_error(self) -> float:
        """Return the root-mean-square distance between Q and `exact_values`."""
        return float(np.sqrt(np.nanmean((self.Q - self.exact_values()) ** 2)))
