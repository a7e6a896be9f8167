"""The environments: worlds, one file each, registered with Gymnasium under ``rlcourse/``.

>>> from rlcourse.envs import CartPole, cliff_walk

Importing this package imports none of them: each is found when its name is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if __name__ == "envs":  # the link at the root of a checkout: be the very same modules
    from rlcourse.core.links import follow_link

    follow_link("envs")

if TYPE_CHECKING:
    from rlcourse.envs.acrobot import Acrobot
    from rlcourse.envs.branching import branching_task
    from rlcourse.envs.cartpole import CartPole
    from rlcourse.envs.cliff import cliff_walk
    from rlcourse.envs.maximization_bias import MaximizationBias
    from rlcourse.envs.mountain_car import MountainCar
    from rlcourse.envs.pendulum import Pendulum
    from rlcourse.envs.racetracks import Racetrack, racetrack
    from rlcourse.envs.rod import rod_maneuvering
    from rlcourse.envs.walk import random_walk
    from rlcourse.envs.windy import windy_gridworld

__all__ = [
    "Acrobot",
    "CartPole",
    "MaximizationBias",
    "MountainCar",
    "Pendulum",
    "Racetrack",
    "branching_task",
    "cliff_walk",
    "racetrack",
    "random_walk",
    "rod_maneuvering",
    "windy_gridworld",
]

MODULES = {  # name: the file that holds it; the functions make an MDP
    "Acrobot": "rlcourse.envs.acrobot",
    "CartPole": "rlcourse.envs.cartpole",
    "MaximizationBias": "rlcourse.envs.maximization_bias",
    "MountainCar": "rlcourse.envs.mountain_car",
    "Pendulum": "rlcourse.envs.pendulum",
    "branching_task": "rlcourse.envs.branching",
    "Racetrack": "rlcourse.envs.racetracks",
    "cliff_walk": "rlcourse.envs.cliff",
    "racetrack": "rlcourse.envs.racetracks",
    "random_walk": "rlcourse.envs.walk",
    "rod_maneuvering": "rlcourse.envs.rod",
    "windy_gridworld": "rlcourse.envs.windy",
}


def __getattr__(name: str) -> Any:
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
