"""The model that Dyna agents learn: Model(S, A), the last outcome of every pair (Sec. 8.2).

It assumes a deterministic environment, as the book's boxes do: a pair's last outcome is taken for its only one. Where outcomes are
random (FrozenLake) it therefore plans with the last outcome seen, which is sampled anew at each visit; values then hover around
the right ones, and only as closely as a small step size averages. Beside reward and next state it keeps whether the episode
*terminated* there; an episode that a time limit cuts off did not, so planning bootstraps from its last state as learning does.

The order of first visits is kept too, so that a previously observed state, and an action previously taken in it, are each
drawn uniformly with one random number.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np

from rlcourse.core.config import Interval

__all__ = ["LearnedModel", "PlanningSteps", "Predecessors"]

PlanningSteps = Annotated[int, Interval(0)]
LEADS_TO, NEXT, PREVIOUS = range(3)  # columns of `Predecessors.pairs`


class LearnedModel(NamedTuple):
    """Model(S, A) in arrays; boxes call its methods at both speeds.

    Attributes
    ----------
    outcome : ndarray of float64, shape [S, A, 4]
        Reward, next state, whether it terminated, whether the pair was ever tried. An untried pair leads back to its own
        state with reward 0, which is what Dyna-Q+ supposes (Sec. 8.3).
    states : ndarray of int64, shape [1 + S]
        How many states were observed, then these, in the order of first visits.
    actions : ndarray of int64, shape [S, 1 + A]
        How many actions were tried in a state, then these, in the order of first trials.
    """

    outcome: np.ndarray
    states: np.ndarray
    actions: np.ndarray

    @classmethod
    def of(cls, S: int, A: int) -> LearnedModel:
        """Make a model that has seen nothing."""
        outcome = np.zeros((S, A, 4))
        outcome[:, :, 1] = np.arange(S)[:, None]
        return cls(outcome, np.zeros(1 + S, np.int64), np.zeros((S, 1 + A), np.int64))

    def remember(self, state, action, reward, successor, terminated):
        """Model(S, A) <- R, S', and whether S' is terminal."""
        pair = self.outcome[state, action]
        if pair[3] == 0.0:
            if self.actions[state, 0] == 0:
                self.states[0] += 1
                self.states[self.states[0]] = state
            self.actions[state, 0] += 1
            self.actions[state, self.actions[state, 0]] = action
        pair[0] = reward
        pair[1] = successor
        pair[2] = 1.0 if terminated else 0.0
        pair[3] = 1.0

    def recall(self, state, action):
        """Return Model(S, A): reward, next state, whether it terminated."""
        pair = self.outcome[state, action]
        return float(pair[0]), int(pair[1]), pair[2] > 0.0

    def observed_state(self, rng):
        """Return a random previously observed state."""
        return int(self.states[1 + int(rng.random() * self.states[0])])

    def taken_action(self, state, rng):
        """Return a random action previously taken in a state."""
        return int(self.actions[state, 1 + int(rng.random() * self.actions[state, 0])])


class Predecessors(NamedTuple):
    """Which pairs are predicted to lead to a state: doubly linked lists in arrays.

    A pair is numbered A * state + action. It is in the list of one state only: where its last outcome led.

    Attributes
    ----------
    first : ndarray of int64, shape [S]
        The last pair found to lead to each state; -1 where there is none.
    pairs : ndarray of int64, shape [S * A, 3]
        The state that a pair leads to, the next pair of that state's list, the previous one; -1 for none.
    """

    first: np.ndarray
    pairs: np.ndarray

    @classmethod
    def of(cls, S: int, A: int) -> Predecessors:
        """Make empty lists."""
        return cls(np.full(S, -1), np.full((S * A, 3), -1))

    def lead(self, pair, successor):
        """Note where a pair leads now."""
        links = self.pairs
        before = links[pair, LEADS_TO]
        if before == successor:
            return
        if before >= 0:  # leave the other list
            if links[pair, PREVIOUS] >= 0:
                links[links[pair, PREVIOUS], NEXT] = links[pair, NEXT]
            else:
                self.first[before] = links[pair, NEXT]
            if links[pair, NEXT] >= 0:
                links[links[pair, NEXT], PREVIOUS] = links[pair, PREVIOUS]
        links[pair, LEADS_TO] = successor
        links[pair, NEXT] = self.first[successor]
        links[pair, PREVIOUS] = -1
        if self.first[successor] >= 0:
            links[self.first[successor], PREVIOUS] = pair
        self.first[successor] = pair

    def following(self, pair):
        """Return the next pair that leads to the same state, or -1."""
        return int(self.pairs[pair, NEXT])
