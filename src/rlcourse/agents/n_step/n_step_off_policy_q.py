"""Off-policy n-step prediction of action values, with and without control variates (Secs. 7.3, 7.4; Exercise 7.7).

The first action needs no ratio, it was taken; those after it do. The simple way weights the whole update:

    Q(S_t, A_t) <- Q(S_t, A_t) + alpha rho_t+1:t+n [G_t:t+n - Q(S_t, A_t)]                           (7.11)

The better way bootstraps from what the target policy expects, and corrects it by as much as the sample tells:

    G_t:h = R_t+1 + gamma [rho_t+1 (G_t+1:h - Q(S_t+1, A_t+1)) + Vbar(S_t+1)],    Vbar(s) = sum_a pi(a|s) Q(s, a)    (7.14)

It begins with G_h:h = Q(S_h, A_h), whatever A_h was: the difference is 0. In the step to a terminal state it begins with G_T-1:T = R_T;
where a time limit ends the episode, with the values of the state where the limit struck.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.n_step.returns import FOREVER, discounted, product
from rlcourse.agents.tabular import TabularAgent
from rlcourse.core import exact
from rlcourse.core.box import box, kernel
from rlcourse.core.config import Config, Count, Discount, StepSize
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["NStepOffPolicyQ", "NStepOffPolicyQConfig", "expectation", "n_step_off_policy_q"]


@kernel
def expectation(probabilities, values):
    """Return sum_a pi(a|s) Q(s, a), in order."""
    total = 0.0
    for a in range(len(values)):
        if probabilities[a] > 0.0:  # an action that does not exist has the value -inf
            total += probabilities[a] * values[a]
    return total


@box
def n_step_off_policy_q(world, policy, behavior, Q, n, control_variates, alpha, gamma, rng):
    """Off-policy n-step prediction of Q ~ q_pi from b (Secs. 7.3, 7.4); what belongs to time i lies in slot i mod n + 1."""
    m = n + 1
    while world.more():  # Loop for each episode:
        states, actions, rewards, ratios = np.empty(m, np.int64), np.empty(m, np.int64), np.empty(m), np.empty(m)
        S = world.reset(rng)  # Initialize and store S_0, not terminal
        A = sample(behavior[S], rng)  # Select and store an action A_0 ~ b(.|S_0)
        states[0], actions[0] = S, A
        t, T, tau, terminated = 0, FOREVER, -1, False  # T <- infinity
        while tau < T - 1:  # Loop for t = 0, 1, 2, ... until tau = T - 1:
            if t < T:  # If t < T:
                S, R, terminated, truncated = world.step(S, A, rng)  # Take action A_t; observe and store R_t+1 and S_t+1
                A = sample(behavior[S], rng)  # Select and store an action A_t+1 ~ b(.|S_t+1)
                states[(t + 1) % m], actions[(t + 1) % m], rewards[(t + 1) % m] = S, A, R
                ratios[(t + 1) % m] = policy[S, A] / behavior[S, A]  # Store pi(A_t+1|S_t+1) / b(A_t+1|S_t+1) as rho_t+1
                if terminated or truncated:  # If S_t+1 is terminal (or the time limit strikes), T <- t + 1
                    T = t + 1
            tau = t - n + 1  # tau is the time whose estimate is being updated
            if tau >= 0:
                h = min(tau + n, T)
                rho = 1.0
                G = 0.0 if terminated else Q[states[h % m], actions[h % m]]  # G_h:h = Q(S_h, A_h), 0 at a terminal state
                if control_variates:
                    for k in range(h, tau, -1):  # G_k-1:h <- R_k + gamma [rho_k (G_k:h - Q(S_k, A_k)) + Vbar(S_k)]
                        i, S_k = k % m, states[k % m]
                        after = ratios[i] * (G - Q[S_k, actions[i]]) + expectation(policy[S_k], Q[S_k])
                        G = rewards[i] + (0.0 if terminated and k == h else gamma * after)  # G_T-1:T = R_T
                else:
                    rho = product(ratios, tau + 1, h - 1 if terminated else h)  # rho <- rho_tau+1:tau+n
                    G = discounted(rewards, tau + 1, h, gamma, G)  # G <- sum_i gamma^(i-tau-1) R_i + gamma^n Q(S_tau+n, A_tau+n)
                S_tau, A_tau = states[tau % m], actions[tau % m]
                Q[S_tau, A_tau] += alpha * rho * (G - Q[S_tau, A_tau])  # Q <- Q + alpha rho [G - Q]
            t += 1


@dataclass(frozen=True)
class NStepOffPolicyQConfig(Config):
    """Settings of `NStepOffPolicyQ`, named as in the book."""

    n: Count = 4  # steps before bootstrapping
    control_variates: bool = True  # put the ratios into the return, with control variates; else weight the whole update
    alpha: StepSize = 0.1  # step size
    gamma: Discount = 1.0  # discount rate


class NStepOffPolicyQ(TabularAgent):
    """Off-policy n-step prediction of the action values of `policy` from the episodes of `behavior` (Sec. 7.4)."""

    Config = NStepOffPolicyQConfig
    inputs = ("policy", "behavior")

    def exact_values(self) -> np.ndarray:
        """Return q_pi [S, A]; needs a model."""
        if self._exact is None:
            self._exact = exact.q_pi(self._model(), self.policy, self.config.gamma)
        return self._exact

    def true_error(self) -> float:
        """Return the root-mean-square distance between Q and q_pi."""
        return float(np.sqrt(np.nanmean((self.Q - self.exact_values()) ** 2)))

    def _run(self, trial: Trial) -> None:
        c = self.config
        n_step_off_policy_q(trial, self.policy, self.behavior, self.Q, c.n, c.control_variates, c.alpha, c.gamma, self.rng)
