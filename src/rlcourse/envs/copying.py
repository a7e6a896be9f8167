"""DelayedCopy: name the bit that was seen k steps ago, at every step: what a memory of k + 1 observations can do, and a shorter one cannot.

A fair coin falls at each step and is seen. The action names the coin of k steps ago: reward 1 where it is right, else 0. At the first k
steps of an episode there is no such coin, and no reward. Coins are independent, so that whoever remembers the last w observations names

    1/2 of them right if w <= k,     all of them if w >= k + 1,

and what an action does to the future is nothing: the whole difficulty is in the memory.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.config import whole
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["DelayedCopy", "delayed_copy", "make_env", "make_vec"]


class DelayedCopy(NamedTuple):
    """The stream; state = (the last lag + 1 coins as a number, the newest its lowest bit; how many of them have been seen).

    Attributes
    ----------
    lag : int
        The k of the task, 1 to 50: how many steps ago the coin fell that is to be named.
    """

    lag: int = 3

    @property
    def observation_space(self) -> gym.spaces.Discrete:
        """The coin that has just fallen."""
        return gym.spaces.Discrete(2)

    @property
    def action_space(self) -> gym.spaces.Discrete:
        """The name of a coin."""
        return gym.spaces.Discrete(2)

    def reset(self, rng):
        """Let the first coin fall."""
        return (1.0 if rng.random() < 0.5 else 0.0), 1.0

    def step(self, state, action, rng):
        """Name a coin, and let the next one fall."""
        coins, seen = int(state[0]), state[1]
        reward = 1.0 if seen > self.lag and action == (coins >> self.lag & 1) else 0.0
        coin = 1 if rng.random() < 0.5 else 0
        coins = (2 * coins + coin) & ((1 << (self.lag + 1)) - 1)
        return (float(coins), min(seen + 1.0, self.lag + 1.0)), reward, False, False

    def observe(self, state):
        """Return the coin that fell last."""
        return int(state[0]) & 1


def delayed_copy(lag: int = 3) -> DelayedCopy:
    """Make the task for a lag, 1 to 50."""
    return DelayedCopy(whole("lag", lag, 1, 50))


def _coins(world: Any, state: Any) -> str:
    """Return the coins that have been seen, the newest at the right."""
    return f"{int(state[0]):0{int(state[1])}b}"[-int(state[1]) :].rjust(world.lag + 1)


def text(world: Any, state: Any, action: Any = None) -> str:
    """Return the coins that have been seen, the newest at the right, and the one to be named in brackets."""
    coins = _coins(world, state).replace(" ", ".")
    return f"[{coins[0]}] {' '.join(coins[1:])}\n"


def picture(world: Any, state: Any, action: Any = None) -> np.ndarray:
    """Draw the coins that have been seen, the one to be named marked, and the last action."""
    from rlcourse.envs.canvas import INK, Canvas
    from rlcourse.envs.drawing_bits import row_of_coins

    canvas = Canvas(660, 150)
    row_of_coins(canvas, _coins(world, state), {world.lag: f"t - {world.lag}", 0: "t"})
    if action is not None:
        canvas.text(610, 66, f"said {int(action)}", INK, 17)
    return canvas.array()


def make_env(render_mode: str | None = None, lag: int = 3) -> WorldEnv:
    """Make ``rlcourse/DelayedCopy3-v0`` and its kin."""
    return WorldEnv(delayed_copy(lag), render_mode=render_mode, picture=picture, text=text, fps=4)


def make_vec(num_envs: int = 1, lag: int = 3, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(delayed_copy(lag), num_envs, **options)
