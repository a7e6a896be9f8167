"""Off-policy n-step TD: prediction of one policy from the episodes of another, with and without control variates (Secs. 7.3, 7.4).

The simple way weights the whole update with the ratio of both policies over the n actions:

    V(S_t) <- V(S_t) + alpha rho_t:t+n-1 [G_t:t+n - V(S_t)]                          (7.9)

Where rho is 0 it learns nothing, and where it is large it leaps. The better way puts the ratio into the return, with a control variate
that has expectation 0 and keeps the estimate where rho is 0:

    G_t:h = rho_t (R_t+1 + gamma G_t+1:h) + (1 - rho_t) V(S_t),    G_h:h = V(S_h)    (7.13)

and updates by (7.2) without a factor: same expectation of the target, less variance (Exercise 7.10). At a terminal state the recursion
begins with 0; where a time limit ends the episode, it begins with the value of the state where the limit struck. b = pi is n-step TD.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.n_step.returns import FOREVER, discounted, product
from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box
from rlcourse.core.config import Config, Count, Discount, StepSize
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["NStepOffPolicyTD", "NStepOffPolicyTDConfig", "n_step_off_policy_td"]


@box
def n_step_off_policy_td(world, policy, behavior, V, n, control_variates, alpha, gamma, rng):
    """Off-policy n-step TD for estimating V ~ v_pi from b (Secs. 7.3, 7.4); what belongs to time i lies in slot i mod n + 1."""
    m = n + 1
    while world.more():  # Loop for each episode:
        states, rewards, ratios = np.empty(m, np.int64), np.empty(m), np.empty(m)
        S = world.reset(rng)  # Initialize and store S_0, not terminal
        states[0] = S
        t, T, tau, terminated = 0, FOREVER, -1, False  # T <- infinity
        while tau < T - 1:  # Loop for t = 0, 1, 2, ... until tau = T - 1:
            if t < T:  # If t < T:
                A = sample(behavior[S], rng)  # Take an action according to b(.|S_t)
                ratios[t % m] = policy[S, A] / behavior[S, A]  # Store pi(A_t|S_t) / b(A_t|S_t) as rho_t
                S, R, terminated, truncated = world.step(S, A, rng)  # Observe and store R_t+1 and S_t+1
                states[(t + 1) % m], rewards[(t + 1) % m] = S, R
                if terminated or truncated:  # If S_t+1 is terminal (or the time limit strikes), T <- t + 1
                    T = t + 1
            tau = t - n + 1  # tau is the time whose state's estimate is being updated
            if tau >= 0:
                h = min(tau + n, T)
                rho = 1.0
                G = 0.0 if terminated else V[states[h % m]]  # G_h:h = V(S_h), 0 at a terminal state
                if control_variates:
                    for k in range(h - 1, tau - 1, -1):  # G_k:h <- rho_k (R_k+1 + gamma G_k+1:h) + (1 - rho_k) V(S_k)
                        G = ratios[k % m] * (rewards[(k + 1) % m] + gamma * G) + (1.0 - ratios[k % m]) * V[states[k % m]]
                else:
                    rho = product(ratios, tau, h - 1)  # rho <- rho_tau:tau+n-1
                    G = discounted(rewards, tau + 1, h, gamma, G)  # G <- sum_i gamma^(i-tau-1) R_i + gamma^n V(S_tau+n)
                V[states[tau % m]] += alpha * rho * (G - V[states[tau % m]])  # V(S_tau) <- V(S_tau) + alpha rho [G - V(S_tau)]
            t += 1


@dataclass(frozen=True)
class NStepOffPolicyTDConfig(Config):
    """Settings of `NStepOffPolicyTD`, named as in the book."""

    n: Count = 4  # steps before bootstrapping
    control_variates: bool = True  # put the ratios into the return, with control variates; else weight the whole update
    alpha: StepSize = 0.1  # step size
    gamma: Discount = 1.0  # discount rate


class NStepOffPolicyTD(TabularAgent):
    """Off-policy n-step TD prediction of `policy` from the episodes of `behavior` (Secs. 7.3, 7.4).

    Attributes
    ----------
    V : ndarray of float64, shape [S]
        State values of `policy`.
    """

    Config = NStepOffPolicyTDConfig
    tables = ("V",)
    inputs = ("policy", "behavior")

    def _run(self, trial: Trial) -> None:
        c = self.config
        n_step_off_policy_td(trial, self.policy, self.behavior, self.V, c.n, c.control_variates, c.alpha, c.gamma, self.rng)
