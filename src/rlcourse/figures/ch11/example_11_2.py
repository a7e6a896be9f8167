"""Example 11.2: the A-split, which shows the naivety of the naive residual-gradient algorithm.

From A an episode goes to B or to C, and only B is followed by a reward, of 1. With one weight per state the true values, 1/2, 1 and 0, can
be had. The naive algorithm descends the squared TD error, and whatever A's value is, half of the first steps are a surprise either way; so
it splits each surprise between two steps and puts B at 3/4 and C at 1/4. It is right by its own measure: its mean squared TD error is
1/16, that of the true values 1/8. With two independent samples of what follows, the residual gradient minimises the Bellman error, and
here all is well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.off_policy.naive_residual_gradient import naive_residual_gradient
from rlcourse.agents.off_policy.residual_gradient import residual_gradient
from rlcourse.core import exact, exact_linear
from rlcourse.core.config import Config, Count, StepSize
from rlcourse.core.runs import Runs
from rlcourse.envs import a_split, a_split_features
from rlcourse.features import TableFeatures
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, mean
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "minimiser", "run", "study"]

NAMES = ("A", "B", "C")
TRUE, SPLIT = np.array([0.5, 1.0, 0.0]), np.array([0.5, 0.75, 0.25])


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 200
    episodes: Count = 6000
    points: Count = 60  # of each curve
    alpha: StepSize = 0.02


FAST = {"runs": 50}


def study(presplit: bool, settings: Any, lab: Lab) -> dict[str, np.ndarray]:
    """Return weights of both algorithms [2, runs, points + 1, 3], and exact values [S] and mean squared TD and Bellman errors."""
    world, rows = a_split(presplit), a_split_features(presplit)
    policy, features = np.ones((len(rows), 1)), TableFeatures.of(rows)
    each = settings.episodes // settings.points

    def experiment(kind: int, rng: np.random.Generator, n: int) -> np.ndarray:
        found = np.zeros((n, settings.points + 1, 3))
        for i in range(n):
            w = np.zeros(3)
            for k in range(settings.points):
                runs = Runs.of(world, 1, each, [np.zeros(1)])
                if kind == 0:
                    naive_residual_gradient(runs, policy, policy, features, w, settings.alpha, 1.0, rng)
                else:
                    residual_gradient(runs, world, policy, policy, features, w, settings.alpha, 1.0, rng)
                found[i, k + 1] = w
        return found

    mu = exact_linear.mu(world, policy)
    truth = exact.v_pi(world, policy, 1.0)
    errors = [
        [
            exact_linear.td_error(world, policy, rows @ w, 1.0, mu),
            exact_linear.norm(exact_linear.bellman_error(world, policy, rows @ w, 1.0), mu),
        ]
        for w in (TRUE, SPLIT)
    ]
    return {"weights": np.array(lab.study(experiment, [0, 1], settings.runs, chunk=25)), "truth": truth, "errors": np.array(errors)}


def minimiser(presplit: bool, bellman: bool) -> np.ndarray:
    """Return the weights [3] that minimise the mean squared TD error, or the Bellman error, by linear least squares."""
    world, rows = a_split(presplit), a_split_features(presplit)
    policy = np.ones((len(rows), 1))
    mu = exact_linear.mu(world, policy)
    equations, targets = [], []
    for s in range(len(rows)):
        ways = [
            (p, *way)
            for p, *way in zip(world.probability[s, 0], world.successor[s, 0], world.reward[s, 0], world.terminal[s, 0], strict=True)
        ]
        steps = [(p, rows[s] - (0.0 if end else 1.0) * rows[s_], r) for p, s_, r, end in ways if p > 0]
        if bellman:
            steps = [(1.0, sum(p * x for p, x, _ in steps), sum(p * r for p, _, r in steps))]
        equations += [np.sqrt(mu[s] * p) * x for p, x, _ in steps]
        targets += [np.sqrt(mu[s] * p) * r for p, _, r in steps]
    return np.asarray(np.linalg.lstsq(np.array(equations), np.array(targets), rcond=None)[0])


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return what `study` finds, and the exact minimisers of both errors [2, 3]."""
    return study(False, settings, lab) | {"minimisers": np.array([minimiser(False, bellman) for bellman in (False, True)])}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Any) -> None:
    """Draw what both algorithms learn, and what is true."""
    figure.set_size_inches(9.2, 4.0)
    episodes = np.linspace(0, settings.episodes, settings.points + 1)
    titles = ("naive: one sample, the TD error", "two samples, the Bellman error")
    for axes, title, weights in zip(figure.subplots(1, 2, sharey=True), titles, data["weights"], strict=True):
        style.panel(axes, title, "episodes", "value")
        for i, name in enumerate(NAMES):
            style.curve(axes, episodes, weights[:, :, i], "", style.COLORS[i])
            axes.plot([0.0, settings.episodes], [TRUE[i]] * 2, color=style.COLORS[i], linestyle="--", linewidth=0.9)
            at = (settings.episodes, float(weights[:, -1, i].mean()))
            axes.annotate(name, at, (5, 0), textcoords="offset points", va="center", color=style.COLORS[i], fontweight="bold")
        axes.set(xlim=(0, 1.06 * settings.episodes), ylim=(-0.12, 1.12))
    axes.annotate("dashed: true values", (0.98, 0.94), xycoords="axes fraction", ha="right", fontsize=8, color=style.GREY)


def claims(data: dict[str, np.ndarray], settings: Any) -> list[Claim]:
    """Return the values and the errors of the example."""
    naive, two = data["weights"][:, :, -20:].mean(axis=2)
    found = [
        equal("the true values are 1/2, 1 and 0", float(np.abs(data["truth"] - TRUE).max()), 0.0, 1e-12),
        equal("the TD error is smallest at 1/2, 3/4 and 1/4", float(np.abs(data["minimisers"][0] - SPLIT).max()), 0.0, 1e-9),
        equal("there it is 1/16", float(data["errors"][1, 0]), 1 / 16, 1e-12),
        equal("at the true values it is 1/8", float(data["errors"][0, 0]), 1 / 8, 1e-12),
        equal("the Bellman error of the true values is 0", float(data["errors"][0, 1]), 0.0, 1e-12),
        equal("the Bellman error is smallest there", float(np.abs(data["minimisers"][1] - TRUE).max()), 0.0, 1e-9),
    ]
    for i, name in enumerate(NAMES):
        found.append(equal(f"the naive algorithm learns {SPLIT[i]:g} for {name}", mean(naive[:, i]), SPLIT[i], 0.01))
        found.append(equal(f"with two samples {name} is {TRUE[i]:g}", mean(two[:, i]), TRUE[i], 0.01))
    return found
