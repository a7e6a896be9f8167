"""Figure 9.2: bootstrapping with state aggregation on the 1000-state random walk.

Left: where semi-gradient TD(0) ends up, with ten groups. Its fixed point is further from the true values than that of Monte Carlo in Figure
9.1: bootstrapping from shared values costs asymptotic accuracy. Right: but it learns faster. Twenty groups make the walk nearly as
long as the 19 states of Figure 7.2, since a jump passes 50 states on average, and the picture is nearly the same: an n in the middle is
best. The error is the root of the mean square over all 1000 states alike, after each of the first 10 episodes, averaged over these and 100
runs.

The book prints neither alpha on the left (here 2e-4; after 100,000 episodes the slowest part of the error still has a tenth of its size)
nor the grid of step sizes on the right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.approximation.n_step_semi_gradient_td import n_step_semi_gradient_td
from rlcourse.agents.approximation.semi_gradient_td0 import semi_gradient_td0
from rlcourse.core.config import Config, Count, Positive
from rlcourse.core.exact_linear import best_weights, td_fixed_point
from rlcourse.figures import style
from rlcourse.figures.ch07.figure_7_2 import ALPHAS, COARSE
from rlcourse.figures.claims import Claim, Estimate, equal, less, mean, true
from rlcourse.figures.experiment import Lab
from rlcourse.figures.thousand_states import STATES, WALK, equations, errors, expected_weights, groups, learned, matrix, truth

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

BOOK = {1: 0.353, 2: 0.304, 4: 0.289, 8: 0.300, 16: 0.337, 32: 0.387, 64: 0.438, 128: 0.474, 256: 0.494, 512: 0.496}  # lowest points
ALIKE = np.full(STATES, 1.0 / STATES)
FEW, MANY = 10, 20  # groups on the left and on the right


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    long_runs: Count = 10  # left
    long_episodes: Count = 100_000
    alpha: Positive = 2e-4
    runs: Count = 100  # right
    episodes: Count = 10
    fine: bool = True  # 35 step sizes; else 10


FAST = {"long_runs": 4, "fine": False}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return weights [runs, 10] and their exact limits; n [N], step sizes [P], and errors [N, P, runs]."""
    few, many = groups(FEW), groups(MANY)
    X = matrix(many)
    ns, alphas = list(BOOK), ALPHAS if settings.fine else COARSE

    def far(alpha: float, rng: np.random.Generator, size: int) -> np.ndarray:
        return learned(semi_gradient_td0, few, (alpha, 1.0), size, settings.long_episodes, settings.long_episodes // 10, rng)[:, 1:]

    def near(parameter: Any, rng: np.random.Generator, size: int) -> np.ndarray:
        n, alpha = parameter
        weights = learned(n_step_semi_gradient_td, many, (n, alpha, 1.0), size, settings.episodes, 1, rng)
        with np.errstate(over="ignore", invalid="ignore"):
            return errors(weights[:, 1:], X, ALIKE).mean(axis=1)

    (weights,) = lab.study(far, [settings.alpha], settings.long_runs, chunk=1)
    found = lab.study(near, [(n, float(alpha)) for n in ns for alpha in alphas], settings.runs, chunk=100)
    v, eta = truth()
    policy = np.full((STATES + 2, 2), 0.5)
    limits: dict[str, np.ndarray] = {}
    for n, features in ((FEW, few), (MANY, many)):
        fixed, best = td_fixed_point(WALK, policy, features, 1.0), best_weights(v, matrix(features), eta)
        limits |= {f"td_{n}": fixed, f"mc_{n}": best}
        limits |= {f"error_td_{n}": errors(fixed, matrix(features)), f"error_mc_{n}": errors(best, matrix(features))}
    times = range(settings.long_episodes // 10, settings.long_episodes + 1, settings.long_episodes // 10)
    expected = expected_weights(*equations(few, bootstrap=True), settings.alpha, times)
    start = errors(np.zeros(MANY), X, ALIKE)
    error = np.reshape(found, (len(ns), len(alphas), -1))
    return {"weights": weights, "expected": expected, "v": v, "n": np.array(ns), "alpha": alphas, "error": error, "start": start, **limits}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the staircase on the left, and on the right the error against the step size, one curve per n."""
    figure.set_size_inches(11, 4.6)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.15))
    states = np.arange(1, STATES + 1)
    style.panel(left, "semi-gradient TD(0), 10 groups", "state", "value")
    left.plot(states, data["v"], color=style.COLORS[3], linewidth=1.6, label="true value")
    left.plot(states, matrix(groups(FEW)) @ data["weights"][0, -1], color=style.COLORS[0], linewidth=1.8, label="TD, one run")
    left.plot(states, matrix(groups(FEW)) @ data["mc_10"], color=style.GREY, linewidth=1, linestyle="--", label="limit of Monte Carlo")
    left.set(xlim=(1, STATES), ylim=(-1, 1), xticks=[1, 250, 500, 750, 1000])
    left.legend(frameon=False, loc="upper left")
    style.panel(right, "n-step semi-gradient TD, 20 groups", "step size α", f"RMS error over states and first {settings.episodes} episodes")
    low, high, label_at = 0.25, 0.55, -1.0
    for i, n in reversed(list(enumerate(data["n"]))):  # from left to right
        heights, color = data["error"][i].mean(axis=1), style.COLORS[i]
        shown = int(np.argmax(heights > high)) + 1 if np.any(heights > high) else len(heights)
        right.plot(data["alpha"][:shown], heights[:shown], color=color, linewidth=1.5)
        look: dict[str, Any] = {"color": color, "fontsize": 8.5, "fontweight": "bold", "annotation_clip": False}
        if heights[-1] <= high:
            right.annotate(f"n = {n}", (1.0, heights[-1]), (4, 0), textcoords="offset points", va="center", **look)
            continue
        rising = int(np.argmin(heights))
        crossing = float(np.interp(high, heights[rising : shown + 1], data["alpha"][rising : shown + 1]))
        label_at = max(crossing, label_at + (0.07 if n >= 128 else 0.1))
        right.annotate(f"n={n}" if n < 128 else str(n), (label_at, high), (0, 3), textcoords="offset points", ha="center", **look)
    right.set(xlim=(0, 1), ylim=(low, high))
    right.set_title(right.get_title(loc="left"), loc="left", fontsize=10.5, fontweight="bold", color=style.INK, pad=18)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Example 9.2 says, exact limits, and the lowest points as printed."""
    error, alphas, ns = data["error"], data["alpha"], data["n"].tolist()
    last = data["weights"][:, 4:].mean(axis=1)  # the second half of the time: less noise of the last episodes
    expected = data["expected"][4:].mean(axis=0)
    found = [equal(f"group {k + 1} is where mean learning is", mean(last[:, k]), float(expected[k]), 0.004) for k in range(len(expected))]
    found.append(less("that is near the TD fixed point", float(np.abs(data["expected"][-1] - data["td_10"]).max()), 0.008))
    for n in (FEW, MANY):
        monte_carlo, td = float(data[f"error_mc_{n}"]), float(data[f"error_td_{n}"])
        found.append(less(f"with {n} groups TD's limit has a larger value error than Monte Carlo's", monte_carlo, td))
    found += [
        true(
            "TD's outer groups are nearer to zero than Monte Carlo's",
            np.all(np.abs(last[:, [0, -1]]) < np.abs(data["mc_10"][[0, -1]]) - 0.02),
        ),
        equal("the errors of the limits differ by 0.0209", float(data["error_td_20"] - data["error_mc_20"]), 0.0482 - 0.0273, 1e-4),
        equal("before any learning the error is 0.5435", float(data["start"]), 0.5435, 5e-5),
        equal("a step size of zero changes nothing", Estimate(float(error[:, 0].max())), float(data["start"]), 1e-9),
    ]
    best = [int(np.argmin(error[i].mean(axis=1))) for i in range(len(ns))]
    lowest = {n: error[i, best[i]] for i, n in enumerate(ns)}  # per run, at the best step size
    found.append(
        true("the best step size never grows with n", np.all(np.diff(alphas[best]) <= 0), ", ".join(f"{a:.2f}" for a in alphas[best]))
    )
    for n in ns:
        if n != 4:
            found.append(less(f"n = 4 learns faster than n = {n}, each at its best step size", 0.0, mean(lowest[n] - lowest[4])))
        found.append(equal(f"n = {n}: the lowest error is {BOOK[n]} as printed", mean(lowest[n]), BOOK[n], 0.01))
    return found
