"""Figure 9.1: the 1000-state random walk by gradient Monte Carlo with state aggregation.

Ten groups of 100 states must stand for a thousand values: a staircase. Within a group the estimate is not the plain mean of the true values
but that of the visits, whose distribution is drawn below. State 100 is visited more than three times as often as state 1, so that the
leftmost step lies above the middle of its values, and the rightmost one below. After 100,000 episodes with alpha = 2e-5 learning is
nearly, but not quite, at its limit; what it should have reached by then is known exactly, to first order in alpha. The book shows one run,
and so does the picture; the claims are about the mean of several.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.approximation.gradient_mc import gradient_mc
from rlcourse.core.config import Config, Count, Positive
from rlcourse.core.exact_linear import best_weights
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, mean, true
from rlcourse.figures.experiment import Lab
from rlcourse.figures.thousand_states import STATES, equations, errors, expected_weights, groups, learned, matrix, truth

__all__ = ["FAST", "Settings", "claims", "draw", "run"]


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 10
    episodes: Count = 100_000
    alpha: Positive = 2e-5
    groups: Count = 10


FAST = {"runs": 4}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return learned weights [runs, groups], true values and distribution [1000], limit and expected weights [groups]."""
    features = groups(settings.groups)

    def experiment(alpha: float, rng: np.random.Generator, n: int) -> np.ndarray:
        return learned(gradient_mc, features, (alpha, 1.0), n, settings.episodes, settings.episodes, rng)[:, -1]

    (weights,) = lab.study(experiment, [settings.alpha], settings.runs, chunk=1)
    v, eta = truth()
    X = matrix(features)
    return {
        "weights": weights, "v": v, "mu": eta / eta.sum(), "steps": eta.sum(), "limit": best_weights(v, X, eta),
        "expected": expected_weights(*equations(features), settings.alpha, [settings.episodes])[0],
        "floor": errors(best_weights(v, X, eta), X), "error": errors(weights, X),
    }  # fmt: skip


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the staircase over the true values, and below it, on a scale of its own, how often states are visited."""
    axes, states = style.panel(figure.subplots(), "", "state", "value"), np.arange(1, STATES + 1)
    axes.plot(states, data["v"], color=style.COLORS[3], linewidth=1.6, label="true value")
    steps = matrix(groups(settings.groups)) @ data["weights"][0]
    axes.plot(states, steps, color=style.COLORS[0], linewidth=1.8, label=f"gradient MC, {settings.groups} groups, one run")
    axes.set(xlim=(1, STATES), ylim=(-1.45, 1.0), yticks=[-1, -0.5, 0, 0.5, 1], xticks=[1, *range(100, 1001, 100)])
    axes.legend(frameon=False, loc="upper left")
    right = axes.twinx()
    right.fill_between(states, data["mu"], color=style.GREY, alpha=0.45, linewidth=0, step="mid")
    right.set(ylim=(0, 0.055), yticks=[0, 0.005, 0.01, 0.0137])
    right.set_yticklabels(["0", "0.0050", "0.0100", "0.0137"], fontsize=8, color=style.GREY)
    right.spines[["top", "left"]].set_visible(False)
    right.set_ylabel("share of visits μ(s)", loc="bottom", color=style.GREY)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Example 9.1 says of the walk, and where learning must be."""
    mu, v, weights = data["mu"], data["v"], data["weights"]
    plain = v.reshape(settings.groups, -1).mean(axis=1)
    low, high, outer = v[[0, 900]], v[[99, 999]], weights[:, [0, -1]]
    found = [
        equal("the start state has 1.37 % of the visits", float(mu[499]), 0.0137, 5e-5),
        equal("the states beside it have about 0.17 % each", float(mu[[498, 500]].mean()), 0.0017, 5e-5),
        equal("the states 1 and 1000 have about 0.0147 % each", float(mu[[0, 999]].mean()), 0.000147, 5e-7),
        true("state 100 has more than 3 times as many visits as state 1", mu[99] > 3 * mu[0], f"{mu[99] / mu[0]:.3f} times"),
        true(
            "so the outermost steps belong nearer to zero than the middle of their values",
            data["limit"][0] > plain[0] + 0.005 and data["limit"][-1] < plain[-1] - 0.005,
            f"{data['limit'][0]:.4f} against {plain[0]:.4f}",
        ),
        equal("no weights have a root value error below 0.0544", float(data["floor"]), 0.0544, 5e-5),
        equal("runs come close to it", mean(data["error"]), float(data["floor"]), 0.008),
        true("the outermost steps lie within the values of their states", np.all((low < outer) & (outer < high)), f"{outer[0]}"),
    ]
    for k in range(settings.groups):
        found.append(equal(f"step {k + 1} is where mean learning is by then", mean(weights[:, k]), float(data["expected"][k]), 0.004))
    return found
