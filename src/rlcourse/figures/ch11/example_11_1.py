"""Example 11.1: w and 2 w, the simplest divergence, and Tsitsiklis and Van Roy's counterexample.

Left the beginning of Section 11.2: only the step from w to 2 w is ever learned from, and each time w is multiplied by 1 + alpha (2 gamma -
1). In the middle Example 11.1: both states are updated, even by the best fit to their targets at each sweep, and w is multiplied by gamma
(6 - 4 epsilon) / 5: it diverges where gamma > 5 / (6 - 4 epsilon) and w_0 is not 0. Right what makes the difference: how often the
behaviour stays in the second state, as the target policy would. Between the two lines lies all that is safe for one policy and not for the
other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.off_policy.semi_gradient_off_policy_td0 import semi_gradient_off_policy_td0
from rlcourse.core import exact_linear
from rlcourse.core.config import Config, Count, StepSize
from rlcourse.core.weight_paths import WeightPaths
from rlcourse.envs import two_states, two_states_features
from rlcourse.features import TableFeatures
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

GAMMAS = np.array([0.3, 0.5, 0.8, 1.0])  # of the left panel
EPSILONS = np.array([0.01, 0.1, 0.2, 0.3])
GRID = np.linspace(0.7, 1.0, 61)  # gamma, of the other panels
STAYS = np.linspace(0.0, 1.0, 101)  # how probably the behaviour stays in the second state
ON, X = np.tile([1.0, 0.0], (2, 1)), two_states_features()


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    updates: Count = 40  # of the first state
    sweeps: Count = 5  # of least squares
    alpha: StepSize = 0.1


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return weights after each update [gammas, updates + 1], factors of least squares [epsilons, grid] and growth rates [stays, grid]."""
    behavior, policy = np.array([[1.0, 0.0], [0.0, 1.0]]), ON  # goes back at once; the ratio of that step is zero
    features, single = TableFeatures.of(X), []
    for i, gamma in enumerate(GAMMAS):
        paths = WeightPaths.of(two_states(0.0), 1, 2 * settings.updates, [np.ones(1)], every=2)
        semi_gradient_off_policy_td0(paths, policy, behavior, features, paths.tables((1,))[0], settings.alpha, gamma, lab.rng(i))
        single.append(paths.paths()[0, :, 0])
    return {
        "single": np.array(single),
        "factor": np.array([[_least_squares(epsilon, gamma, settings.sweeps) for gamma in GRID] for epsilon in EPSILONS]),
        "growth": np.array([_growth(stay) for stay in STAYS]),
    }


def _least_squares(epsilon: float, gamma: float, sweeps: int) -> float:
    """Return by what w is multiplied per sweep, when each sweep fits both states' expected targets as well as possible."""
    P, r, _ = exact_linear.chain(two_states(epsilon), ON)
    w = np.ones(1)
    for _ in range(sweeps):
        w = exact_linear.best_weights(r + gamma * P @ X @ w, X, np.full(2, 0.5))
    return float(w[0] ** (1.0 / sweeps))


def _growth(stay: float) -> np.ndarray:
    """Return b - A w at w = 1, shape [grid]: where it is positive the expected TD update diverges, for a behaviour that stays so often."""
    world = two_states(0.0)
    behavior = np.array([[1.0, 0.0], [stay, 1.0 - stay]])
    mu = exact_linear.mu(world, behavior) if stay < 1.0 else np.array([0.0, 1.0])
    ends = [exact_linear.td_equations(world, ON, X, gamma, mu)[0][0, 0] for gamma in (0.0, 1.0)]  # A is linear in gamma
    return np.asarray(-(ends[0] + (ends[1] - ends[0]) * GRID))


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the weight over updates, the factors per sweep, and where TD diverges."""
    figure.set_size_inches(11.6, 3.9)
    left, middle, right = figure.subplots(1, 3)
    style.panel(left, "only w → 2w is updated", "updates", "w")
    for i, gamma in enumerate(GAMMAS):
        left.plot(data["single"][i], color=style.COLORS[i], label=f"γ = {gamma:g}")
    left.set_yscale("log")
    left.legend(frameon=False)
    style.panel(middle, "least squares, both states", "discount rate γ", "factor of w per sweep")
    for i, epsilon in enumerate(EPSILONS):
        middle.plot(GRID, data["factor"][i], color=style.COLORS[i], label=f"ε = {epsilon:g}")
    style.reference(middle, 1.0, "above: diverges", side="left")
    middle.legend(frameon=False)
    style.panel(right, "off-policy TD, ε = 0", "discount rate γ", "probability that b stays in 2w")
    right.contourf(GRID, STAYS, data["growth"] > 0, levels=[-0.5, 0.5, 1.5], colors=["#f6f6f1", style.COLORS[3]], alpha=0.45)
    right.contour(GRID, STAYS, data["growth"], levels=[0.0], colors=[style.INK], linewidths=1.2)
    right.text(0.93, 0.16, "diverges", ha="center", color=style.INK)
    right.text(0.79, 0.8, "converges", ha="center", color=style.INK)
    right.grid(visible=False)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return the factors and the thresholds of the text."""
    found = []
    updates = np.arange(settings.updates + 1)
    for i, gamma in enumerate(GAMMAS):
        wanted = (1.0 + settings.alpha * (2.0 * gamma - 1.0)) ** updates
        text = f"gamma = {gamma:g}: each update multiplies w by 1 + alpha (2 gamma - 1)"
        found.append(equal(text, float(np.abs(data["single"][i] / wanted - 1.0).max()), 0.0, 1e-9))
    found.append(true("it grows where gamma > 1/2 and only there", np.array_equal(data["single"][:, -1] > 1.0, GAMMAS > 0.5)))
    for i, epsilon in enumerate(EPSILONS):
        factor = GRID * (6.0 - 4.0 * epsilon) / 5.0
        text = f"epsilon = {epsilon:g}: a sweep of least squares multiplies w by gamma (6 - 4 epsilon) / 5"
        found.append(equal(text, float(np.abs(data["factor"][i] - factor).max()), 0.0, 1e-9))
        threshold = 5.0 / (6.0 - 4.0 * epsilon)
        clear = np.abs(GRID - threshold) > 1e-9
        safe = np.array_equal(data["factor"][i][clear] > 1.0, GRID[clear] > threshold)
        found.append(true(f"epsilon = {epsilon:g}: it diverges where gamma > {threshold:.4f}", safe))
    sign = (1.0 - STAYS)[:, None] * (2.0 * GRID - 1.0) - 4.0 * (1.0 - GRID)  # of mu(1) (2 gamma - 1) - 4 mu(2) (1 - gamma)
    clear = np.abs(sign) > 1e-9
    found.append(
        true(
            "TD diverges where the first state's push outweighs the second's pull", np.all((data["growth"] > 0)[clear] == (sign > 0)[clear])
        )
    )
    found.append(true("it never does under the target policy", np.all(data["growth"][-1] <= 1e-12)))
    return found
