"""The bandit whose values walk at random (Exercise 2.5): what was true of an arm an hour ago need not be true now.

All q*(a) begin equal, and after every pull each of them takes a step of its own, drawn from N(0, 0.01^2); a reward is q*(A) plus
N(0, 1). An episode is a whole life, without end unless a time limit cuts it (10,000 pulls under its id), and each begins anew.
State = the tuple of all q*(a), of which an agent sees nothing: the only observation is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import gymnasium as gym

from rlcourse.core.box import kernel
from rlcourse.core.rows import replaced
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["DriftingBandit", "make_env", "make_vec"]


class DriftingBandit(NamedTuple):
    """A bandit whose values walk at random (Exercise 2.5). State = q*(a) of all arms; only 0 is observed.

    Attributes
    ----------
    start : tuple of float
        q*(a) at the beginning of an episode.
    drift : float
        Standard deviation of the step that every q*(a) takes after a pull.
    noise : float
        Standard deviation of a reward.
    """

    start: tuple[float, ...] = (0.0,) * 10
    drift: float = 0.01
    noise: float = 1.0

    @property
    def observation_space(self) -> gym.spaces.Discrete:
        """One situation."""
        return gym.spaces.Discrete(1)

    @property
    def action_space(self) -> gym.spaces.Discrete:
        """The arms."""
        return gym.spaces.Discrete(len(self.start))

    def reset(self, rng):
        """Begin a life with the values of the start."""
        return self.start

    def step(self, state, action, rng):
        """Pull an arm; then all values walk."""
        reward = state[action] + self.noise * rng.standard_normal()
        return walked(state, self.drift, rng), reward, False, False

    def observe(self, state):
        """Return 0: the values are hidden."""
        return 0

    def true_values(self, state: Any) -> Sequence[float]:
        """Return q*(a) in a state; for pictures."""
        return list(state)


@kernel
def walked(values, drift, rng):
    """Return a tuple of values after a step of their random walks."""
    for i in range(len(values)):
        values = replaced(values, i, values[i] + drift * rng.standard_normal())
    return values


def make_env(render_mode: str | None = None, k: int = 10, drift: float = 0.01) -> WorldEnv:
    """Make ``rlcourse/DriftingBandit-v0``."""
    from rlcourse.envs import drawing_bandit

    world = DriftingBandit((0.0,) * k, float(drift))
    return WorldEnv(world, render_mode=render_mode, picture=drawing_bandit.picture, text=drawing_bandit.text, fps=30)


def make_vec(num_envs: int = 1, k: int = 10, drift: float = 0.01, **options: Any) -> WorldVectorEnv:
    """Make N copies; each walks by itself."""
    return WorldVectorEnv(DriftingBandit((0.0,) * k, float(drift)), num_envs, **options)
