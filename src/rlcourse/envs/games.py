"""Games of packages that need not be installed: Pong (extra `atari`), Breakout and Asterix of MinAtar.

Each is registered with what the literature puts around it, so that one id names the task.
"""

from __future__ import annotations

import importlib
from typing import Any

import gymnasium as gym
import numpy as np

__all__ = ["make_minatar", "make_pong", "need"]


def make_pong(render_mode: str | None = None) -> gym.Env[Any, Any]:
    """Make Pong as in Mnih et al. 2015: every fourth frame, the last four of them, 84 x 84 pixels, up to 30 idle steps at the beginning."""
    for module, package in (("ale_py", "ale-py"), ("cv2", "opencv-python-headless")):
        need(module, "rlcourse/Pong-v0", package)
    env = gym.make("ALE/Pong-v5", frameskip=1, repeat_action_probability=0.0, render_mode=render_mode)
    return gym.wrappers.FrameStackObservation(gym.wrappers.AtariPreprocessing(env), 4)


def make_minatar(game: str, render_mode: str | None = None) -> gym.Env[Any, Any]:
    """Make a game of MinAtar (Young & Tian 2019) with its minimal actions; observations are boards of bytes, 10 x 10 x channels."""
    name = f"MinAtar/{game.title()}-v1"
    module = need("minatar.gym", name, "MinAtar")
    if name not in gym.registry:
        module.register_envs()
    return Bytes(gym.make(name, render_mode=render_mode, disable_env_checker=True))


class Bytes(gym.ObservationWrapper[Any, Any, Any], gym.utils.RecordConstructorArgs):
    """Boards of booleans as bytes of 0 and 1."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        gym.utils.RecordConstructorArgs.__init__(self)
        super().__init__(env)
        self.observation_space = gym.spaces.Box(0, 1, env.observation_space.shape, np.uint8)

    def observation(self, observation: Any) -> np.ndarray:
        """Return a board as bytes."""
        return np.asarray(observation, np.uint8)


def need(module: str, id: str, package: str) -> Any:
    """Import a module that need not be installed; where it is not, say what to install for an id."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise gym.error.DependencyNotInstalled(f"{id} needs a package that is not installed: pip install {package}") from None
