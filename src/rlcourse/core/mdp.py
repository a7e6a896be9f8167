"""`MDP`: every finite environment, as tables of outcomes ``[S, A, K]`` (states, actions, outcomes of one pair).

Its author writes the book's p(s', r | s, a) and nothing else; dynamic programming, sampling, exact evaluation and the Gymnasium
face follow. An outcome is drawn with one uniform number by the cumulative probabilities, exactly as Gymnasium's own tables
(``env.P``) draw theirs, so both give the same episode for the same generator.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.arguments import numbers

__all__ = ["MDP", "Outcome"]

Outcome = tuple[float, int, float, bool]  # probability, next state, reward, terminated


class MDP(NamedTuple):
    """A finite Markov decision process; a world whose states and actions are integers.

    Attributes
    ----------
    start : ndarray of float64, shape [S]
        Cumulative probability of the start states.
    probability : ndarray of float64, shape [S, A, K]
        p of outcome k; unused outcomes have probability 0.
    cumulative : ndarray of float64, shape [S, A, K]
        Cumulative sum of `probability` over k; 1 from the last possible outcome on.
    successor : ndarray of int64, shape [S, A, K]
    reward : ndarray of float64, shape [S, A, K]
    terminal : ndarray of bool, shape [S, A, K]
        Whether outcome k ends the episode; the value of its successor is then zero.
    """

    start: np.ndarray
    probability: np.ndarray
    cumulative: np.ndarray
    successor: np.ndarray
    reward: np.ndarray
    terminal: np.ndarray

    @classmethod
    def of(cls, table: Mapping[int, Mapping[int, Sequence[Outcome]]], start: int | Iterable[float] = 0) -> MDP:
        """Build and validate an MDP from ``table[s][a] = [(p, s', r, terminated), ...]`` (the layout of Gymnasium's ``P``).

        Parameters
        ----------
        table : mapping
            States are ``0..S-1``, actions ``0..A-1``; each pair has at least one outcome.
        start : int or sequence of float, shape [S]
            The start state, or the probability of each.

        Raises
        ------
        ValueError
            Naming the first pair whose probabilities do not sum to one, or whose successor does not exist.
        """
        if not isinstance(table, Mapping) or not all(isinstance(row, Mapping) for row in table.values()):
            raise ValueError("table must be a mapping of states to mappings of actions to lists of (p, s', r, terminated)")
        if not table or table.keys() != set(range(len(table))) or any(row.keys() != set(range(len(row))) for row in table.values()):
            raise ValueError("table must number its states 0..S-1, and the actions of each state 0..A-1")
        S, A = len(table), len(table[0])
        K = max((len(outcomes) for row in table.values() for outcomes in row.values()), default=0)
        probability, reward = np.zeros((S, A, K)), np.zeros((S, A, K))
        successor, terminal = np.zeros((S, A, K), dtype=np.int64), np.zeros((S, A, K), dtype=np.bool_)
        for s in range(S):
            if len(table[s]) != A or A == 0:
                raise ValueError(f"state {s} has {len(table[s])} actions; every state needs the same {A}")
            for a in range(A):
                successor[s, a] = s
                for k, outcome in enumerate(table[s][a]):
                    p, s_next, r, terminated = _checked(outcome, s, a)
                    if not 0 <= s_next < S:
                        raise ValueError(f"table[{s}][{a}] leads to state {s_next}, outside 0..{S - 1}")
                    if not (p >= 0 and np.isfinite(r)):
                        raise ValueError(f"table[{s}][{a}] has probability {p} and reward {r}; both must be finite, p >= 0")
                    probability[s, a, k], successor[s, a, k] = p, s_next
                    reward[s, a, k], terminal[s, a, k] = r, terminated
                if abs(probability[s, a].sum() - 1.0) > 1e-8:
                    raise ValueError(f"the probabilities of table[{s}][{a}] sum to {probability[s, a].sum()}, not to 1")
        return cls(_cumulative(_starts(start, S)), probability, _cumulative(probability), successor, reward, terminal)

    @classmethod
    def from_arrays(
        cls, probability: np.ndarray, successor: np.ndarray, reward: np.ndarray, terminal: np.ndarray, start: int | Iterable[float] = 0
    ) -> MDP:
        """Build and validate an MDP from arrays of outcomes, each of shape [S, A, K]; for large tables, see `of` for small ones.

        Raises
        ------
        ValueError
            Where shapes differ, probabilities do not sum to one, or a possible successor does not exist.
        """
        kinds = (np.float64, np.int64, np.float64, np.bool_)
        named = {"probability": probability, "successor": successor, "reward": reward, "terminal": terminal}
        arrays = [np.require(_numbered(name, a), kind, ["C", "W"]) for (name, a), kind in zip(named.items(), kinds, strict=True)]
        p, following, r, over = arrays
        if p.ndim != 3 or 0 in p.shape or any(array.shape != p.shape for array in arrays):
            raise ValueError(f"{', '.join(named)} must be arrays of one shape [S, A, K], not {[array.shape for array in arrays]}")
        if not (np.all(p >= 0) and np.all(np.abs(p.sum(axis=2) - 1.0) <= 1e-8) and np.all(np.isfinite(r))):
            raise ValueError("the probabilities of each state and action must be >= 0 and sum to 1, and rewards be finite")
        if np.any((following < 0) | (following >= len(p))):
            raise ValueError(f"successors must be states, 0..{len(p) - 1}")
        return cls(_cumulative(_starts(start, len(p))), p, _cumulative(p), following, r, over)

    @property
    def observation_space(self) -> gym.spaces.Discrete:
        """All states."""
        return gym.spaces.Discrete(self.successor.shape[0])

    @property
    def action_space(self) -> gym.spaces.Discrete:
        """All actions."""
        return gym.spaces.Discrete(self.successor.shape[1])

    def reset(self, rng):
        """Draw a start state."""
        u = rng.random()
        s = 0
        while self.start[s] <= u:
            s += 1
        return s

    def step(self, state, action, rng):
        """Draw an outcome of (state, action)."""
        u = rng.random()
        k = 0
        while self.cumulative[state, action, k] <= u:
            k += 1
        return (
            int(self.successor[state, action, k]),
            float(self.reward[state, action, k]),
            bool(self.terminal[state, action, k]),
            False,
        )

    def observe(self, state):
        """Return the state: a finite world is fully observed."""
        return state

    def expected_reward(self) -> np.ndarray:
        """Return r(s, a), shape [S, A] (Eq. 3.5); for Python only."""
        return np.einsum("sak,sak->sa", self.probability, self.reward)

    def expected(self, state, action, V, gamma):
        """Return the expected return of (state, action) with V beyond: sum over s', r of p (r + gamma V(s')) (Eq. 4.10)."""
        total = 0.0
        for k in range(self.successor.shape[2]):
            after = 0.0 if self.terminal[state, action, k] else gamma * V[self.successor[state, action, k]]
            total += self.probability[state, action, k] * (self.reward[state, action, k] + after)
        return total


def _numbered(name: str, given: object) -> np.ndarray:
    """Return an array of numbers of any shape; raises ValueError where it is none."""
    try:
        array = np.asarray(given)
    except ValueError:
        array = np.asarray(None)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must be an array of numbers of shape [S, A, K], not {type(given).__name__} of {array.dtype}")
    return array


def _checked(outcome: Outcome, s: int, a: int) -> Outcome:
    """Return an outcome; raises ValueError where it is none."""
    kinds = ((int, float, np.number), (int, np.integer), (int, float, np.number), (int, np.bool_))
    whole = isinstance(outcome, tuple | list) and len(outcome) == 4
    if not whole or not all(isinstance(part, kind) for part, kind in zip(outcome, kinds, strict=True)):
        raise ValueError(f"table[{s}][{a}] must list outcomes (p, s', r, terminated), and has {outcome!r:.60}")
    return outcome


def _starts(start: int | Iterable[float], S: int) -> np.ndarray:
    """Return the probability of each start state, shape [S], validated."""
    try:
        one = isinstance(start, int | np.integer)
        starts = np.array([float(s == start) for s in range(S)]) if one else numbers("start", _listed(start), (S,))
    except ValueError:
        starts = np.zeros(0)
    if starts.shape != (S,) or np.any(starts < 0) or not abs(starts.sum() - 1.0) <= 1e-8:
        raise ValueError(f"start must be a state or {S} probabilities that sum to 1")
    return starts


def _listed(values: object) -> object:
    return list(values) if isinstance(values, Iterable) and not isinstance(values, np.ndarray) else values


def _cumulative(probability: np.ndarray) -> np.ndarray:
    """Return the cumulative sum along the last axis, exactly 1 from the last possible outcome on."""
    total = np.cumsum(probability, axis=-1)
    possible = probability > 0
    last = probability.shape[-1] - 1 - np.argmax(possible[..., ::-1], axis=-1)
    result: np.ndarray = np.where(np.arange(probability.shape[-1]) >= last[..., None], 1.0, total)
    return result
