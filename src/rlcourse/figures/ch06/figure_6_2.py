"""Figure 6.2: TD(0) and Monte Carlo under batch updating, on the random walk.

After each new episode, all episodes seen so far are presented repeatedly until the values settle. Batch TD(0) then has the values
of the Markov process with the observed frequencies (certainty equivalence), batch Monte Carlo the mean of the observed returns; the
picture shows their errors, averaged over the five states and many runs. Monte Carlo is optimal on the data that it has, and TD is
better: it is optimal in a way that matters for predicting. Values begin at 0.5, the book leaves that open; it matters only while
there are states that no episode has visited. Both methods see the same walks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.monte_carlo.batch_mc import batch_mc
from rlcourse.agents.temporal_difference.batch_td0 import batch_td0
from rlcourse.core.config import Config, Count, Positive
from rlcourse.core.runs import Runs
from rlcourse.envs import random_walk
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

BOXES = {"TD": batch_td0, "MC": batch_mc}
TRUE = np.arange(1, 6) / 6.0
BOOK = {"TD": {25: 0.075, 50: 0.048, 100: 0.034}, "MC": {25: 0.111, 50: 0.078, 100: 0.052}}  # errors, read off


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 100
    episodes: Count = 100
    theta: Positive = 1e-9  # change of a value at which a batch has settled


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return errors [2, runs, episodes + 1] of TD and MC, and by how much each run ended off its closed form [2, runs]."""
    world, policy = random_walk(), np.full((7, 2), 0.5)
    tables, shapes = [np.full(7, 0.5), np.zeros(7), np.zeros(7), np.zeros((7, 7))], ((7,), (7,), (7,), (7, 7))

    def experiment(box: Any, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        errors, off = [], []
        for _ in range(n):  # one run a call: the last batch is looked at
            trial = Runs.of(world, 1, settings.episodes, tables, TRUE)
            V, *batch = trial.tables(*shapes)
            box(trial, policy, V, *batch, 1.0, 1.0, settings.theta, 100_000, rng)
            errors.append(trial.errors()[0])
            off.append(np.abs(V - (certainty_equivalence if box is batch_td0 else mean_return)(*batch))[batch[0] > 0].max())
        return np.array(errors), np.array(off)

    found = lab.study(experiment, list(BOXES.values()), settings.runs, chunk=10)
    return {"errors": np.array([each[0] for each in found]), "off": np.array([each[1] for each in found])}


def certainty_equivalence(visits: np.ndarray, totals: np.ndarray, followed: np.ndarray) -> np.ndarray:
    """Return the values of the process with the observed frequencies, shape [S], by one linear solve."""
    n = np.maximum(visits, 1.0)
    return np.linalg.solve(np.eye(len(n)) - followed / n[:, None], totals / n)


def mean_return(visits: np.ndarray, totals: np.ndarray, tails: np.ndarray) -> np.ndarray:
    """Return the mean observed return of each state, shape [S]."""
    return totals / np.maximum(visits, 1.0)


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw both errors by episode."""
    axes = style.panel(figure.subplots(), "Batch training", "walks / episodes", "RMS error, averaged over states")
    episodes = np.arange(1, data["errors"].shape[2])
    for i, name in enumerate(BOXES):
        style.curve(axes, episodes, data["errors"][i][:, 1:], name, style.COLORS[0] if name == "TD" else style.COLORS[3])
        x = min(60, len(episodes) - 1)
        axes.annotate(name, (episodes[x], data["errors"][i][:, x + 1].mean()), (0, (-22, 14)[i]), textcoords="offset points", fontsize=11)
    axes.set_ylim(0, 0.25)
    axes.set_xlim(0, episodes[-1])


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Section 6.3 says."""
    td, mc = data["errors"]
    off_td, off_mc = data["off"].max(axis=1)
    found = [
        true("batch TD settles at the certainty-equivalence estimate", off_td < 1e-6, f"at most {off_td:.1e} off"),
        true("batch Monte Carlo settles at the mean return", off_mc < 1e-6, f"at most {off_mc:.1e} off"),
    ]
    for at in (10, 25, 50, 100):
        if at <= settings.episodes:
            found.append(less(f"after {at} episodes batch TD is better than batch Monte Carlo", mean((td - mc)[:, at]), 0.0))
    for name, samples in (("TD", td), ("MC", mc)):
        for at, printed in BOOK[name].items():
            if at <= settings.episodes:  # reading error, and the error of the book's own 100 runs
                found.append(equal(f"batch {name} after {at} episodes as printed: {printed}", mean(samples[:, at]), printed, 0.01))
    return found
