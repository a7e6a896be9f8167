"""n-step TD: prediction between one step and the whole episode (Sec. 7.1).

TD(0) looks one reward ahead and trusts its estimate from there; Monte Carlo methods wait for all rewards. The n-step return takes the
first n rewards and the estimate of the state reached then:

    G_t:t+n = R_t+1 + gamma R_t+2 + ... + gamma^(n-1) R_t+n + gamma^n V(S_t+n)        (7.1)
    V(S_t) <- V(S_t) + alpha [G_t:t+n - V(S_t)]                                       (7.2)

n = 1 is TD(0), bit for bit; n beyond the length of the episode is constant-alpha every-visit Monte Carlo. In between lies the best: on
the random walk of Figure 7.2 at n = 4. Updates run n steps late, so the last n of them follow the end of the episode. Where a time
limit ends it, they all bootstrap from the state where the limit struck.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.n_step.returns import FOREVER, discounted
from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box
from rlcourse.core.config import Config, Count, Discount, StepSize
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["NStepTD", "NStepTDConfig", "n_step_td"]


@box
def n_step_td(world, policy, V, n, alpha, gamma, rng):
    """n-step TD for estimating V ~ v_pi, the box of Sec. 7.1; what belongs to time i lies in slot i mod n + 1."""
    m = n + 1
    while world.more():  # Loop for each episode:
        states, rewards = np.empty(m, np.int64), np.empty(m)
        S = world.reset(rng)  # Initialize and store S_0, not terminal
        states[0] = S
        t, T, tau, terminated = 0, FOREVER, -1, False  # T <- infinity
        while tau < T - 1:  # Loop for t = 0, 1, 2, ... until tau = T - 1:
            if t < T:  # If t < T:
                A = sample(policy[S], rng)  # Take an action according to pi(.|S_t)
                S, R, terminated, truncated = world.step(S, A, rng)  # Observe and store R_t+1 and S_t+1
                states[(t + 1) % m], rewards[(t + 1) % m] = S, R
                if terminated or truncated:  # If S_t+1 is terminal (or the time limit strikes), T <- t + 1
                    T = t + 1
            tau = t - n + 1  # tau is the time whose state's estimate is being updated
            if tau >= 0:
                h = min(tau + n, T)
                G = 0.0 if terminated else V[states[h % m]]  # V(S_tau+n), if tau + n < T
                G = discounted(rewards, tau + 1, h, gamma, G)  # G <- sum_i gamma^(i-tau-1) R_i + gamma^n V(S_tau+n)
                V[states[tau % m]] += alpha * (G - V[states[tau % m]])  # V(S_tau) <- V(S_tau) + alpha [G - V(S_tau)]
            t += 1


@dataclass(frozen=True)
class NStepTDConfig(Config):
    """Settings of `NStepTD`, named as in the book."""

    n: Count = 4  # steps before bootstrapping
    alpha: StepSize = 0.1  # step size
    gamma: Discount = 1.0  # discount rate


class NStepTD(TabularAgent):
    """n-step TD prediction of a given policy, on any environment with finite observations and actions (Sec. 7.1).

    Attributes
    ----------
    V : ndarray of float64, shape [S]
        State values.
    """

    Config = NStepTDConfig
    tables = ("V",)
    inputs = ("policy",)

    def _run(self, trial: Trial) -> None:
        n_step_td(trial, self.policy, self.V, self.config.n, self.config.alpha, self.config.gamma, self.rng)
