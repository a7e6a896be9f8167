"""Q-learning that explores by noise on its values, which fades with the episodes (Sec. 6.5; a common tutorial's Q-table).

Instead of choosing a random action now and then, this agent adds Gaussian noise to its values and acts greedily on the sum:

    A <- argmax_a [Q(S, a) + noise / i  X_a],    X_a ~ N(0, 1),    i = 1, 2, ... the number of the episode

Small differences of value are overruled more often than large ones, as with a softmax. But the noise fades by a schedule that knows
nothing of what was visited: where rewards are rare, an agent can stop exploring before it has met the first one. A large
constant step size (0.8 in the tutorial) then chases the last outcome. The update is that of Q-learning (6.8).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.box import box, kernel
from rlcourse.core.config import Config, Discount, NonNegative, StepSize
from rlcourse.core.trial import Trial

__all__ = ["NoisyQLearning", "NoisyQLearningConfig", "noisy_greedy", "noisy_q_learning"]


@kernel
def noisy_greedy(values, scale, rng):
    """Return the index of the largest of the values plus Gaussian noise of a scale."""
    best = values[0] + scale * rng.standard_normal()
    action = 0
    for a in range(1, len(values)):
        value = values[a] + scale * rng.standard_normal()
        if value > best:
            best = value
            action = a
    return action


@box
def noisy_q_learning(world, Q, episodes, alpha, gamma, noise, rng):
    """Q-learning for estimating pi ~ pi*, exploring by noise; episodes [1] counts them."""
    while world.more():  # Loop for each episode:
        episodes[0] += 1.0
        S = world.reset(rng)  # Initialize S
        done = False
        while not done:  # Loop for each step of episode:
            A = noisy_greedy(Q[S], noise / episodes[0], rng)  # Choose A greedily from Q(S, .) + noise / i
            S_, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            target = R if terminated else R + gamma * np.max(Q[S_])
            Q[S, A] += alpha * (target - Q[S, A])  # Q(S, A) <- Q(S, A) + alpha [R + gamma max_a Q(S', a) - Q(S, A)]
            S = S_  # S <- S'
            done = terminated or truncated  # until S is terminal, or the time limit ends the episode


@dataclass(frozen=True)
class NoisyQLearningConfig(Config):
    """Settings of `NoisyQLearning`; the defaults are the tutorial's."""

    alpha: StepSize = 0.8  # step size
    gamma: Discount = 0.95  # discount rate
    noise: NonNegative = 1.0  # standard deviation of the noise in the first episode


class NoisyQLearning(TabularAgent):
    """Q-learning with fading noise on any environment with finite observations and actions.

    Attributes
    ----------
    episodes : ndarray of float64, shape [1]
        Episodes begun.
    """

    Config = NoisyQLearningConfig
    tables = ("Q", "episodes")

    def _build(self) -> None:
        super()._build()
        self.episodes = np.zeros(1)

    def _run(self, trial: Trial) -> None:
        noisy_q_learning(trial, self.Q, self.episodes, self.config.alpha, self.config.gamma, self.config.noise, self.rng)

    def _actions(self, states: np.ndarray, deterministic: bool) -> np.ndarray:
        if deterministic:
            return super()._actions(states, True)
        return np.array([noisy_greedy(row, self.config.noise / (self.episodes[0] + 1.0), self.rng) for row in self.action_values(states)])
