"""Fresh episodes of a saved agent, in an environment that is held to its word and to its time as in learning."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from rlcourse.cli.config_file import read_config
from rlcourse.cli.numerics import EVAL_SEEDS
from rlcourse.cli.targets import Target
from rlcourse.cli.usage import UsageError
from rlcourse.core.evaluation import evaluate
from rlcourse.core.faults import EnvironmentFault

__all__ = ["faults_said", "judge", "judging_env", "playing_in", "recalled", "time_of"]


def judge(agent: Any, target: Target, episodes: int, *, seed: int, deterministic: bool = True) -> np.ndarray:
    """Return what `rlcourse.core.evaluation.evaluate` does; raises UsageError where the environment is at fault."""
    with playing_in(judging_env(target)) as env:
        return evaluate(agent, env, episodes, seed=seed, deterministic=deterministic)


@contextmanager
def playing_in(env: gym.Env[Any, Any]) -> Iterator[gym.Env[Any, Any]]:
    """Close an environment in the end; raise UsageError where it is at fault."""
    try:
        with faults_said():
            yield env
    finally:
        env.close()


@contextmanager
def faults_said() -> Iterator[None]:
    """Raise UsageError where an environment is at fault: one sentence; a bug in its own code keeps its traceback."""
    try:
        yield
    except EnvironmentFault as fault:
        raise UsageError(str(fault)) from fault


def judging_env(target: Target) -> gym.Env[Any, Any]:
    """Return an environment to evaluate in: in a subprocess, where the copies that are learned in are."""
    made: gym.Env[Any, Any] = target.make() if target.env_timeout is None else target.env
    return made


def time_of(file: Path) -> float | None:
    """Return the ``--env-timeout`` of the run that a file of an agent lies in; None where there was none."""
    folder = next((folder for folder in file.parents[:2] if (folder / "config.toml").exists()), None)
    return None if folder is None else read_config(folder)["run"].get("env_timeout")


def recalled(file: Path, agent: Any, target: Target, env: gym.Env[Any, Any], episodes: int) -> tuple[int, np.ndarray] | None:
    """Return the step and the returns of a run's best agent, measured again; None where it has none from before it goes on.

    That is for a run whose table of evaluations is gone: a worse agent is not to take the best one's place. It is loaded with another
    environment: that of the run is where the run goes on.
    """
    try:
        best = type(agent).load(file, env=target.make())
    except (ValueError, OSError):  # there is none, or nobody can use it
        return None
    if best.num_timesteps > agent.num_timesteps:
        return None
    return best.num_timesteps, evaluate(best, env, episodes, seed=EVAL_SEEDS)
