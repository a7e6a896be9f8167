"""One-step emphatic TD: updates reweighted so that states count as they would under the target policy (Sec. 11.8).

Bootstrapping is safe on the on-policy distribution and may not be so on another one. Emphatic methods do not restore that distribution;
they give each step an emphasis M_t by which the updates have its good properties. With an interest I_t in the state's value

    M_t = gamma rho_t-1 M_t-1 + I_t,    M_-1 = 0,        w <- w + alpha M_t rho_t delta_t grad v(S_t, w)

A state matters by itself, and where the values before it bootstrap from it: they are followed on by the ratios. Its expected update is
stable whatever b does. The price is variance: M multiplies ratios over time, so on Baird's counterexample it is nearly impossible to see
the convergence of Figure 11.6 in single runs.
"""

from __future__ import annotations

from dataclasses import dataclass

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.core.box import box
from rlcourse.core.config import Discount, NonNegative, StepSize
from rlcourse.core.linear import add, pi, v_hat
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["EmphaticTD", "EmphaticTDConfig", "emphatic_td"]


@box
def emphatic_td(world, policy, behavior, features, w, interest, alpha, gamma, rng):
    """One-step emphatic TD for estimating v ~ v_pi from b, with the same interest in all states (Sec. 11.8)."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize S
        M = interest  # M_-1 = 0: M <- I
        done = False
        while not done:  # Loop for each step of episode:
            A = sample(pi(behavior, S), rng)  # Choose A ~ b(.|S)
            S_, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            rho = pi(policy, S)[A] / pi(behavior, S)[A]  # rho <- pi(A|S) / b(A|S)
            x = features.x(S)
            target = R if terminated else R + gamma * v_hat(features.x(S_), w)
            delta = target - v_hat(x, w)  # delta <- R + gamma v(S', w) - v(S, w)
            add(w, alpha * M * rho * delta, x)  # w <- w + alpha M rho delta grad v(S, w)
            M = gamma * rho * M + interest  # M <- gamma rho M + I
            S = S_  # S <- S'
            done = terminated or truncated


@dataclass(frozen=True)
class EmphaticTDConfig(LinearConfig):
    """Settings of `EmphaticTD`, named as in the book."""

    interest: NonNegative = 1.0  # I, the interest in each state's value
    alpha: StepSize = 0.01  # step size
    gamma: Discount = 1.0  # discount rate


class EmphaticTD(LinearAgent):
    """One-step emphatic TD of `policy` from the steps of `behavior` (Sec. 11.8)."""

    Config = EmphaticTDConfig
    inputs = ("policy", "behavior")
    values_of_states = True

    def _run(self, trial: Trial) -> None:
        c = self.config
        emphatic_td(trial, self.policy, self.behavior, self.features, self.w, c.interest, c.alpha, c.gamma, self.rng)
