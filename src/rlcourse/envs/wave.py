"""The square wave of Example 9.3: supervised learning as a world, whose episodes are one example long.

An episode begins in a point drawn uniformly; its one step has the wave's value there as reward and ends the episode. The return is then the
target, and gradient Monte Carlo is stochastic gradient descent. Points are states 0 to n - 1 in a row; the wave is 1 in the middle
and 0 on either side. The book prints no numbers; in its figure the whole interval is about 2.47 times as long as the wave.
"""

from __future__ import annotations

import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.config import Count
from rlcourse.core.mdp import MDP

__all__ = ["square_wave"]


@checked
def square_wave(n: Count = 200, width: Count = 81) -> MDP:
    """Make the square wave.

    Parameters
    ----------
    n : int
        Points; the states. State n is the terminal one.
    width : int
        Points at which the wave is 1, from (n - width) // 2 on.
    """
    if not 0 <= width <= n:
        raise ValueError(f"width must be a number of points, 0 to {n}, not {width}")
    begin = (n - width) // 2
    successor = np.full((n + 1, 1, 1), n)
    reward = np.zeros((n + 1, 1, 1))
    reward[begin : begin + width] = 1.0
    start = np.append(np.full(n, 1.0 / n), 0.0)
    return MDP.from_arrays(np.ones((n + 1, 1, 1)), successor, reward, np.ones((n + 1, 1, 1), bool), start)
