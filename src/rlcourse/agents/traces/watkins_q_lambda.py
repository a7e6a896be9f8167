"""Watkins's Q(lambda): Q-learning with traces that end where the greedy policy is left (Sec. 12.10; Watkins 1989).

Q-learning looks one step ahead and takes the maximum there. As long as the actions taken are greedy, further steps say what the greedy
policy earns, and traces may carry them back; after an exploratory action they no longer do, so that the traces are cut:

    z <- gamma lambda z 1[A greedy] + x(S, A);    w <- w + alpha [R + gamma max_a q(S', a, w) - q(S, A, w)] z

Safe, but much is lost where exploration is frequent. lambda = 0 is Q-learning, bit for bit; with epsilon = 0 no trace is ever cut. A
greedy action is any with the highest value, ties included. A truncated episode bootstraps from its last state.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.core.box import box
from rlcourse.core.config import Discount, Probability, StepSize
from rlcourse.core.linear import add_action, q_hat
from rlcourse.core.policies import epsilon_greedy
from rlcourse.core.traces import step_and_fade
from rlcourse.core.trial import Trial

__all__ = ["WatkinsQLambda", "WatkinsQLambdaConfig", "watkins_q_lambda"]


@box
def watkins_q_lambda(world, features, w, alpha, gamma, lam, epsilon, rng):
    """Watkins's Q(lambda) for estimating w^T x ~ q*, as Sec. 12.10 describes it."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize S
        x = features.x(S)
        z = np.zeros(w.shape)  # z <- 0
        done = False
        while not done:  # Loop for each step of episode:
            q = q_hat(x, w)
            A = epsilon_greedy(q, epsilon, rng)  # Choose A from S, epsilon-greedy according to q(S, ., w)
            if q[A] < np.max(q):  # If A is not greedy, cut the traces: z <- 0
                z[:] = 0.0
            add_action(z, 1.0, x, A)  # z <- z + grad q(S, A, w)
            S, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            x = features.x(S)  # S <- S'
            target = R if terminated else R + gamma * np.max(q_hat(x, w))
            delta = target - q[A]  # delta <- R + gamma max_a q(S', a, w) - q(S, A, w)
            step_and_fade(w, alpha * delta, z, gamma * lam)  # w <- w + alpha delta z; z <- gamma lambda z
            done = terminated or truncated  # until S' is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class WatkinsQLambdaConfig(LinearConfig):
    """Settings of `WatkinsQLambda`, named as in the book."""

    alpha: StepSize = 0.0625  # step size; with n tilings a share of 1 / n
    gamma: Discount = 1.0  # discount rate
    lam: Probability = 0.9  # trace decay, lambda
    epsilon: Probability = 0.1  # probability of a random action


class WatkinsQLambda(LinearAgent):
    """Watkins's Q(lambda) on any environment with finite actions (Sec. 12.10)."""

    Config = WatkinsQLambdaConfig

    def _run(self, trial: Trial) -> None:
        c = self.config
        watkins_q_lambda(trial, self.features, self.w, c.alpha, c.gamma, c.lam, c.epsilon, self.rng)
