"""Example 6.2: TD(0) and constant-alpha Monte Carlo predict a random walk.

Five states in a row; the walk goes either way with equal probability, and only leaving on the right has reward 1. Left: the values
that TD(0) has learned after 0, 1, 10 and 100 episodes of a single run with alpha = 0.1. Right: the root-mean-square error, averaged
over the five states and over many runs, for several step sizes. All values begin at 0.5. Monte Carlo is every-visit. The walks are
the same for every method and step size, so that comparisons are paired.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from rlcourse.agents.monte_carlo.mc_prediction import mc_prediction
from rlcourse.agents.temporal_difference.td0 import td0
from rlcourse.core.config import Config, Count
from rlcourse.core.runs import Runs
from rlcourse.envs import random_walk
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

TD, MC = (0.05, 0.1, 0.15), (0.01, 0.02, 0.03, 0.04)  # step sizes
SHOWN = (0, 1, 10, 100)  # episodes of the left panel
TRUE = np.arange(1, 6) / 6.0
BOOK = {0.05: 0.034, 0.1: 0.055, 0.15: 0.070, 0.01: 0.097, 0.02: 0.077, 0.03: 0.085, 0.04: 0.095}  # error after 100 episodes, read off
POLICY = np.full((7, 2), 0.5)


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 100
    episodes: Count = 100


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return values [4, 5] of one run, and errors: td [3, runs, episodes + 1], mc [4, runs, episodes + 1]."""
    world, start = random_walk(), np.full(7, 0.5)

    def errors(parameter: Any, rng: np.random.Generator, n: int) -> np.ndarray:
        kind, alpha = parameter
        if kind == "TD":
            trial = Runs.of(world, n, settings.episodes, [start], TRUE)
            (V,) = trial.tables((7,))
            td0(trial, POLICY, V, alpha, 1.0, rng)
        else:
            trial = Runs.of(world, n, settings.episodes, [start, np.zeros(7)], TRUE)
            V, N = trial.tables((7,), (7,))
            mc_prediction(trial, POLICY, V, N, False, alpha, 1.0, rng)
        return trial.errors()

    parameters = [("TD", alpha) for alpha in TD] + [("MC", alpha) for alpha in MC]
    found = lab.study(errors, parameters, settings.runs)
    values, rng = [start], lab.rng(2**20)
    for before, after in pairwise(SHOWN):
        trial = Runs.of(world, 1, after - before, [values[-1]])
        (V,) = trial.tables((7,))
        td0(trial, POLICY, V, 0.1, 1.0, rng)
        values.append(V.copy())
    return {"values": np.array(values)[:, :5], "td": np.array(found[:3]), "mc": np.array(found[3:])}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw estimated values by state, and errors by episode."""
    figure.set_size_inches(10.2, 4.5)
    left, right = figure.subplots(1, 2)
    style.panel(left, "Estimated value, one run of TD(0), α = 0.1", "state", "")
    left.plot(range(5), TRUE, color=style.INK, linewidth=1.4, marker="s", markersize=4, label="true values")
    for i, after in enumerate(SHOWN):
        left.plot(
            range(5),
            data["values"][i],
            color=style.COLORS[i],
            marker="o",
            markersize=4,
            label=f"{after} episodes",
            linewidth=1.4,
        )
    left.set_xticks(range(5), list("ABCDE"))
    left.set_ylim(0, 0.9)
    left.legend(frameon=False, fontsize=8.5)
    style.panel(right, "Empirical RMS error, averaged over states", "walks / episodes", "")
    episodes = np.arange(data["td"].shape[2])
    for i, alpha in enumerate(MC):
        style.curve(right, episodes, data["mc"][i], f"MC, α = {alpha:g}", style.COLORS[3], linestyle=("-", "--", "-.", ":")[i])
    for i, alpha in enumerate(TD):
        style.curve(right, episodes, data["td"][i], f"TD, α = {alpha:g}", style.COLORS[0], linestyle=("-", "--", "-.")[i])
    right.set_ylim(0, 0.26)
    right.set_xlim(0, episodes[-1])
    right.legend(frameon=False, fontsize=8, ncols=2, loc="upper right")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Example 6.2 and Exercises 6.3 to 6.5 say."""
    td, mc, values = data["td"], data["mc"], data["values"]
    changed = np.flatnonzero(values[1] != values[0])
    step = float(abs(values[1] - values[0]).max())
    found = [
        true("every error begins at 0.2357", np.allclose(np.concatenate([td, mc])[:, :, 0], np.sqrt(np.mean((0.5 - TRUE) ** 2)))),
        true("the first episode changes the value of A or E only", len(changed) == 1 and changed[0] in (0, 4), f"states {changed}"),
        true("by a tenth of the TD error of 0.5", abs(step - 0.05) < 1e-12, f"by {step:.4f}"),
        less("after 100 episodes the values of the single run are nearer", rms(values[3]), rms(values[0])),
    ]
    for at in (10, 25, 50, 100):
        if at <= settings.episodes:
            best_td, best_mc = (min(each, key=lambda samples: samples[:, at].mean()) for each in (td, mc))
            found.append(less(f"after {at} episodes the best TD beats the best Monte Carlo", mean((best_td - best_mc)[:, at]), 0.0))
    if settings.episodes >= 100:
        for name, alphas, samples in (("TD", TD, td), ("Monte Carlo", MC, mc)):
            for i, alpha in enumerate(alphas):  # the book's curves are means of 100 runs themselves
                found.append(
                    equal(f"{name} with α = {alpha:g} ends at {BOOK[alpha]} as printed", mean(samples[i, :, 100]), BOOK[alpha], 0.015)
                )
        found += [
            less("TD's large step is faster at first", mean((td[2] - td[0])[:, 10]), 0.0),
            less("and worse in the end", mean((td[0] - td[2])[:, 100]), 0.0),
            less("Monte Carlo's small step is the slowest at first", mean((mc[1] - mc[0])[:, 10]), 0.0),
        ]
    return found


def rms(values: np.ndarray) -> float:
    """Return the error of five values."""
    return float(np.sqrt(np.mean((values - TRUE) ** 2)))
