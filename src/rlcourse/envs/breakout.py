"""SmallBreakout: Breakout on a board of 10 x 10 cells, after the description in MinAtar's paper (Young & Tian 2019, arXiv 1903.03176).

A paddle at the bottom moves left, stays or moves right, and keeps a ball in the game that breaks three rows of bricks. Each brick has
reward +1; when all are broken, three new rows appear; the episode ends when the ball is missed. The ball moves along diagonals, one cell
a step, and is reflected by walls and bricks; which part of the paddle it hits decides whether it flies on to the same side or back.
What is seen are four layers of 0 and 1: paddle, ball, the ball's last place (its trail, which shows the direction), and bricks.
With probability `sticky` an action is replaced by the one before, as in that paper (0.1, our default too).

What the paper leaves open is ours, so scores are not comparable with MinAtar's: the bricks fill rows 1 to 3 from the top, row 0 is free;
the ball enters row 4 in any column, moving down to either side, and has made its first step; the paddle is one cell wide, begins in the
middle (column 5 where the ball first flies to the right, else 4) and moves before the ball does. A side wall is a mirror at the edge of
the board: there the ball stays in its column for one step (else it would visit cells of one colour of a chessboard only, and half of the
bricks never). A ball that hits a brick enters its cell and turns its vertical direction. A ball that hits the paddle from straight above
flies on to the same side; one that hits it with the next cell of its way flies back. New bricks appear when the ball next leaves the
paddle. The registered environment ends an episode after 1000 steps (a truncation).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.box import kernel
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["SmallBreakout", "make_env", "make_vec"]

SIZE = 10
TOP, BRICK_ROWS = 1, 3  # the bricks fill rows 1, 2, 3
WALL = (1 << (BRICK_ROWS * SIZE)) - 1  # one bit for each brick, row by row
STAY = 1


@kernel
def sideways(column, side):
    """Return the next column of a ball that moves to a side, -1 or 1, and the side to which it moves then."""
    if 0 <= column + side < SIZE:
        return column + side, side
    return column, -side


class SmallBreakout(NamedTuple):
    """The game.

    State = (row and column of the ball, its steps down and to the right, row and column of its last place, column of the paddle,
    bricks as bits, last action).

    Attributes
    ----------
    sticky : float
        Probability that the last action is repeated instead of the chosen one.
    """

    sticky: float = 0.1

    @property
    def observation_space(self) -> gym.spaces.Box:
        """A board: row, column, and the layers paddle, ball, trail, bricks."""
        return gym.spaces.Box(0, 1, (SIZE, SIZE, 4), np.uint8)

    @property
    def action_space(self) -> gym.spaces.Discrete:
        """Left (0), stay (1), right (2)."""
        return gym.spaces.Discrete(3)

    def reset(self, rng):
        """Begin with all bricks; the ball comes out below them in any column, to either side."""
        column, thrown = int(SIZE * rng.random()), -1 if rng.random() < 0.5 else 1
        to_column, side = sideways(column, thrown)
        row, paddle = TOP + BRICK_ROWS, SIZE // 2 if thrown > 0 else SIZE // 2 - 1
        return row + 1.0, float(to_column), 1.0, float(side), float(row), float(column), float(paddle), float(WALL), float(STAY)

    def step(self, state, action, rng):
        """Move the paddle, then the ball."""
        row, column, down, side = int(state[0]), int(state[1]), int(state[2]), int(state[3])
        paddle, bricks, last = int(state[6]), int(state[7]), int(state[8])
        moved = last if self.sticky > 0.0 and rng.random() < self.sticky else int(action)
        paddle = min(max(paddle + moved - 1, 0), SIZE - 1)
        down = 1 if row == 0 else down
        reward, missed = 0.0, False
        to_column, to_side = sideways(column, side)
        if row + down == SIZE - 1:
            if paddle in (column, to_column):
                if paddle != column:
                    to_column, to_side = sideways(column, -side)
                down = -1
                bricks = bricks if bricks > 0 else WALL
            else:
                missed = True
        to_row = row + down
        brick = (to_row - TOP) * SIZE + to_column
        if TOP <= to_row < TOP + BRICK_ROWS and bricks >> brick & 1:
            bricks -= 1 << brick
            reward = 1.0
            down = -down
        after = (
            float(to_row),
            float(to_column),
            float(down),
            float(to_side),
            float(row),
            float(column),
            float(paddle),
            float(bricks),
            float(moved),
        )
        return after, reward, missed, False

    def observe(self, state):
        """Return the board."""
        board = np.empty((SIZE, SIZE, 4), np.uint8)
        self.paint(state, board)
        return board

    def paint(self, state, seen):
        """Write the board."""
        seen[:] = 0
        seen[SIZE - 1, int(state[6]), 0] = 1
        seen[int(state[0]), int(state[1]), 1] = 1
        seen[int(state[4]), int(state[5]), 2] = 1
        bricks = int(state[7])
        for brick in range(BRICK_ROWS * SIZE):
            seen[TOP + brick // SIZE, brick % SIZE, 3] = bricks >> brick & 1


def make_env(render_mode: str | None = None, sticky: float = 0.1) -> WorldEnv:
    """Make ``rlcourse/SmallBreakout-v0``; see `SmallBreakout`."""
    from rlcourse.envs.drawing_pixels import breakout_picture, breakout_text

    return WorldEnv(_game(sticky), render_mode=render_mode, picture=breakout_picture, text=breakout_text, fps=10)


def make_vec(num_envs: int = 1, sticky: float = 0.1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(_game(sticky), num_envs, **options)


def _game(sticky: float) -> SmallBreakout:
    if not 0 <= sticky <= 1:
        raise ValueError(f"sticky must be a probability, 0..1, not {sticky}")
    return SmallBreakout(float(sticky))
