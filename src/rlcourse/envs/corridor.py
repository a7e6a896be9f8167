"""The short corridor with switched actions (Example 13.1): where the best policy is a random one.

Three states in a row, the goal behind the last one. Right (1) goes right and left (0) goes left, at the wall to no effect, except in the
second state, where they are switched. Every step has reward -1, the last one too. Under the book's features all states look alike, so a
policy is one number, p = P(right), and its value from the start is

    v(p) = (2p - 4) / (p (1 - p)),    at best -(6 + 4 sqrt 2) = -11.66, where p = 2 - sqrt 2 = 0.586.

`short_corridor` is the model with its four states, the last of them the goal; `corridor_features` are the book's features of its pairs. The
registered environment is `HiddenCorridor`: the same, seen as one and the same observation, so that every agent has the problem.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.mdp import MDP
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["HiddenCorridor", "corridor_features", "hidden_corridor", "make_env", "make_vec", "short_corridor"]


def short_corridor() -> MDP:
    """Make the corridor with its states in sight: 0, 1, 2, and 3 is the goal."""
    go = {0: (0, 1), 1: (2, 0), 2: (1, 3)}  # state: where left and right lead
    table = {s: {a: [(1.0, to, -1.0, to == 3)] for a, to in enumerate(ways)} for s, ways in go.items()}
    return MDP.of({**table, 3: {a: [(1.0, 3, 0.0, True)] for a in (0, 1)}})


def corridor_features() -> np.ndarray:
    """Return the features of the example, shape [4, 2, 2]: x(s, left) = (0, 1) and x(s, right) = (1, 0) in all states."""
    return np.tile([[0.0, 1.0], [1.0, 0.0]], (4, 1, 1))


class HiddenCorridor(NamedTuple):
    """The corridor as one sees it who cannot tell its states apart.

    Attributes
    ----------
    corridor : MDP
        With its states in sight.
    """

    corridor: MDP

    @property
    def observation_space(self) -> gym.spaces.Discrete:
        """Always 0."""
        return gym.spaces.Discrete(1)

    @property
    def action_space(self) -> gym.spaces.Discrete:
        """Left (0) and right (1)."""
        return gym.spaces.Discrete(2)

    def reset(self, rng):
        """Begin at the left end; a state is the number of the corridor's state, in a tuple."""
        return (float(self.corridor.reset(rng)),)

    def step(self, state, action, rng):
        """Walk."""
        s, reward, terminated, truncated = self.corridor.step(int(state[0]), action, rng)
        return (float(s),), reward, terminated, truncated

    def observe(self, state):
        """Return 0: all states look alike."""
        return 0


def hidden_corridor() -> HiddenCorridor:
    """Make the corridor in which all states look alike."""
    return HiddenCorridor(short_corridor())


def make_env(render_mode: str | None = None) -> WorldEnv:
    """Make ``rlcourse/ShortCorridor-v0``."""
    from rlcourse.envs.drawing_chain import Chain

    chain = Chain([0, 1, 2, 3], ["S", "<>", "", "G"], (3,), ["-1", "-1", "-1"], goal=3)

    def picture(world: Any, state: Any, action: Any = None) -> np.ndarray:
        """Draw the corridor; the second state's actions are switched."""
        return chain.picture(world, None if state is None else int(state[0]), action)

    def text(world: Any, state: Any, action: Any = None) -> str:
        """Return the corridor as a line; A is the agent."""
        return chain.text(world, int(state[0]), action)

    return WorldEnv(hidden_corridor(), render_mode=render_mode, picture=picture, text=text, fps=4)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(hidden_corridor(), num_envs, **options)
