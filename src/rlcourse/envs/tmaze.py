"""The T-maze: what was seen at the beginning decides at the end, and nothing between tells it (Bakker 2002).

A corridor begins with a sign, up or down, and ends, `length` steps on, at a junction. The arm to which the sign pointed pays 1, the
other nothing, and either ends the episode, so that a return is 1 for success and 0 for failure. Three actions: up (0), down (1) and on
(2); a wall costs a step and nothing else. (Bakker's agent may also walk back, and has 4 for success, -0.1 for the wrong arm and walls.)

Only four things are ever seen: the sign up (0), the sign down (1), a piece of corridor (2), the junction (3). A policy pi without memory
sees the same junction under both signs, so there it goes up with one and the same probability p = pi(up | 3) / (pi(up | 3) + pi(down | 3)).
Each sign has probability 1/2; if it gets to the junction from both, it succeeds with probability

    p / 2 + (1 - p) / 2 = 1/2,

whatever p is, and with less if it does not. With a memory of one bit, 1 is possible, in length + 1 steps.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.config import whole
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["TMaze", "make_env", "make_vec", "t_maze"]


class TMaze(NamedTuple):
    """A corridor with a sign at its beginning. State = (0 for the sign up or 1 for down, steps from the beginning).

    In an arm, where an episode ends, the steps are length + 1 (up) or length + 2 (down).

    Attributes
    ----------
    length : int
        Steps from the sign to the junction, at least 1: how long it must be remembered.
    """

    length: int = 10

    @property
    def observation_space(self) -> gym.spaces.Discrete:
        """Sign up (0), sign down (1), corridor (2), junction (3)."""
        return gym.spaces.Discrete(4)

    @property
    def action_space(self) -> gym.spaces.Discrete:
        """Up (0), down (1), on (2)."""
        return gym.spaces.Discrete(3)

    def reset(self, rng):
        """Put up one of the signs."""
        sign = 0.0 if rng.random() < 0.5 else 1.0
        return (sign, 0.0)

    def step(self, state, action, rng):
        """Walk on, or into an arm."""
        sign, at = state
        if at < self.length:
            on = at + 1.0 if action == 2 else at
            return (sign, on), 0.0, False, False
        if action == 2:
            return (sign, at), 0.0, False, False
        reward = 1.0 if action == sign else 0.0
        return (sign, self.length + 1.0 + action), reward, True, False

    def observe(self, state):
        """Return what is seen; the arms look like the junction."""
        if state[1] == 0.0:
            return int(state[0])
        return 2 if state[1] < self.length else 3


def t_maze(length: int = 10) -> TMaze:
    """Make a T-maze whose junction is `length` steps from its sign."""
    return TMaze(whole("length", length, 1))


def picture(world: Any, state: Any, action: Any = None) -> np.ndarray:
    """Draw the maze; the arm that pays has a +1, which the agent does not see."""
    from rlcourse.envs.canvas import GREEN, GREY, INK, ORANGE, SAND, SHADE, Canvas

    length = world.length
    side = max(14, min(44, 660 // (length + 1)))
    canvas, middle = Canvas(side * (length + 1) + 24, 3 * side + 24), 12 + 1.5 * side

    def cell(at: float) -> tuple[float, float]:
        return 12 + (min(at, length) + 0.5) * side, middle + (0 if at <= length else -side if at == length + 1 else side)

    def tile(at: float, color: Any) -> None:
        x, y = cell(at)
        canvas.box(x - side / 2, y - side / 2, x + side / 2, y + side / 2, GREY)
        canvas.box(x - side / 2 + 1, y - side / 2 + 1, x + side / 2 - 1, y + side / 2 - 1, color)

    sign, at = (None, None) if state is None else state
    for place in range(length + 3):
        tile(place, SHADE if place == 0 else SAND)
    if sign is not None:
        x, y = cell(0)
        way = -1 if sign == 0 else 1
        canvas.arrow(
            [(x - 0.2 * side, y - 0.28 * side * way), (x - 0.2 * side, y + 0.08 * side * way)], INK, max(1.5, side / 14), head=0.26 * side
        )
        canvas.text(*cell(length + 1 + sign), "+1", GREEN, 0.4 * side)
    if at is not None:
        x, y = cell(at)
        canvas.disc(x + (0.2 * side if at == 0 else 0), y, 0.2 * side, ORANGE)
    return canvas.array()


def text(world: Any, state: Any, action: Any = None) -> str:
    """Return the maze as three lines: A the agent, G the arm that pays, ^ or v the sign."""
    sign, at = int(state[0]), int(state[1])
    row = ["^v"[sign], *"." * world.length]
    arms = ["G", "#"] if sign == 0 else ["#", "G"]
    if at <= world.length:
        row[at] = "A"
    else:
        arms[at - world.length - 1] = "A"
    indent = "  " * world.length
    return f"{indent}{arms[0]}\n{' '.join(row)}\n{indent}{arms[1]}   the sign is {('up', 'down')[sign]}\n"


def make_env(render_mode: str | None = None, length: int = 10) -> WorldEnv:
    """Make ``rlcourse/TMaze-v0``."""
    return WorldEnv(t_maze(length), render_mode=render_mode, picture=picture, text=text, fps=8)


def make_vec(num_envs: int = 1, length: int = 10, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(t_maze(length), num_envs, **options)
