"""Semi-gradient Q-learning under a given behaviour policy (Exercise 11.3).

Q-learning is off-policy by nature: its target is greedy, and b may be anything that goes on trying all actions,

    w <- w + alpha [R_t+1 + gamma max_a q(S_t+1, a, w) - q(S_t, A_t, w)] grad q(S_t, A_t, w)

With b near the greedy policy, such as epsilon-greedy, nobody has seen it diverge with linear values, and nobody has proved that it cannot.
With b far from it, as in Baird's counterexample, it does. With one feature per state it is tabular Q-learning. A truncated step
bootstraps.
"""

from __future__ import annotations

from dataclasses import dataclass

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.core.box import box
from rlcourse.core.config import Discount, StepSize
from rlcourse.core.linear import add_action, pi, q_hat, q_hat_of
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["OffPolicyQLearning", "OffPolicyQLearningConfig", "off_policy_q_learning"]


@box
def off_policy_q_learning(world, behavior, features, w, alpha, gamma, rng):
    """Semi-gradient Q-learning for estimating q ~ q*, from the steps of b (Exercise 11.3)."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize S
        done = False
        while not done:  # Loop for each step of episode:
            A = sample(pi(behavior, S), rng)  # Choose A ~ b(.|S)
            S_, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            x = features.x(S)
            target = R
            if not terminated:
                q = q_hat(features.x(S_), w)
                best = q[0]
                for a in range(1, len(q)):
                    best = max(best, q[a])
                target += gamma * best
            add_action(w, alpha * (target - q_hat_of(x, w, A)), x, A)  # w <- w + alpha [R + gamma max_a q(S', a) - q(S, A)] grad q(S, A)
            S = S_  # S <- S'
            done = terminated or truncated


@dataclass(frozen=True)
class OffPolicyQLearningConfig(LinearConfig):
    """Settings of `OffPolicyQLearning`, named as in the book."""

    alpha: StepSize = 0.01  # step size
    gamma: Discount = 1.0  # discount rate


class OffPolicyQLearning(LinearAgent):
    """Semi-gradient Q-learning from the steps of a given `behavior` (Exercise 11.3)."""

    Config = OffPolicyQLearningConfig
    inputs = ("behavior",)

    def _run(self, trial: Trial) -> None:
        c = self.config
        off_policy_q_learning(trial, self.behavior, self.features, self.w, c.alpha, c.gamma, self.rng)
