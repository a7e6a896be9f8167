"""The soap bubble of Example 5.2: a film in a bent wire, as a random walk.

The height of a film under tension at a point is the average of the heights around it; at the wire it is the height of the wire. On a grid
that is the value of a random walk, left, right, down or up with equal probability, whose only reward is the height of the wire where it
ends. State = n * row + column of the inner points; actions are up, right, down, left.
"""

from __future__ import annotations

import math

from rlcourse.core.mdp import MDP, Outcome

__all__ = ["soap_film", "wire"]

MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))  # up, right, down, left: (row, column)


def wire(x: float, y: float) -> float:
    """Return the height of the wire at a point on the edge of the unit square: two opposite sides arch, the others sag."""
    return math.sin(math.pi * x) - 0.7 * math.sin(math.pi * y) + 0.3 * x


def soap_film(n: int = 19, start: tuple[int, int] = (9, 9)) -> MDP:
    """Make the walk over n x n inner points; every episode begins at (row, column)."""
    table: dict[int, dict[int, list[Outcome]]] = {}
    for s in range(n * n):
        row, column = divmod(s, n)
        table[s] = {}
        for a, (down, right) in enumerate(MOVES):
            r, c = row + down, column + right
            inside = 0 <= r < n and 0 <= c < n
            height = 0.0 if inside else wire((c + 1) / (n + 1), (r + 1) / (n + 1))
            table[s][a] = [(1.0, n * r + c if inside else s, height, not inside)]
    return MDP.of(table, n * start[0] + start[1])
