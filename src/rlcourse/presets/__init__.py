"""Presets: for each environment a default agent, tuned settings, a budget and a target; one TOML file each."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import Any

from rlcourse.core.arguments import checked, checked_fields
from rlcourse.core.config import did_you_mean

__all__ = ["Preset", "load", "names"]


@dataclass(frozen=True)
class Preset:
    """What `rlcourse train NAME` means.

    Attributes
    ----------
    name, env, algo : str
        Of the preset; the Gymnasium id; the default agent.
    total_timesteps : int
        Budget; training ends earlier where an evaluation reaches `stop_at`.
    episodes : int or None
        Budget of episodes: training ends with whichever is spent first.
    target : float or None
        Greedy mean return over 100 fresh episodes that counts as solved.
    stop_at : float or None
        Mean of an evaluation that ends training: above the target, so that fresh episodes pass too.
    eval_every, eval_episodes : int
    agents : dict
        Settings by agent.
    runs : dict
        By agent, what differs from the budget, target and evaluations above: any of those names.
    pass_rates : dict of str to str
        By agent, how many of how many seeds reached the target in benchmarks/pass_rates.py; an agent that is not there is unverified.
    """

    name: str
    env: str
    algo: str
    total_timesteps: int
    episodes: int | None = None
    target: float | None = None
    stop_at: float | None = None
    eval_every: int = 10_000
    eval_episodes: int = 20
    agents: dict[str, dict[str, Any]] = field(default_factory=dict)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    pass_rates: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError where a field is of another type."""
        checked_fields(self)

    def of(self, algo: str) -> Preset:
        """Return the preset as it is for an agent."""
        return replace(self, **self.runs.get(algo, {}))


def names() -> list[str]:
    """Return the names of all presets, sorted."""
    return sorted(file.name.removesuffix(".toml") for file in resources.files(__name__).iterdir() if file.name.endswith(".toml"))


@checked
def load(name: str) -> Preset:
    """Return a preset by name; raises ValueError with the nearest name where there is none."""
    if name not in names():
        raise ValueError(f"unknown preset {name!r}{did_you_mean(name, names())}")
    return Preset(name=name, **tomllib.loads((resources.files(__name__) / f"{name}.toml").read_text()))
