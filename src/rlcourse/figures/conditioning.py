"""What the figures of chapters 14 and 15 share: the simulations of 1990, strengths trial by trial, their limits, and time lines drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.conditioning.td_model import td_model
from rlcourse.core.config import Config, Count, Discount, Probability, StepSize
from rlcourse.core.exact_linear import td_fixed_point
from rlcourse.envs import ConditioningTrials
from rlcourse.features import presence
from rlcourse.figures import style
from rlcourse.figures.experiment import checkpoints

__all__ = ["NONE", "Simulation", "by_trial", "errors_within", "limit", "strengths", "time_lines"]

NONE = np.random.default_rng(0)  # what a trial is given in place of chance: nothing draws from it
FUTURELESS = np.ones(1)  # the policy of a world with one action


@dataclass(frozen=True)
class Simulation(Config):
    """The TD model as Sutton and Barto ran it in 1990."""

    alpha: StepSize = 0.02  # step size: their 0.1, times the 0.2 that a trace gains per time step
    gamma: Discount = 0.95  # discount rate
    lam: Probability = 0.8 / 0.95  # trace decay, lambda: their traces keep 0.8
    clip: bool = True  # predictions below zero count as zero
    trials: Count = 80  # of each phase


def by_trial(world: ConditioningTrials, features: Any, settings: Any, trials: int, start: np.ndarray | None = None) -> np.ndarray:
    """Return the weights before the first trial and after each, [trials + 1, d]; zeros at first where no others are given.

    Settings are alpha, gamma, lam and clip.
    """
    w, c = np.zeros(features.size) if start is None else np.array(start, dtype=float), settings
    return checkpoints(
        world,
        lambda trial: td_model(trial, FUTURELESS, features, w, c.alpha, c.gamma, c.lam, c.clip, NONE),
        lambda: w,
        range(trials + 1),
    )


def strengths(kinds: Sequence[Mapping[str, tuple[float, ...]]], phases: int, settings: Any, steps: int = 110) -> np.ndarray:
    """Return associative strengths over all phases, one kind of trial each, with presence as features: [phases * trials + 1, CSs]."""
    world = ConditioningTrials.of(kinds, [(k, settings.trials) for k in range(phases)], steps)
    return by_trial(world, presence(world.stimuli), settings, phases * settings.trials)


def limit(world: ConditioningTrials, features: Any, settings: Any, kind: int = 0) -> np.ndarray:
    """Return the weights that small step sizes lead to, [d]: the fixed point of TD(lambda) without clipping, by one linear solve."""
    only = world._replace(schedule=np.array([kind]), clock=np.zeros(1, np.int64)).model()
    return td_fixed_point(only, np.ones((world.us.size, 1)), features, settings.gamma, lam=settings.lam)


def errors_within(world: ConditioningTrials, values: np.ndarray, gamma: float, kind: int = 0) -> np.ndarray:
    """Return the TD errors of a trial, by the time at which they are available, shape [T + 1]; that of time 0 is none, and zero."""
    v = np.reshape(values, world.us.shape)[kind]
    return np.concatenate([[0.0], world.us[kind, 1:] + gamma * v[1:] - v[:-1]])


def time_lines(axes: Any, kind: Mapping[str, tuple[float, ...]], last: int, title: str = "", absent: Sequence[str] = ()) -> None:
    """Draw a trial's time lines up to the time `last`: a raised line where a stimulus is; dashed for those that may be absent."""
    names = sorted(kind, reverse=True, key=lambda name: (name == "US", name))
    for row, name in enumerate(names):
        onset, duration, *rest = kind[name]
        height = 0.6 * (rest[0] if rest else 1.0)
        y = np.array([0.0, 0.0, height, height, 0.0, 0.0]) + row
        color = style.COLORS[1] if name == "US" else style.COLORS[0 if name == "CSA" else 3]
        x = [-1, onset, onset, onset + duration, onset + duration, last]
        axes.plot(x, y, color=color, linewidth=2, linestyle="--" if name in absent else "-")
        axes.text(-1.4, row + 0.15, name, ha="right", va="center", fontsize=9, color=color)
    axes.set(xlim=(-3.2, last), ylim=(-0.5, len(names) - 0.1), xlabel="time step")
    axes.set_xticks(range(0, last + 1, 4))
    axes.set_yticks([])
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_title(title, fontsize=10.5, loc="left", fontweight="bold", color=style.INK)
