"""CartPole without velocities: the cart's place and the pole's angle are seen, their velocities read zero (`MaskVelocity`).

The dynamics are CartPole's. A policy without memory keeps the pole up for some 50 steps; one that remembers, for all 500.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym

from rlcourse.core.catalogue import world_of
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv
from rlcourse.wrappers.mask import Masked, masked

__all__ = ["make_env", "make_vec", "masked_cartpole"]


def masked_cartpole() -> Masked:
    """Return the world."""
    return masked(world_of("rlcourse/CartPole-v1"))


def make_env(render_mode: str | None = None) -> WorldEnv:
    """Make ``rlcourse/MaskedCartPole-v1``; its picture shows the whole state."""
    inside = gym.make("rlcourse/CartPole-v1", render_mode=render_mode).unwrapped
    assert isinstance(inside, WorldEnv)
    return inside.behind(masked(inside.world), lambda state: state)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(masked_cartpole(), num_envs, **options)
