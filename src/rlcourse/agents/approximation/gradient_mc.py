"""Gradient Monte Carlo: prediction by stochastic gradient descent on the value error (Sec. 9.3).

Each visit to a state gives an example, state -> return, as in supervised learning; the states come as often as the policy visits them.
The return does not depend on w, so this is a true gradient method:

    w <- w + alpha [G_t - v(S_t, w)] grad v(S_t, w)        (9.7 with U_t = G_t)

It converges to the weights of least value error, where semi-gradient TD only comes near. The price is the noise of whole returns, and
that nothing is learned before the end of the episode. One feature per state makes it tabular every-visit constant-alpha MC. Where a
time limit cuts an episode off, G begins with the estimate of the state where it struck.
"""

from __future__ import annotations

from dataclasses import dataclass

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.core.box import box
from rlcourse.core.config import Discount, StepSize
from rlcourse.core.linear import add, pi, v_hat
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["GradientMC", "GradientMCConfig", "gradient_mc"]


@box
def gradient_mc(world, policy, features, w, alpha, gamma, rng):
    """Gradient Monte Carlo for estimating v ~ v_pi, the box of Sec. 9.3."""
    while world.more():  # Loop forever (for each episode):
        S = world.reset(rng)
        states, G = [S], [0.0]
        done = terminated = False
        while not done:  # Generate an episode S_0, A_0, R_1, S_1, ..., R_T, S_T using pi
            A = sample(pi(policy, S), rng)
            S, R, terminated, truncated = world.step(S, A, rng)
            G[-1] = R
            states.append(S)
            G.append(0.0)
            done = terminated or truncated
        T = len(G) - 1
        G[T] = 0.0 if terminated else v_hat(features.x(S), w)  # what a time limit has cut off
        for t in range(T - 1, -1, -1):
            G[t] = gamma * G[t + 1] + G[t]  # G_t = R_t+1 + gamma G_t+1
        for t in range(T):  # Loop for each step of episode, t = 0, 1, ..., T - 1:
            x = features.x(states[t])
            add(w, alpha * (G[t] - v_hat(x, w)), x)  # w <- w + alpha [G_t - v(S_t, w)] grad v(S_t, w)


@dataclass(frozen=True)
class GradientMCConfig(LinearConfig):
    """Settings of `GradientMC`, named as in the book."""

    alpha: StepSize = 0.01  # step size
    gamma: Discount = 1.0  # discount rate


class GradientMC(LinearAgent):
    """Gradient Monte Carlo prediction of a given policy (Sec. 9.3)."""

    Config = GradientMCConfig
    inputs = ("policy",)
    values_of_states = True

    def _run(self, trial: Trial) -> None:
        gradient_mc(trial, self.policy, self.features, self.w, self.config.alpha, self.config.gamma, self.rng)
