"""Emphatic TD(lambda): off-policy stability by weighting the states (Sec. 12.11).

One-step TD is stable where states are updated as often as the target policy meets them. Emphatic-TD methods restore that: the followon
trace F counts how much the steps so far would go on to this state, and the emphasis M is the weight of its update:

    w_t+1 = w_t + alpha delta_t z_t
    z_t = rho_t (gamma lambda z_t-1 + M_t x_t)
    M_t = lambda I_t + (1 - lambda) F_t
    F_t = rho_t-1 gamma F_t-1 + I_t,    F_0 = I_0

with delta_t as in TD(lambda) (12.6), and here the interest I_t = 1 everywhere. lambda = 0 is the emphatic TD of Section 11.8; lambda = 1
makes M = 1, off-policy TD(1). On-policy F_t = 1 + gamma + ... + gamma^t. With small steps it converges; its variance may be large, for
F multiplies ratios.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.core.box import box
from rlcourse.core.config import Discount, Probability, StepSize
from rlcourse.core.linear import add, pi, v_hat
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["EmphaticTDLambda", "EmphaticTDLambdaConfig", "emphatic_td_lambda"]


@box
def emphatic_td_lambda(world, policy, behavior, features, w, alpha, gamma, lam, rng):
    """Emphatic TD(lambda) for estimating w^T x ~ v_pi from b (Sec. 12.11, which has no box)."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)
        x = features.x(S)
        z = np.zeros(len(w))  # z <- 0
        F = 1.0  # F <- I
        done = False
        while not done:  # Loop for each step of episode:
            A = sample(pi(behavior, S), rng)  # Choose A ~ b(.|S)
            rho = pi(policy, S)[A] / pi(behavior, S)[A]  # rho <- pi(A|S) / b(A|S)
            S, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, x'
            x_ = features.x(S)
            target = R if terminated else R + gamma * v_hat(x_, w)
            delta = target - v_hat(x, w)  # delta <- R + gamma w^T x' - w^T x
            M = lam + (1.0 - lam) * F  # M <- lambda I + (1 - lambda) F
            z *= rho * gamma * lam  # z <- rho (gamma lambda z + M x)
            add(z, rho * M, x)
            add(w, alpha * delta, z)  # w <- w + alpha delta z
            F = rho * gamma * F + 1.0  # F <- rho gamma F + I
            x = x_  # x <- x'
            done = terminated or truncated  # until S' is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class EmphaticTDLambdaConfig(LinearConfig):
    """Settings of `EmphaticTDLambda`, named as in the book."""

    lam: Probability = 0.8  # lambda, trace decay
    alpha: StepSize = 0.001  # step size; small, because of the emphasis
    gamma: Discount = 1.0  # discount rate


class EmphaticTDLambda(LinearAgent):
    """Emphatic TD(lambda) for `policy` from the steps of `behavior`, with interest 1 in all states (Sec. 12.11)."""

    Config = EmphaticTDLambdaConfig
    inputs = ("policy", "behavior")
    values_of_states = True

    def _run(self, trial: Trial) -> None:
        c = self.config
        emphatic_td_lambda(trial, self.policy, self.behavior, self.features, self.w, c.alpha, c.gamma, c.lam, self.rng)
