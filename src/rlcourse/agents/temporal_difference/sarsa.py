"""Sarsa: on-policy control by temporal differences (Sec. 6.4).

The problem is control without a model: find good action values while acting on them. Sarsa learns the value of the policy
that it follows, exploration included, from each quintuple (S, A, R, S', A') that gave it its name:

    Q(S, A) <- Q(S, A) + alpha [R + gamma Q(S', A') - Q(S, A)]        (6.7)

Because the target takes the action that the policy really takes next, Sarsa accounts for its own exploration: on the cliff of
Example 6.6 it keeps away from the edge, where Q-learning walks along it and falls now and then.
"""

from __future__ import annotations

from dataclasses import dataclass

from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box
from rlcourse.core.config import Config, Discount, Probability, StepSize
from rlcourse.core.policies import epsilon_greedy
from rlcourse.core.trial import Trial

__all__ = ["Sarsa", "SarsaConfig", "sarsa"]


@box
def sarsa(world, Q, alpha, gamma, epsilon, rng):
    """Sarsa (on-policy TD control) for estimating Q ~ q*, the box of Sec. 6.4."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize S
        A = epsilon_greedy(Q[S], epsilon, rng)  # Choose A from S using policy derived from Q
        done = False
        while not done:  # Loop for each step of episode:
            S_, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            A_ = epsilon_greedy(Q[S_], epsilon, rng)  # Choose A' from S' using policy derived from Q
            target = R if terminated else R + gamma * Q[S_, A_]
            Q[S, A] += alpha * (target - Q[S, A])  # Q(S, A) <- Q(S, A) + alpha [R + gamma Q(S', A') - Q(S, A)]
            S, A = S_, A_  # S <- S'; A <- A'
            done = terminated or truncated  # until S is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class SarsaConfig(Config):
    """Settings of `Sarsa`, named as in the book."""

    alpha: StepSize = 0.5  # step size
    gamma: Discount = 1.0  # discount rate
    epsilon: Probability = 0.1  # probability of a random action


class Sarsa(TabularAgent):
    """Sarsa on any environment with finite observations and actions (Sec. 6.4)."""

    Config = SarsaConfig

    def _run(self, trial: Trial) -> None:
        sarsa(trial, self.Q, self.config.alpha, self.config.gamma, self.config.epsilon, self.rng)
