"""Semi-gradient TD(0): prediction with values that states share (Sec. 9.3).

With more states than weights a table is out of reach: v(s, w) = w^T x(s) must generalise. The TD(0) target moves with w, but the
step follows the gradient of the estimate alone, hence semi-gradient:

    w <- w + alpha [R + gamma v(S', w) - v(S, w)] x(S)        (9.7)

On-policy it converges to the TD fixed point, where A w = b (9.12); its error is at most 1 / (1 - gamma) times the smallest possible one
(9.14). One feature per state makes it tabular TD(0). A truncated step bootstraps like any other one.
"""

from __future__ import annotations

from dataclasses import dataclass

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.core.box import box
from rlcourse.core.config import Discount, StepSize
from rlcourse.core.linear import add, pi, v_hat
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["SemiGradientTD0", "SemiGradientTD0Config", "semi_gradient_td0"]


@box
def semi_gradient_td0(world, policy, features, w, alpha, gamma, rng):
    """Semi-gradient TD(0) for estimating v ~ v_pi, the box of Sec. 9.3."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize S
        done = False
        while not done:  # Loop for each step of episode:
            A = sample(pi(policy, S), rng)  # Choose A ~ pi(.|S)
            S_, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            x = features.x(S)
            target = R if terminated else R + gamma * v_hat(features.x(S_), w)
            add(w, alpha * (target - v_hat(x, w)), x)  # w <- w + alpha [R + gamma v(S', w) - v(S, w)] grad v(S, w)
            S = S_  # S <- S'
            done = terminated or truncated  # until S is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class SemiGradientTD0Config(LinearConfig):
    """Settings of `SemiGradientTD0`, named as in the book."""

    alpha: StepSize = 0.01  # step size
    gamma: Discount = 1.0  # discount rate


class SemiGradientTD0(LinearAgent):
    """Semi-gradient TD(0) for a given policy (Sec. 9.3)."""

    Config = SemiGradientTD0Config
    inputs = ("policy",)
    values_of_states = True

    def _run(self, trial: Trial) -> None:
        semi_gradient_td0(trial, self.policy, self.features, self.w, self.config.alpha, self.config.gamma, self.rng)
