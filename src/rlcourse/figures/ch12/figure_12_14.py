"""Figure 12.14: the effect of lambda on four tasks, with accumulating and with replacing traces.

Lower is better everywhere: steps per episode on mountain car, the error of predictions on the 19-state random walk, the cost per episode
of puddle world, and failures in 100,000 steps of balancing a pole. In between lies the best lambda each time. On the first three tasks
lambda = 1, which is Monte Carlo, is bad to very bad, with accumulating traces worse still. The pole is another matter here: accumulating
traces do better there and bear lambda = 1, replacing ones do not.

The book gives sources (Sutton 1996, Singh & Sutton 1996, Sutton 1984) and no settings; the pole's data were never published. Chosen here:
each lambda at the best of a grid of step sizes; epsilon = 0 and optimistic weights; 8 tilings of 8 x 8 tiles, 162 boxes for the pole; for
the walk Sarsa(lambda) with a single action, which is TD(lambda); 20, 10 and 40 episodes. An episode on the car ends after 2000 steps, one
in the puddles after 1000. So the shapes can be compared with the book, its numbers cannot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.traces.sarsa_lambda import sarsa_lambda
from rlcourse.core.config import Config, Count
from rlcourse.core.mdp import MDP
from rlcourse.core.runs import Runs
from rlcourse.core.traces import KINDS
from rlcourse.core.trial import Trial
from rlcourse.envs import MountainCar, PuddleWorld, pole_balancing
from rlcourse.features import Boxes, OneHot, Tiles
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "SECONDS", "Settings", "claims", "draw", "run"]

TASKS = ("mountain car", "random walk", "puddle world", "pole balancing")
MEASURES = ("steps per episode", "RMS error", "cost per episode", "failures per 100,000 steps")
SHOWN = ("accumulating", "replacing")
LAMBDAS = np.array([0.0, 0.4, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0])
FEW = np.array([0.0, 0.8, 0.9, 1.0])
ALPHAS = {  # times the number of tilings
    "mountain car": (0.05, 0.1, 0.2, 0.4, 0.8, 1.3),
    "random walk": (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8),
    "puddle world": (0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
    "pole balancing": (0.05, 0.1, 0.2, 0.4),
}
GAMMA = 0.95  # of the pole: what matters is when it falls
SECONDS = 150.0


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 30
    pole_runs: Count = 40  # their failures vary much
    pole_steps: Count = 100_000
    fine: bool = True  # 8 values of lambda and all step sizes; else 4, and every second step size


FAST = {"runs": 10, "pole_runs": 40, "pole_steps": 30_000, "fine": False}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return lambdas [L], and for each task its measure at each lambda's best step size [2, L, runs], and these step sizes [2, L]."""
    lambdas = LAMBDAS if settings.fine else FEW
    found: dict[str, np.ndarray] = {"lam": lambdas}
    for task, learn in zip(TASKS, (car, walk, puddles, pole(settings.pole_steps)), strict=True):
        alphas = np.array(ALPHAS[task][0 if settings.fine else 1 :: 1 if settings.fine else 2])
        parameters = [(KINDS.index(kind), float(lam), float(alpha)) for kind in SHOWN for lam in lambdas for alpha in alphas]
        runs = settings.pole_runs if task == "pole balancing" else settings.runs
        measured = np.reshape(lab.study(learn, parameters, runs, chunk=10), (2, len(lambdas), len(alphas), runs))
        best = measured.mean(axis=3).argmin(axis=2)
        found[task] = np.take_along_axis(measured, best[:, :, None, None], axis=2)[:, :, 0]
        found[f"{task}: alpha"] = alphas[best]
    return found


def episodes(world: Any, features: Any, actions: int, count: int, limit: int | None) -> Callable[..., Runs]:
    """Return what learns in many runs of some episodes and returns their records."""

    def learn(parameter: Any, rng: np.random.Generator, n: int, share: float, truth: Any = None) -> Runs:
        kind, lam, alpha = parameter
        trial = Runs.of(world, n, count, [np.zeros((actions, features.size))], truth, limit)
        (w,) = trial.tables((actions, features.size))
        sarsa_lambda(trial, features, w, alpha / share, 1.0, lam, 0.0, kind, rng)
        return trial

    return learn


def car(parameter: Any, rng: np.random.Generator, n: int) -> np.ndarray:
    """Return steps per episode on mountain car, shape [n]."""
    learn = episodes(MountainCar(), Tiles.of([-1.2, -0.07], [0.5, 0.07], 8, 8), 3, 20, 2_000)
    steps: np.ndarray = learn(parameter, rng, n, 8.0).lengths().mean(axis=1)
    return steps


def walk(parameter: Any, rng: np.random.Generator, n: int) -> np.ndarray:
    """Return the error of the values of the 19-state random walk, over 10 episodes, shape [n]."""
    ends = {-1: (19, -1.0), 19: (20, 1.0)}
    table = {s: {0: [(0.5, *ends.get(s + way, (s + way, 0.0)), s + way in ends) for way in (-1, 1)]} for s in range(19)}
    chain = MDP.of(table | {s: {0: [(1.0, s, 0.0, True)]} for s in (19, 20)}, 9)
    errors = episodes(chain, OneHot(21), 1, 10, None)(parameter, rng, n, 1.0, np.arange(-9, 10) / 10).errors()
    average: np.ndarray = np.minimum(np.nan_to_num(errors[:, 1:].mean(axis=1), nan=1e3), 1e3)  # beyond, it diverges
    return average


def puddles(parameter: Any, rng: np.random.Generator, n: int) -> np.ndarray:
    """Return the cost per episode in puddle world, shape [n]."""
    learn = episodes(PuddleWorld(), Tiles.of([0.0, 0.0], [1.0, 1.0], 8, 8), 4, 40, 1_000)
    costs: np.ndarray = -learn(parameter, rng, n, 8.0).returns().mean(axis=1)
    return costs


def pole(steps: int) -> Callable[..., np.ndarray]:
    """Return what counts failures of the pole per 100,000 steps, shape [n]."""

    def failures(parameter: Any, rng: np.random.Generator, n: int) -> np.ndarray:
        (kind, lam, alpha), fallen = parameter, np.empty(n)
        for i in range(n):
            trial = Trial.of(pole_balancing(), steps=steps, capacity=steps // 5)
            w = np.full((2, 162), 1.0 / (1.0 - GAMMA))
            sarsa_lambda(trial, Boxes.of_the_pole(), w, alpha, GAMMA, lam, 0.0, kind, rng)
            fallen[i] = trial.take_rows()[:, 2].sum() * 100_000 / steps
        return fallen

    return failures


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw each task's measure against lambda, both kinds of traces."""
    figure.set_size_inches(9.6, 7.0)
    for axes, task, measure in zip(figure.subplots(2, 2).flat, TASKS, MEASURES, strict=True):
        style.panel(axes, task, "λ", measure)
        for i, kind in enumerate(SHOWN):
            style.curve(axes, data["lam"], data[task][i].T, f"{kind} traces", style.COLORS[i], marker="o", markersize=3)
        low, high = data[task].mean(axis=2).min(), data[task][:, :-1].mean(axis=2).max()
        axes.set_ylim(low - 0.15 * (high - low), high + 0.35 * (high - low))
        axes.legend(frameon=False, fontsize=8, loc="upper left")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return the shapes: the best lambda lies in between, and accumulating traces do not bear lambda = 1."""
    lambdas = data["lam"]
    found = []
    for task in TASKS:
        both = data[task]  # [2, L, runs]
        replacing = both[1].mean(axis=1)
        best = int(np.argmin(replacing))
        shown = ", ".join(f"{lam:g}: {value:.3g}" for lam, value in zip(lambdas, replacing, strict=True))
        over_both = both.mean(axis=0)
        found += [
            true(f"{task}: with replacing traces the best λ is neither 0 nor 1", 0 < best < len(lambdas) - 1, shown),
            less(f"{task}: it is better than λ = 0, over both kinds of traces", mean(over_both[best] - over_both[0]), 0.0)
            if task == "pole balancing"
            else less(f"{task}: it is better than λ = 0", mean(both[1, best] - both[1, 0]), 0.0),
            less(f"{task}: and than λ = 1, over both kinds of traces", mean(over_both[best] - over_both[-1]), 0.0),
        ]
        if task != "pole balancing":  # there accumulating traces are the better ones, with these settings
            found.append(less(f"{task}: at λ = 1 accumulating traces are worse than replacing ones", mean(both[1, -1] - both[0, -1]), 0.0))
    return found
