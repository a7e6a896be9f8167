"""The naive residual-gradient algorithm: true gradient descent, in the wrong objective (Sec. 11.5).

Semi-gradient methods diverge because they follow no gradient. One that cannot diverge descends the expected squared TD error, the TDE:

    w <- w - 1/2 alpha grad (rho_t delta_t^2) = w + alpha rho_t delta_t (grad v(S_t, w) - gamma grad v(S_t+1, w))        (11.23)

It converges robustly, to values that nobody wants: a surprise makes the TD error large whatever the values are, so it bends them towards
each other to soften it. In the A-split (Example 11.2) the states worth 1 and 0 get 3/4 and 1/4. Where the process is deterministic, the TD
error is the Bellman error, and this is gradient descent in the latter (see `residual_gradient`).
"""

from __future__ import annotations

from dataclasses import dataclass

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.core.box import box
from rlcourse.core.config import Discount, StepSize
from rlcourse.core.linear import add, pi, v_hat
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["NaiveResidualGradient", "NaiveResidualGradientConfig", "naive_residual_gradient"]


@box
def naive_residual_gradient(world, policy, behavior, features, w, alpha, gamma, rng):
    """Naive residual-gradient algorithm: stochastic gradient descent in the mean squared TD error of pi, from b (11.23)."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize S
        done = False
        while not done:  # Loop for each step of episode:
            A = sample(pi(behavior, S), rng)  # Choose A ~ b(.|S)
            S_, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            rho = pi(policy, S)[A] / pi(behavior, S)[A]  # rho <- pi(A|S) / b(A|S)
            x, x_ = features.x(S), features.x(S_)
            target = R if terminated else R + gamma * v_hat(x_, w)
            delta = target - v_hat(x, w)  # delta <- R + gamma v(S', w) - v(S, w)
            add(w, alpha * rho * delta, x)  # w <- w + alpha rho delta (grad v(S, w) - gamma grad v(S', w))
            if not terminated:
                add(w, -alpha * rho * delta * gamma, x_)
            S = S_  # S <- S'
            done = terminated or truncated


@dataclass(frozen=True)
class NaiveResidualGradientConfig(LinearConfig):
    """Settings of `NaiveResidualGradient`, named as in the book."""

    alpha: StepSize = 0.01  # step size
    gamma: Discount = 1.0  # discount rate


class NaiveResidualGradient(LinearAgent):
    """The naive residual-gradient algorithm for `policy` from the steps of `behavior` (Sec. 11.5)."""

    Config = NaiveResidualGradientConfig
    inputs = ("policy", "behavior")
    values_of_states = True

    def _run(self, trial: Trial) -> None:
        c = self.config
        naive_residual_gradient(trial, self.policy, self.behavior, self.features, self.w, c.alpha, c.gamma, self.rng)
