"""stable-baselines3 under our roof: its models as agents, its vectorised environments as ours, and ours as its own.

>>> from rlcourse.sb3 import agent_class, from_vec_env, to_vec_env
>>> agent = agent_class("ppo")("CartPole-v1", n_envs=8, learning_rate=1e-3, seed=0).learn(50_000)

Importing this package imports neither stable-baselines3 nor torch; using a name does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rlcourse.sb3.agent import SB3Agent
    from rlcourse.sb3.models import agent_class, model_names
    from rlcourse.sb3.vec_env import from_vec_env, to_vec_env

__all__ = ["SB3Agent", "agent_class", "from_vec_env", "model_names", "to_vec_env"]

_HOMES = {"SB3Agent": "agent", "agent_class": "models", "from_vec_env": "vec_env", "model_names": "models", "to_vec_env": "vec_env"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
