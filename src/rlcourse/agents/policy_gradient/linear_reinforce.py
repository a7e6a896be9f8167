"""REINFORCE: the Monte Carlo policy gradient, with a softmax policy over linear preferences (Sec. 13.3).

Values are a detour where all that is wanted is a policy. Here the policy pi(a|s, theta) has parameters of its own, and the policy gradient
theorem (13.5) says how performance changes with them, without any derivative of the state distribution. Every episode is a sample of it:

    theta <- theta + alpha gamma^t G_t grad ln pi(A_t|S_t, theta)        (13.8)

Each action becomes more probable in proportion to the return that followed it; dividing by pi, within grad ln, makes up for frequent
actions being chosen more often. A softmax may approach a deterministic policy, and it may stay stochastic where that is best
(Example 13.1). Nothing bootstraps: the gradient is unbiased, and noisy. Of an episode that is cut off, by a time limit or the budget, the
return up to the cut is taken for the whole, as if the cut were the task's end.
"""

from __future__ import annotations

from dataclasses import dataclass

from rlcourse.agents.linear import LinearConfig
from rlcourse.agents.policy_gradient.base import SoftmaxAgent
from rlcourse.core.actors import add_score, softmax_policy
from rlcourse.core.box import box
from rlcourse.core.config import Discount, StepSize
from rlcourse.core.episodes import returns_of
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["LinearREINFORCE", "LinearREINFORCEConfig", "linear_reinforce"]


@box
def linear_reinforce(world, features, theta, alpha, gamma, rng):
    """REINFORCE, Monte Carlo policy-gradient control, the box of Sec. 13.3."""
    while world.more():  # Loop forever (for each episode):
        S = world.reset(rng)
        episode = [(S, 0, 0.0) for _ in range(0)]  # S0, A0, R1, S1, A1, R2, ..., as triples
        done = False
        while not done:  # Generate an episode following pi(.|., theta)
            A = sample(softmax_policy(features.x(S), theta), rng)
            S_, R, terminated, truncated = world.step(S, A, rng)
            episode.append((S, A, R))
            S = S_
            done = terminated or truncated
        G = returns_of(episode, gamma, 0.0)
        discount = 1.0  # gamma^t
        for t in range(len(episode)):  # Loop for each step of the episode t = 0, 1, ..., T-1:
            S, A, R = episode[t]
            x = features.x(S)
            add_score(theta, alpha * discount * G[t], x, A, softmax_policy(x, theta))  # theta <- theta + alpha gamma^t G grad ln pi(A|S)
            discount *= gamma


@dataclass(frozen=True)
class LinearREINFORCEConfig(LinearConfig):
    """Settings of `LinearREINFORCE`, named as in the book."""

    alpha: StepSize = 0.001  # step size
    gamma: Discount = 1.0  # discount rate


class LinearREINFORCE(SoftmaxAgent):
    """REINFORCE with linear preferences on any environment with finite actions (Sec. 13.3)."""

    Config = LinearREINFORCEConfig
    tables = ("theta",)
    values_of_states = False

    def _run(self, trial: Trial) -> None:
        linear_reinforce(trial, self.features, self.theta, self.config.alpha, self.config.gamma, self.rng)
