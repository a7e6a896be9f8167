"""Two states with the values w and 2 w: the simplest divergence (Sec. 11.2), and Tsitsiklis and Van Roy's counterexample (Example 11.1).

State 0 leads to state 1. There the action on (0) stays, but ends the episode with probability epsilon; the action back (1) leads to
state 0 again. The target policy always goes on. All rewards are zero, and so are all values; with the one feature (1), (2) the weight
w = 0 says so exactly.

* A behaviour that nearly always goes back updates state 0 alone: w <- w + alpha (2 gamma - 1) w, which grows where gamma > 1/2.
* Fitted to both states by least squares, each sweep multiplies w by gamma (6 - 4 epsilon) / 5.
* The target policy itself stays in state 1, on average 1 / epsilon steps, and is safe.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.mdp import MDP
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["make_env", "make_vec", "two_states", "two_states_features"]


@checked
def two_states(epsilon: float = 0.01) -> MDP:
    """Make the two states.

    Parameters
    ----------
    epsilon : float
        Probability that going on in state 1 ends the episode.
    """
    if not 0.0 <= epsilon <= 1.0:
        raise ValueError(f"epsilon must be a probability, not {epsilon}")
    first = {a: [(1.0, 1, 0.0, False)] for a in (0, 1)}
    return MDP.of({0: first, 1: {0: [(1.0 - epsilon, 1, 0.0, False), (epsilon, 1, 0.0, True)], 1: [(1.0, 0, 0.0, False)]}})


def two_states_features() -> np.ndarray:
    """Return x(s), shape [2, 1]: 1 and 2."""
    return np.array([[1.0], [2.0]])


def make_env(render_mode: str | None = None, epsilon: float = 0.01) -> WorldEnv:
    """Make ``rlcourse/TwoStates-v0``."""
    from rlcourse.envs.drawing_graph import Graph

    graph = Graph([(60.0, 60.0), (200.0, 60.0)], ["w", "2w"], (380, 140), end=(330.0, 60.0), names=("on", "back"))
    return WorldEnv(two_states(epsilon), render_mode=render_mode, picture=graph.picture, text=graph.text, fps=4)


def make_vec(num_envs: int = 1, epsilon: float = 0.01, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(two_states(epsilon), num_envs, **options)
