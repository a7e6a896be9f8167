"""The Markov reward processes of Sections 11.5 and 11.6: what an error is worth minimising, and whether data can tell it.

* `a_split` (Example 11.2): A leads to B or C, and only B to a reward. Minimising the mean squared TD error puts B and C at 3/4 and 1/4.
* With ``presplit`` (Example 11.3) A is two states that look alike: now minimising the Bellman error is as wrong.
* `one_or_two_states` (Sec. 11.6): reward 0 or 2 at random from one state, or from two states that look alike. The same data, and not the
  same value error.
* `two_or_three_states` (Example 11.4): the same for the Bellman error, and here even the weights that minimise it differ.
* `three_states` is a task of our own for the geometry of Section 11.4: three values, two weights, and four errors with four minima.

All have one action; with ``features`` beside each.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.mdp import MDP
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = [
    "a_split",
    "a_split_features",
    "make_env",
    "make_vec",
    "one_or_two_states",
    "one_or_two_states_features",
    "three_states",
    "three_states_features",
    "two_or_three_states",
    "two_or_three_states_features",
]


@checked
def a_split(presplit: bool = False) -> MDP:
    """Make the A-split (states A, B, C), or the A-presplit (A1, A2, B, C): values A = 1/2, B = 1, C = 0 without discount."""
    ends = [{0: [(1.0, 0, 1.0, True)]}, {0: [(1.0, 0, 0.0, True)]}]
    if not presplit:
        return MDP.of({0: {0: [(0.5, 1, 0.0, False), (0.5, 2, 0.0, False)]}, 1: ends[0], 2: ends[1]}, 0)
    return MDP.of(
        {0: {0: [(1.0, 2, 0.0, False)]}, 1: {0: [(1.0, 3, 0.0, False)]}, 2: ends[0], 3: ends[1]},
        [0.5, 0.5, 0.0, 0.0],
    )


@checked
def a_split_features(presplit: bool = False) -> np.ndarray:
    """Return x(s), shape [S, 3]: one weight for each of A, B and C; A1 and A2 look alike."""
    return np.eye(3)[[0, 0, 1, 2]] if presplit else np.eye(3)


@checked
def one_or_two_states(distinct: bool) -> MDP:
    """Make the pair of Section 11.6: one state with reward 0 or 2 at random, or two states with one of them each."""
    if not distinct:
        return MDP.of({0: {0: [(0.5, 0, 0.0, False), (0.5, 0, 2.0, False)]}})
    return MDP.of({s: {0: [(0.5, 0, 2.0 * s, False), (0.5, 1, 2.0 * s, False)]} for s in (0, 1)}, [0.5, 0.5])


@checked
def one_or_two_states_features(distinct: bool) -> np.ndarray:
    """Return x(s), shape [S, 1]: all look alike."""
    return np.ones((1 + distinct, 1))


@checked
def two_or_three_states(distinct: bool) -> MDP:
    """Make the pair of Example 11.4, states A, B, or A, B, B': an A with reward 0, then Bs with reward -1, the last of them +1."""
    if not distinct:
        return MDP.of({0: {0: [(1.0, 1, 0.0, False)]}, 1: {0: [(0.5, 0, 1.0, False), (0.5, 1, -1.0, False)]}})
    after_a = [(0.5, 1, 0.0, False), (0.5, 2, 0.0, False)]
    again = [(0.5, 1, -1.0, False), (0.5, 2, -1.0, False)]
    return MDP.of({0: {0: after_a}, 1: {0: [(1.0, 0, 1.0, False)]}, 2: {0: again}}, 0)


@checked
def two_or_three_states_features(distinct: bool) -> np.ndarray:
    """Return x(s), shape [S, 2]: one weight for A, one for B, and B' looks like B."""
    return np.eye(2)[[0, 1, 1]] if distinct else np.eye(2)


def three_states() -> MDP:
    """Make three states that follow one another for ever; with a discount rate of 0.8 no two weights can represent their values."""
    ways = ((0.3, 0.7, 0.0), (0.5, 0.3, 0.2), (0.3, 0.1, 0.6))
    rewards = (0.0, -2.0, 3.0)  # of leaving each state
    return MDP.of({s: {0: [(p, k, rewards[s], False) for k, p in enumerate(ways[s])]} for s in range(3)}, 0)


def three_states_features() -> np.ndarray:
    """Return x(s), shape [3, 2]."""
    return np.array([[1.0, 2.0], [2.0, 3.0], [1.0, 0.0]])


def make_env(render_mode: str | None = None, presplit: bool = False) -> WorldEnv:
    """Make ``rlcourse/ASplit-v0``."""
    from rlcourse.envs.drawing_graph import Graph

    starts = [(60.0, 50.0), (60.0, 130.0)] if presplit else [(60.0, 90.0)]
    labels = ["A1", "A2", "B", "C"] if presplit else ["A", "B", "C"]
    graph = Graph([*starts, (190.0, 50.0), (190.0, 130.0)], labels, (360, 190), end=(310.0, 90.0))
    return WorldEnv(a_split(presplit), render_mode=render_mode, picture=graph.picture, text=graph.text, fps=4)


def make_vec(num_envs: int = 1, presplit: bool = False, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(a_split(presplit), num_envs, **options)
