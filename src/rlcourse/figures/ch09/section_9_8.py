"""Section 9.8: least-squares TD needs fewer episodes than semi-gradient TD, and no step size.

The book has no figure of LSTD; this one compares data efficiency on the 1000-state random walk with 20 groups. LSTD solves for the fixed
point of the steps seen so far; semi-gradient TD(0) must choose between fast and exact: a large step size comes near the fixed point early
and stays noisy, a small one is late. Each step size has its moment, when it is about as good as LSTD; none is as good throughout. LSTD
has no step size, but an epsilon: with a small one the first episodes, in which some groups have hardly been seen, give wild estimates; a
large one holds them near zero for long. An update takes d^2 operations in place of d.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.approximation.lstd import lstd
from rlcourse.agents.approximation.semi_gradient_td0 import semi_gradient_td0
from rlcourse.core.config import Config, Count
from rlcourse.core.exact_linear import td_fixed_point
from rlcourse.core.runs import Runs
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean
from rlcourse.figures.experiment import Lab
from rlcourse.figures.thousand_states import POLICY, STATES, WALK, errors, groups, learned, matrix

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

GROUPS = 20
EPSILONS = (0.01, 1.0, 100.0)
ALPHAS = (0.01, 0.03, 0.1, 0.3)
HORIZON = 300  # episodes over which they are compared


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 100
    episodes: Count = 1000


FAST = {"runs": 30, "episodes": 300}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return episodes [points], errors of LSTD [epsilons, runs, points] and TD(0) [alphas, runs, points], last weights, the fixed point."""
    features, d = groups(GROUPS), GROUPS
    X = matrix(features)

    def least_squares(epsilon: float, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        trial = Runs.of(WALK, n, settings.episodes, [np.zeros(d), np.eye(d) / epsilon, np.zeros(d)], every=1)
        w, A_inv, b = trial.tables((d,), (d, d), (d,))
        lstd(trial, POLICY, features, A_inv, b, w, 1.0, rng)
        weights = trial.copies()
        return errors(weights, X), weights[:, -1]

    def stochastic(alpha: float, rng: np.random.Generator, n: int) -> np.ndarray:
        return errors(learned(semi_gradient_td0, features, (alpha, 1.0), n, settings.episodes, 1, rng), X)

    chunk = -(-settings.runs // 4)
    solved = lab.study(least_squares, EPSILONS, settings.runs, chunk)
    stepped = lab.study(stochastic, ALPHAS, settings.runs, chunk)
    fixed = td_fixed_point(WALK, np.full((STATES + 2, 2), 0.5), features, 1.0)
    return {
        "episodes": np.arange(settings.episodes + 1),
        "lstd": np.array([error for error, _ in solved]),
        "last": np.array([last for _, last in solved]),
        "td": np.array(stepped),
        "fixed": fixed,
        "floor": errors(fixed, X),
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the errors against the number of episodes, on a logarithmic scale."""
    figure.set_size_inches(8.2, 4.8)
    axes = style.panel(figure.subplots(), "", "episodes (log scale)", "root value error √VE, mean over runs")
    for i, epsilon in enumerate(EPSILONS):
        style.curve(axes, data["episodes"][1:], data["lstd"][i, :, 1:], f"LSTD, ε = {epsilon:g}", style.COLORS[(1, 3, 2)[i]])
    for i, alpha in enumerate(ALPHAS):
        color = style.COLORS[(9, 0, 4, 5)[i]]
        style.curve(axes, data["episodes"][1:], data["td"][i, :, 1:], f"TD(0), α = {alpha:g}", color, linestyle="--", linewidth=1.3)
    axes.set_xscale("log")
    axes.set(xlim=(1, settings.episodes), ylim=(0, 0.62))
    style.reference(axes, float(data["floor"]), "TD fixed point", side="left", above=False)
    axes.legend(frameon=False, fontsize=8.5, ncols=2, loc="upper right")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return that LSTD is ahead of every step size, and where it goes."""
    solved, stepped = data["lstd"], data["td"]
    found = [equal("the root value error of the fixed point is 0.0482", float(data["floor"]), 0.0482, 5e-5)]
    for i, alpha in enumerate(ALPHAS):
        gap = mean((stepped[i] - solved[1])[:, 1 : HORIZON + 1].mean(axis=1))
        found.append(less(f"averaged over {HORIZON} episodes LSTD is ahead of TD(0) with alpha = {alpha:g}", 0.0, gap))
    early, late = (stepped[:, :, number] - solved[1, :, number] for number in (30, HORIZON))
    for i in (0, 1, 2):
        found.append(less(f"alpha = {ALPHAS[i]:g} is behind LSTD after 30 episodes", 0.0, mean(early[i])))
    for i in (0, 1, 3):
        found.append(less(f"alpha = {ALPHAS[i]:g} is behind LSTD after {HORIZON} episodes", 0.0, mean(late[i])))
    first = solved[:2, :, 1:6].mean(axis=2)
    found.append(less("a small epsilon makes the first episodes wild", 0.0, mean(first[0] - first[1])))
    found.append(less("a large one is late", 0.0, mean(solved[2, :, 30] - solved[1, :, 30])))
    for k in (0, 9, 19):
        off = mean(data["last"][1][:, k])
        found.append(equal(f"LSTD has the fixed point in group {k + 1}, up to epsilon", off, float(data["fixed"][k]), 0.01))
    return found
