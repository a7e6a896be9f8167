"""Recorded episodes: a world that plays data back, whatever is done in it; Examples 6.1 and 6.4.

Prediction needs no choices. Here the episodes are given, and come one after the other, from the first again after the last. State 0 to
S - 1 are the book's states; what comes next is read from the record. `driving_home` is the one drive of Example 6.1 (rewards
are minutes), `predictor` has the eight episodes of Example 6.4 (A = 0, B = 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.arguments import checked, numbers

__all__ = ["DRIVING_HOME", "Recorded", "driving_home", "predictor"]

DRIVING_HOME = (  # Example 6.1: state, elapsed time, predicted time to go; minutes
    ("leaving office", 0.0, 30.0),
    ("reach car", 5.0, 35.0),
    ("exiting highway", 20.0, 15.0),
    ("2ndary road", 30.0, 10.0),
    ("home street", 40.0, 3.0),
    ("arrive home", 43.0, 0.0),
)


class Recorded(NamedTuple):
    """Episodes to be lived again.

    Attributes
    ----------
    states : ndarray of int64, shape [T]
        The state before each step.
    rewards : ndarray of float64, shape [T]
        The reward of each step.
    last : ndarray of bool, shape [T]
        Whether the step ended its episode.
    position : ndarray of int64, shape [1]
        The step that comes next.
    """

    states: np.ndarray
    rewards: np.ndarray
    last: np.ndarray
    position: np.ndarray

    @classmethod
    @checked
    def of(cls, episodes: Sequence[Sequence[tuple[int, float]]]) -> Recorded:
        """Make the world from episodes of (state, reward that followed).

        Raises
        ------
        ValueError
            Where there is no step, or one that is no such pair.
        """
        for i, episode in enumerate(episodes):
            pairs = numbers(f"episodes[{i}]", episode, ("steps", 2))
            if not len(pairs) or np.any((pairs[:, 0] < 0) | (pairs[:, 0] % 1 != 0)):
                raise ValueError(f"episodes[{i}] must be pairs of a state, numbered from 0, and a reward, not {episode!r:.60}")
        if not len(episodes):
            raise ValueError("episodes must be at least one, and there is none")
        steps = [(int(s), float(r), i == len(episode) - 1) for episode in episodes for i, (s, r) in enumerate(episode)]
        states, rewards, last = zip(*steps, strict=True)
        return cls(np.array(states, np.int64), np.array(rewards), np.array(last), np.zeros(1, np.int64))

    @property
    def observation_space(self) -> gym.spaces.Discrete:
        """The states of the record, and one beyond for the end."""
        return gym.spaces.Discrete(int(self.states.max()) + 2)

    @property
    def action_space(self) -> gym.spaces.Discrete:
        """One action: the record goes on."""
        return gym.spaces.Discrete(1)

    def reset(self, rng):
        """Go to the beginning of the next episode."""
        t = int(self.position[0])
        while t > 0 and not self.last[t - 1]:
            t -= 1  # an episode that was left begins again
        self.position[0] = t
        return int(self.states[t])

    def step(self, state, action, rng):
        """Go on in the record."""
        t = int(self.position[0])
        ended = bool(self.last[t])
        self.position[0] = (t + 1) % len(self.states)
        following = int(np.max(self.states)) + 1 if ended else int(self.states[t + 1])
        return following, float(self.rewards[t]), ended, False

    def observe(self, state):
        """Return the state."""
        return state


def driving_home() -> Recorded:
    """Make the drive of Example 6.1: states are the rows of `DRIVING_HOME`, rewards the minutes between them."""
    return Recorded.of([[(s, DRIVING_HOME[s + 1][1] - DRIVING_HOME[s][1]) for s in range(len(DRIVING_HOME) - 1)]])


def predictor() -> Recorded:
    """Make the eight episodes of Example 6.4."""
    return Recorded.of([[(0, 0.0), (1, 0.0)], *[[(1, 1.0)]] * 6, [(1, 0.0)]])
