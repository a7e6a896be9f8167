"""DelayedBits: a forecast that needs what was seen three and eight steps ago; how good it can be is known for every length of memory.

A stream of fair coins X_t is seen, and another bit Y_t is to be forecast before it falls:

    P(Y_t = 1 | X) = 1/2 + X_{t-3} / 2 - X_{t-8} / 4

The action is the forecast, the reward the log-score: log a where Y_t = 1 and log (1 - a) where it is 0, so that minus the mean reward is a
cross-entropy, in nats, and the best forecast is the conditional probability itself. Forecasts are kept from 0 and 1 by 0.001: the worst
reward is -6.9 and not minus infinity. The stream has begun long before an episode does: the coins that a first forecast depends on have
fallen, and nobody has seen them. So the first w forecasts are worth what a memory of w observations is worth:

    observations known     1 to 3     4 to 8     9 and more
    cross-entropy, nats    0.6616     0.5192     0.4545        (`bits_cross_entropy`, by enumeration)

The lags of 3 and 8 are those of a well-known exercise on truncated backpropagation.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.config import Count, whole
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["DelayedBits", "bits_cross_entropy", "bits_streams", "make_env", "make_vec"]

NEAR, FAR = 3, 8  # lags
LIMIT = 2.0 ** (FAR + 1)  # as many histories as the state can be


class DelayedBits(NamedTuple):
    """The stream; state = (the last nine coins as a number, X_t its lowest bit and X_{t-8} its highest).

    Attributes
    ----------
    floor : float
        How close to 0 and 1 a forecast may be.
    """

    floor: float = 0.001

    @property
    def observation_space(self) -> gym.spaces.Discrete:
        """The coin X_t."""
        return gym.spaces.Discrete(2)

    @property
    def action_space(self) -> gym.spaces.Box:
        """The probability that Y_t is 1."""
        return gym.spaces.Box(0.0, 1.0, (1,), np.float32)

    def reset(self, rng):
        """Come to the stream at some time: nine coins have fallen, and the last one is seen."""
        return (float(int(LIMIT * rng.random())),)

    def step(self, state, action, rng):
        """Forecast, let Y_t fall, and then the next coin."""
        history = int(state[0])
        p = 0.5 + 0.5 * (history >> NEAR & 1) - 0.25 * (history >> FAR & 1)
        forecast = min(max(float(action[0]), self.floor), 1.0 - self.floor)
        reward = math.log(forecast) if rng.random() < p else math.log(1.0 - forecast)
        coin = 1.0 if rng.random() < 0.5 else 0.0
        return ((2.0 * state[0] + coin) % LIMIT,), reward, False, False

    def observe(self, state):
        """Return the coin that fell last."""
        return int(state[0]) & 1

    def probability(self, state):
        """Return P(Y_t = 1), which nobody sees."""
        history = int(state[0])
        return 0.5 + 0.5 * (history >> NEAR & 1) - 0.25 * (history >> FAR & 1)


@checked
def bits_cross_entropy(lags: Iterable[int]) -> float:
    """Return the cross-entropy of the best forecast that knows the coins of some lags, nats, by enumeration.

    Parameters
    ----------
    lags : iterable of int
        A memory of w observations is ``range(w)``. What is neither 3 nor 8 does not help.
    """
    known = {whole(f"lags[{i}]", lag, 0) for i, lag in enumerate(lags)}
    groups: dict[tuple[int, ...], list[float]] = {}
    for near, far in ((0, 0), (0, 1), (1, 0), (1, 1)):
        seen = tuple(coin for lag, coin in ((NEAR, near), (FAR, far)) if lag in known)
        groups.setdefault(seen, []).append(0.5 + near / 2 - far / 4)
    best = [(len(each) / 4, sum(each) / len(each)) for each in groups.values()]  # probability of what is seen, and the forecast
    return -sum(share * (p * math.log(p) + (1 - p) * math.log(1 - p)) for share, p in best if 0.0 < p < 1.0)


@checked
def bits_streams(steps: Count, copies: Count, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw streams of coins without stepping an environment.

    Returns
    -------
    coins : ndarray of int64, shape [steps, copies]
    probabilities : ndarray of float64, shape [steps, copies]
        P(Y_t = 1), which depends on coins before the first one too.
    """
    coins = rng.integers(0, 2, (FAR + steps, copies))
    return coins[FAR:], 0.5 + coins[FAR - NEAR : FAR - NEAR + steps] / 2 - coins[:steps] / 4


def text(world: Any, state: Any, action: Any = None) -> str:
    """Return the last nine coins, the newest at the right, and how probable Y_t is."""
    coins = f"{int(state[0]):09b}"
    return f"{' '.join(coins)}   P(Y = 1) = {world.probability(state):.2f}\n"


def picture(world: Any, state: Any, action: Any = None) -> np.ndarray:
    """Draw the last nine coins, those that count marked, P(Y_t = 1) as a bar, and the last forecast as a line across it."""
    from rlcourse.envs.canvas import BLUE, INK, ORANGE, SAND, Canvas
    from rlcourse.envs.drawing_bits import row_of_coins

    canvas = Canvas(660, 150)
    row_of_coins(canvas, f"{int(state[0]):09b}", {FAR: "t - 8", NEAR: "t - 3", 0: "t"})
    canvas.box(580, 20, 620, 120, SAND)
    canvas.box(580, 120 - 100 * world.probability(state), 620, 120, ORANGE)
    canvas.text(600, 136, "P(Y = 1)", INK, 13)
    if action is not None:
        y = 120 - 100 * float(action[0])
        canvas.line([(572, y), (628, y)], BLUE, 3)
    return canvas.array()


def make_env(render_mode: str | None = None) -> WorldEnv:
    """Make ``rlcourse/DelayedBits-v0``."""
    return WorldEnv(DelayedBits(), render_mode=render_mode, picture=picture, text=text, fps=4)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(DelayedBits(), num_envs, **options)
