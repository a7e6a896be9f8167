"""Episodic semi-gradient Sarsa: on-policy control with linear action values (Sec. 10.1).

Sarsa needs action values of states that it has never met before. Those of similar states help out where q(s, a, w) = w^T x(s, a):

    w <- w + alpha [R + gamma q(S', A', w) - q(S, A, w)] x(S, A)        (10.1)

With one feature per state it is tabular Sarsa. Values that begin too high, such as zeros where every step costs 1, explore by themselves
(Example 10.1). A truncated episode bootstraps from its last state.
"""

from __future__ import annotations

from dataclasses import dataclass

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.core.box import box
from rlcourse.core.config import Discount, Probability, StepSize
from rlcourse.core.linear import add_action, q_hat, q_hat_of
from rlcourse.core.policies import epsilon_greedy
from rlcourse.core.trial import Trial

__all__ = ["SemiGradientSarsa", "SemiGradientSarsaConfig", "semi_gradient_sarsa"]


@box
def semi_gradient_sarsa(world, features, w, alpha, gamma, epsilon, rng):
    """Episodic semi-gradient Sarsa for estimating q ~ q*, the box of Sec. 10.1."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # S, A <- initial state and action of episode
        x = features.x(S)
        A = epsilon_greedy(q_hat(x, w), epsilon, rng)
        done = False
        while not done:  # Loop for each step of episode:
            S, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            x_ = features.x(S)
            A_ = epsilon_greedy(q_hat(x_, w), epsilon, rng)  # Choose A' as a function of q(S', ., w)
            target = R if terminated else R + gamma * q_hat_of(x_, w, A_)
            add_action(w, alpha * (target - q_hat_of(x, w, A)), x, A)  # w <- w + alpha [R + gamma q(S', A') - q(S, A)] grad q(S, A)
            x, A = x_, A_  # S <- S'; A <- A'
            done = terminated or truncated  # until S' is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class SemiGradientSarsaConfig(LinearConfig):
    """Settings of `SemiGradientSarsa`, named as in the book."""

    alpha: StepSize = 0.0625  # step size; with n tilings a share of 1 / n
    gamma: Discount = 1.0  # discount rate
    epsilon: Probability = 0.1  # probability of a random action


class SemiGradientSarsa(LinearAgent):
    """Episodic semi-gradient Sarsa on any environment with finite actions (Sec. 10.1)."""

    Config = SemiGradientSarsaConfig

    def _run(self, trial: Trial) -> None:
        c = self.config
        semi_gradient_sarsa(trial, self.features, self.w, c.alpha, c.gamma, c.epsilon, self.rng)
