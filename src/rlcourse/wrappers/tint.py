"""`Tint`: every episode has its own light; colours and brightness of its images are drawn anew (colour jitter; Laskin et al. 2020)."""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.box import typed_kernel
from rlcourse.wrappers.augment import Augmentation, image_axes

__all__ = ["Tint", "Tone"]


def tinted(plane, factor, term):
    """Let numbers x become factor x + term in place, rounded and kept within 0..255."""
    plane[...] = np.minimum(np.maximum(plane * factor + term + 0.5, 0.0), 255.0)


@typed_kernel(tinted)
def _tinted(plane, factor, term):
    def loops(plane, factor, term):
        for i in range(plane.shape[0]):
            for j in range(plane.shape[1]):
                plane[i, j] = int(min(max(plane[i, j] * factor + term + 0.5, 0.0), 255.0))

    return loops


class Tone(NamedTuple):
    """Multiply each channel by a random number and add another one to it, for up to three channels."""

    strength: float

    def draw(self, rng):
        """Return three factors, then three terms."""
        s = self.strength
        factors = (1.0 + s * (2.0 * rng.random() - 1.0), 1.0 + s * (2.0 * rng.random() - 1.0), 1.0 + s * (2.0 * rng.random() - 1.0))
        half = 127.5 * s
        return (*factors, half * (2.0 * rng.random() - 1.0), half * (2.0 * rng.random() - 1.0), half * (2.0 * rng.random() - 1.0))

    def apply(self, image, drawn):
        """Tint an image of bytes, of shape [channels, height, width, channels]."""
        for i in range(image.shape[0]):
            for j in range(image.shape[3]):
                tinted(image[i, :, :, j], drawn[i + j], drawn[3 + i + j])


class Tint(Augmentation):
    """Draw contrast and brightness of every channel at random: x becomes factor x + term, rounded and kept within 0..255.

    Parameters
    ----------
    env : Env
        Observations are images of bytes, with one channel or three.
    strength : float
        Factors lie between 1 - strength and 1 + strength, terms between -127.5 strength and 127.5 strength; 0 to 1.
    per : {"episode", "observation"}
        How often they are drawn.
    """

    @checked
    def __init__(self, env: gym.Env[Any, Any], strength: float = 0.5, per: str = "episode") -> None:
        gym.utils.RecordConstructorArgs.__init__(self, strength=strength, per=per)
        if not 0.0 <= strength <= 1.0:
            raise ValueError(f"strength must be between 0 and 1, not {strength!r}")
        axes = image_axes(env.observation_space, "Tint")
        space: Any = env.observation_space
        if axes[0] * axes[3] not in (1, 3) or space.dtype != np.uint8 or space.low.any() or (space.high != 255).any():
            raise ValueError(f"Tint needs images of bytes from 0 to 255 with one channel or three, not {space}")
        super().__init__(env, Tone(float(strength)), per)
