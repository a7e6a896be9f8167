"""n-step TD by the sum of TD errors: Exercise 7.2.

Were the values fixed, the n-step error would be a discounted sum of one-step errors, each of them known at once (Exercise 7.1):

    G_t:t+n - V(S_t) = sum_{k=t}^{t+n-1} gamma^(k-t) delta_k,    delta_k = R_k+1 + gamma V(S_k+1) - V(S_k)

But values change from step to step, so updating by the sum of the errors as they were met,

    V(S_t) <- V(S_t) + alpha sum_k gamma^(k-t) delta_k

is a slightly different algorithm. n = 1 is TD(0), and while no state of the last n recurs both are the same. The exercise asks which is
better; the answer is measured in `rlcourse figure exercise-7.2`. The last error of an episode has no value beyond a terminal state, and
one beyond a time limit.
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

__all__ = ["NStepTDErrors", "NStepTDErrorsConfig", "n_step_td_errors"]


@box
def n_step_td_errors(world, policy, V, n, alpha, gamma, rng):
    """n-step TD for estimating V ~ v_pi by sums of TD errors (Exercise 7.2); what belongs to time i lies in slot i mod n + 1."""
    m = n + 1
    while world.more():  # Loop for each episode:
        states, errors = np.empty(m, np.int64), np.empty(m)
        S = world.reset(rng)  # Initialize and store S_0, not terminal
        states[0] = S
        t, T, tau, terminated = 0, FOREVER, -1, False  # T <- infinity
        while tau < T - 1:  # Loop for t = 0, 1, 2, ... until tau = T - 1:
            if t < T:  # If t < T:
                A = sample(policy[S], rng)  # Take an action according to pi(.|S_t)
                S_, R, terminated, truncated = world.step(S, A, rng)  # Observe R_t+1, observe and store S_t+1
                target = R if terminated else R + gamma * V[S_]
                states[(t + 1) % m], errors[t % m] = S_, target - V[S]  # delta_t <- R_t+1 + gamma V(S_t+1) - V(S_t)
                S = S_
                if terminated or truncated:  # If S_t+1 is terminal (or the time limit strikes), T <- t + 1
                    T = t + 1
            tau = t - n + 1  # tau is the time whose state's estimate is being updated
            if tau >= 0:
                error = discounted(errors, tau, min(tau + n, T) - 1, gamma, 0.0)  # sum_k gamma^(k-tau) delta_k
                V[states[tau % m]] += alpha * error  # V(S_tau) <- V(S_tau) + alpha sum_k gamma^(k-tau) delta_k
            t += 1


@dataclass(frozen=True)
class NStepTDErrorsConfig(Config):
    """Settings of `NStepTDErrors`, named as in the book."""

    n: Count = 4  # steps before bootstrapping
    alpha: StepSize = 0.1  # step size
    gamma: Discount = 1.0  # discount rate


class NStepTDErrors(TabularAgent):
    """n-step TD prediction of a given policy by sums of TD errors (Exercise 7.2).

    Attributes
    ----------
    V : ndarray of float64, shape [S]
        State values.
    """

    Config = NStepTDErrorsConfig
    tables = ("V",)
    inputs = ("policy",)

    def _run(self, trial: Trial) -> None:
        n_step_td_errors(trial, self.policy, self.V, self.config.n, self.config.alpha, self.config.gamma, self.rng)
