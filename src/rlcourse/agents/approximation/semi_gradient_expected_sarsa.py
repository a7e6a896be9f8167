"""Semi-gradient Expected Sarsa: the mean over the next action, with linear action values (Sec. 10.1 with Sec. 6.6).

What Sarsa draws, the next action, its policy already knows the distribution of. The expectation removes that part of the noise:

    w <- w + alpha [R + gamma sum_a pi(a|S') q(S', a, w) - q(S, A, w)] x(S, A)

With epsilon = 0 the sum is the maximum, and this is Q-learning; with one feature per state it is tabular Expected Sarsa. A truncated
episode bootstraps from its last state.
"""

from __future__ import annotations

from dataclasses import dataclass

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.core.box import box
from rlcourse.core.config import Discount, Probability, StepSize
from rlcourse.core.linear import add_action, q_hat, q_hat_of
from rlcourse.core.policies import epsilon_greedy, expected_value
from rlcourse.core.trial import Trial

__all__ = ["SemiGradientExpectedSarsa", "SemiGradientExpectedSarsaConfig", "semi_gradient_expected_sarsa"]


@box
def semi_gradient_expected_sarsa(world, features, w, alpha, gamma, epsilon, rng):
    """Episodic semi-gradient Expected Sarsa, acting and expecting by the same epsilon-greedy policy."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize S
        x = features.x(S)
        done = False
        while not done:  # Loop for each step of episode:
            A = epsilon_greedy(q_hat(x, w), epsilon, rng)  # Choose A as a function of q(S, ., w)
            S, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            x_ = features.x(S)
            target = R if terminated else R + gamma * expected_value(q_hat(x_, w), epsilon)  # sum_a pi(a|S') q(S', a, w)
            add_action(w, alpha * (target - q_hat_of(x, w, A)), x, A)  # w <- w + alpha [target - q(S, A, w)] grad q(S, A, w)
            x = x_  # S <- S'
            done = terminated or truncated  # until S is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class SemiGradientExpectedSarsaConfig(LinearConfig):
    """Settings of `SemiGradientExpectedSarsa`, named as in the book."""

    alpha: StepSize = 0.0625  # step size; with n tilings a share of 1 / n
    gamma: Discount = 1.0  # discount rate
    epsilon: Probability = 0.1  # probability of a random action


class SemiGradientExpectedSarsa(LinearAgent):
    """Semi-gradient Expected Sarsa on any environment with finite actions (Sec. 10.1)."""

    Config = SemiGradientExpectedSarsaConfig

    def _run(self, trial: Trial) -> None:
        c = self.config
        semi_gradient_expected_sarsa(trial, self.features, self.w, c.alpha, c.gamma, c.epsilon, self.rng)
