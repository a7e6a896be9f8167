"""Expected Sarsa: the mean over the next action instead of a sample of it (Sec. 6.6).

Sarsa's target depends on which action happens to come next. Expected Sarsa removes that source of variance by taking the
expectation under the policy, at the price of one sum over actions:

    Q(S, A) <- Q(S, A) + alpha [R + gamma sum_a pi(a|S') Q(S', a) - Q(S, A)]        (6.9)

On deterministic tasks alpha may then be 1 without harm (Fig. 6.3). With epsilon = 0 the policy is greedy, the sum is the maximum,
and Expected Sarsa is Q-learning.
"""

from __future__ import annotations

from dataclasses import dataclass

from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box
from rlcourse.core.config import Config, Discount, Probability, StepSize
from rlcourse.core.policies import epsilon_greedy, expected_value
from rlcourse.core.trial import Trial

__all__ = ["ExpectedSarsa", "ExpectedSarsaConfig", "expected_sarsa"]


@box
def expected_sarsa(world, Q, alpha, gamma, epsilon, rng):
    """Expected Sarsa, acting and expecting by the same epsilon-greedy policy (Sec. 6.6)."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize S
        done = False
        while not done:  # Loop for each step of episode:
            A = epsilon_greedy(Q[S], epsilon, rng)  # Choose A from S using policy derived from Q
            S_, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            target = R if terminated else R + gamma * expected_value(Q[S_], epsilon)  # sum_a pi(a|S') Q(S', a)
            Q[S, A] += alpha * (target - Q[S, A])  # Q(S, A) <- Q(S, A) + alpha [target - Q(S, A)]
            S = S_  # S <- S'
            done = terminated or truncated  # until S is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class ExpectedSarsaConfig(Config):
    """Settings of `ExpectedSarsa`, named as in the book."""

    alpha: StepSize = 0.5  # step size
    gamma: Discount = 1.0  # discount rate
    epsilon: Probability = 0.1  # probability of a random action


class ExpectedSarsa(TabularAgent):
    """Expected Sarsa on any environment with finite observations and actions (Sec. 6.6)."""

    Config = ExpectedSarsaConfig

    def _run(self, trial: Trial) -> None:
        expected_sarsa(trial, self.Q, self.config.alpha, self.config.gamma, self.config.epsilon, self.rng)
