"""Baird's counterexample (Figure 11.1): seven states in which off-policy semi-gradient methods diverge.

Action dashed (0) leads to one of the six upper states (0 to 5), each with probability 1/6; solid (1) to the lower one (6). The behaviour
policy takes dashed in six of seven steps, so that all states are equally likely; the target policy always takes solid. All rewards are
zero, hence all values, and the eight weights can say so exactly: v(upper i) = 2 w_i + w_8, v(lower) = w_7 + 2 w_8. Yet with a discount
rate of 0.99, from (1, 1, 1, 1, 1, 1, 10, 1), semi-gradient TD and even dynamic programming diverge, for any positive step size. The task
continues for ever.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.config import Count
from rlcourse.core.mdp import MDP
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["DASHED", "SOLID", "baird_behavior", "baird_counterexample", "baird_features", "baird_weights", "make_env", "make_vec"]

DASHED, SOLID = 0, 1


@checked
def baird_counterexample(upper: Count = 6) -> MDP:
    """Make Baird's counterexample with some number of upper states; the lower one is the last."""
    if upper < 1:
        raise ValueError(f"upper must be at least 1, not {upper}")
    dashed = [(1.0 / upper, s, 0.0, False) for s in range(upper)]
    return MDP.of({s: {DASHED: dashed, SOLID: [(1.0, upper, 0.0, False)]} for s in range(upper + 1)}, np.full(upper + 1, 1.0 / (upper + 1)))


@checked
def baird_features(upper: Count = 6) -> np.ndarray:
    """Return x(s), shape [S, S + 1]: 2 w_i + w_8 for upper states, w_7 + 2 w_8 for the lower one."""
    x = np.zeros((upper + 1, upper + 2))
    x[np.arange(upper), np.arange(upper)] = 2.0
    x[:upper, -1] = 1.0
    x[upper, upper], x[upper, -1] = 1.0, 2.0
    return x


@checked
def baird_behavior(upper: Count = 6) -> np.ndarray:
    """Return b(.|s), shape [A], the same everywhere: dashed 6/7, solid 1/7."""
    return np.array([upper, 1.0]) / (upper + 1)


@checked
def baird_weights(upper: Count = 6) -> np.ndarray:
    """Return the weights at which the book begins, shape [S + 1]: (1, ..., 1, 10, 1)."""
    w = np.ones(upper + 2)
    w[upper] = 10.0
    return w


def make_env(render_mode: str | None = None) -> WorldEnv:
    """Make ``rlcourse/Baird-v0``."""
    from rlcourse.envs.drawing_graph import Graph

    places = [(50.0 + 84 * i, 50.0) for i in range(6)] + [(260.0, 190.0)]
    graph = Graph(places, [str(i + 1) for i in range(7)], (520, 260), names=("dashed", "solid"))
    return WorldEnv(baird_counterexample(), render_mode=render_mode, picture=graph.picture, text=graph.text, fps=4)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(baird_counterexample(), num_envs, **options)
