"""A Bernoulli bandit that nobody has met before: k arms, n pulls, and means that are drawn afresh for every episode.

An arm of mean p pays 1 with probability p, else 0; the means are uniform on [0, 1] and hidden. The observation is the share of the pulls
that is left, the same in every episode, so that it says nothing about the arms: whoever is to learn within an episode needs to be told what
each pull paid (`PreviousActionReward`), and needs a memory. Played by the same policy in many episodes it is the simplest task of
meta-reinforcement learning: Duan et al. (2016) and Wang et al. (2016) train a recurrent agent on it, whose memory becomes a learning
algorithm. How well any player can do is known exactly, see `rlcourse.envs.bernoulli_exact`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import gymnasium as gym

from rlcourse.core.arguments import checked
from rlcourse.core.box import kernel
from rlcourse.core.config import whole
from rlcourse.core.rows import replaced
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["BernoulliBandit", "bernoulli_bandit", "make_env", "make_vec"]


class BernoulliBandit(NamedTuple):
    """The bandit; state = (pulls made, mean of every arm). Make one with `bernoulli_bandit`.

    Attributes
    ----------
    blank : tuple of float, of length k + 1
        A state without its means.
    pulls : int
        The episode ends after so many.
    """

    blank: tuple[float, ...] = (0.0,) * 6
    pulls: int = 10

    @property
    def observation_space(self) -> gym.spaces.Box:
        """The share of the pulls that is left."""
        return gym.spaces.Box(0.0, 1.0, (1,))

    @property
    def action_space(self) -> gym.spaces.Discrete:
        """The arms."""
        return gym.spaces.Discrete(len(self.blank) - 1)

    def reset(self, rng):
        """Draw the means."""
        return drawn(self.blank, rng)

    def step(self, state, action, rng):
        """Pull an arm."""
        reward = 1.0 if rng.random() < state[1 + action] else 0.0
        pulls = state[0] + 1.0
        return (pulls,) + state[1:], reward, pulls == self.pulls, False  # noqa: RUF005 - numba unpacks no tuples

    def observe(self, state):
        """Return the share of the pulls that is left."""
        return (1.0 - state[0] / self.pulls,)

    def true_values(self, state: Any) -> Sequence[float]:
        """Return the means in a state; for pictures."""
        return list(state[1 : len(self.blank)])


@kernel
def drawn(blank, rng):
    """Return a state before the first pull, its means drawn."""
    for i in range(1, len(blank)):
        blank = replaced(blank, i, rng.random())
    return blank


@checked
def bernoulli_bandit(k: int = 5, n: int = 10) -> BernoulliBandit:
    """Make the bandit.

    Parameters
    ----------
    k : int
        Number of arms.
    n : int
        Pulls of an episode.
    """
    return BernoulliBandit((0.0,) * (whole("k", k, 1) + 1), whole("n", n, 1))


def make_env(render_mode: str | None = None, k: int = 5, n: int = 10) -> WorldEnv:
    """Make ``rlcourse/BernoulliBandit-v0``."""
    from rlcourse.envs import drawing_bandit

    picture, text = drawing_bandit.bars, drawing_bandit.lines
    return WorldEnv(bernoulli_bandit(k, n), render_mode=render_mode, picture=picture, text=text, fps=2)


def make_vec(num_envs: int = 1, k: int = 5, n: int = 10, **options: Any) -> WorldVectorEnv:
    """Make N copies; each draws its own means."""
    return WorldVectorEnv(bernoulli_bandit(k, n), num_envs, **options)
