"""stable-baselines3's vectorised environments as ours, and ours as its own.

>>> from rlcourse.sb3 import from_vec_env, to_vec_env

Importing this package imports neither stable-baselines3 nor torch; using a name does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rlcourse.sb3.vec_env import from_vec_env, to_vec_env

__all__ = ["from_vec_env", "to_vec_env"]

_HOMES = {"from_vec_env": "vec_env", "to_vec_env": "vec_env"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
