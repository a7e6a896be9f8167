"""The k-armed bandit of Sec. 2.3: one situation, k actions, noisy rewards, and the testbed's problems to learn in.

A problem of the 10-armed testbed draws the true value q*(a) of each arm from N(mean, 1), and every pull of arm a has reward N(q*(a), 1).
A pull is an episode of one step: the return of an episode is the reward of a pull, and what a learner of action values should find
is q* itself, whatever its discount. The only observation is 0. The variant whose values walk is in `rlcourse.envs.drifting`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.config import Count, Natural, NonNegative
from rlcourse.core.mdp import MDP
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["Bandit", "bandit", "make_env", "make_vec"]


class Bandit(NamedTuple):
    """A bandit whose values stay as they are; make one with `bandit`.

    Attributes
    ----------
    values : ndarray of float64, shape [k]
        True values q*(a).
    noise : float
        Standard deviation of a reward.
    """

    values: np.ndarray
    noise: float = 1.0

    @property
    def observation_space(self) -> gym.spaces.Discrete:
        """One situation."""
        return gym.spaces.Discrete(1)

    @property
    def action_space(self) -> gym.spaces.Discrete:
        """The arms."""
        return gym.spaces.Discrete(len(self.values))

    def reset(self, rng):
        """Begin an episode: one pull."""
        return 0

    def step(self, state, action, rng):
        """Pull an arm; the episode ends."""
        return 0, self.values[action] + self.noise * rng.standard_normal(), True, False

    def observe(self, state):
        """Return 0."""
        return state

    def model(self) -> MDP:
        """Return the exact model; its rewards are the expected ones."""
        return MDP.of({0: {a: [(1.0, 0, float(value), True)] for a, value in enumerate(self.values)}})

    def true_values(self, state: Any) -> Sequence[float]:
        """Return q*(a) in a state; for pictures."""
        return self.values.tolist()


@checked
def bandit(k: Count = 10, mean: float = 0.0, seed: Natural = 0, values: Sequence[float] | None = None, noise: NonNegative = 1.0) -> Bandit:
    """Make a problem of the k-armed testbed.

    Parameters
    ----------
    k : int
        Number of arms.
    mean : float
        Of the normal distribution, with variance 1, that the true values are drawn from.
    seed : int
        Of that draw: one seed, one problem.
    values : sequence of float, optional
        True values q*(a), instead of drawn ones.
    noise : float
        Standard deviation of a reward.
    """
    true = mean + np.random.default_rng(seed).standard_normal(k) if values is None else np.array(values, dtype=float)
    if true.ndim != 1 or len(true) < 1 or not np.all(np.isfinite(true)):
        raise ValueError(f"values must be one finite number per arm, not {values!r}")
    return Bandit(true, float(noise))


def make_env(render_mode: str | None = None, **problem: Any) -> WorldEnv:
    """Make ``rlcourse/Bandit-v0``; further arguments are those of `bandit`."""
    from rlcourse.envs import drawing_bandit

    return WorldEnv(bandit(**problem), render_mode=render_mode, picture=drawing_bandit.picture, text=drawing_bandit.text, fps=4)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies of one problem."""
    problem = {name: options.pop(name) for name in ("k", "mean", "seed", "values", "noise") if name in options}
    return WorldVectorEnv(bandit(**problem), num_envs, **options)
