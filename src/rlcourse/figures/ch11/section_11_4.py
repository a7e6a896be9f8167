"""Section 11.4: the geometry of values, computed: two weights, and where each error is smallest.

The drawing of Figure 11.3 for a task that can be solved: three values make a space, all that two weights can represent is a plane in it,
and distances are weighed by mu. The true values lie off the plane. Their projection is the point of smallest VE. The Bellman operator
takes values of the plane out of it, and the projection back into it; the one point that comes back to itself is the TD fixed point, where
PBE is zero. Where the Bellman error vector is shortest is a third point, where the TD errors are smallest a fourth. Right the same plane
in terms of the weights, with the ways of the expected updates: each descends its own error and ends in its own point. TD and TDC have the
same one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.off_policy.expected_gradient_td import expected_tdc
from rlcourse.agents.off_policy.expected_updates import expected_naive_residual_gradient, expected_residual_gradient, expected_td
from rlcourse.core import exact, exact_linear
from rlcourse.core.config import Config, Count, Discount
from rlcourse.envs import three_states, three_states_features
from rlcourse.features import TableFeatures
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

WORLD, X, ONE = three_states(), three_states_features(), np.ones((3, 1))
MU = exact_linear.mu(WORLD, ONE)
NAMES = ("VE", "PBE", "BE", "TDE")
START = np.array([0.5, 1.5])
MARKS = ("o", "s", "D", "^")
PLACES = ((8, -14), (10, 9), (-14, -14), (30, 8))  # of the labels, points


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    gamma: Discount = 0.8
    sweeps: Count = 30_000


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return true values [3], weights of the smallest VE, PBE, BE, TDE [4, 2], and the ways of MC, TD, TDC and both residual gradients."""
    gamma, features = settings.gamma, TableFeatures.of(X)
    P, r, _ = exact_linear.chain(WORLD, ONE)
    truth, root = exact.v_pi(WORLD, ONE, gamma), np.sqrt(MU)
    steps = [(np.sqrt(MU[s] * P[s, k]), X[s] - gamma * X[k], r[s]) for s in range(3) for k in range(3)]
    points = [
        exact_linear.best_weights(truth, X, MU),
        exact_linear.td_fixed_point(WORLD, ONE, X, gamma),
        np.linalg.lstsq(root[:, None] * (X - gamma * P @ X), root * r, rcond=None)[0],
        np.linalg.lstsq(np.array([p * x for p, x, _ in steps]), np.array([p * reward for p, _, reward in steps]), rcond=None)[0],
    ]
    ways = np.zeros((5, settings.sweeps + 1, 2))
    ways[0, 0] = START
    for k in range(settings.sweeps):  # Monte Carlo: the true values are the targets
        ways[0, k + 1] = ways[0, k] + 0.05 * (X.T * MU) @ (truth - X @ ways[0, k])
    expected_td(WORLD, ONE, MU, features, START.copy(), 0.05, gamma, ways[1])
    expected_tdc(WORLD, ONE, MU, features, START.copy(), np.zeros(2), 0.05, 0.2, gamma, ways[2])
    expected_residual_gradient(WORLD, ONE, MU, features, START.copy(), 0.05, gamma, ways[3])
    expected_naive_residual_gradient(WORLD, ONE, MU, features, START.copy(), 0.05, gamma, ways[4])
    return {"truth": truth, "points": np.array(points), "ways": ways}


def errors(w: np.ndarray, truth: np.ndarray, gamma: float) -> np.ndarray:
    """Return VE, PBE, BE and TDE of weights, shape [4]."""
    values = X @ w
    error = exact_linear.bellman_error(WORLD, ONE, values, gamma)
    return np.array(
        [
            exact_linear.value_error(values, truth, MU),
            exact_linear.norm(exact_linear.projection(X, MU) @ error, MU),
            exact_linear.norm(error, MU),
            exact_linear.td_error(WORLD, ONE, values, gamma),
        ]
    )


def _frame() -> np.ndarray:
    """Return three orthonormal axes, two of them in the plane, for values weighed by the root of mu; shape [3, 3]."""
    axes, _ = np.linalg.qr(np.sqrt(MU)[:, None] * np.hstack([X, np.ones((3, 1))]))
    return np.asarray(axes)


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the space of values with its plane, and the plane of weights with errors and ways."""
    figure.set_size_inches(11.2, 5.0)
    _draw_space(figure.add_subplot(1, 2, 1, projection="3d"), data, settings)
    axes = style.panel(figure.add_subplot(1, 2, 2), "the plane: weights, and the ways of expected updates", "w₁", "w₂")
    first, second = np.linspace(-0.9, 4.8, 61), np.linspace(-4.2, 1.8, 61)
    maps = np.array([[errors(np.array([a, b]), data["truth"], settings.gamma) for a in first] for b in second])
    for i, color in ((0, 0), (2, 1)):
        axes.contour(first, second, maps[..., i], levels=8, colors=[style.COLORS[color]], linewidths=0.6, alpha=0.5)
    names = ("gradient Monte Carlo", "TD", "TDC", "residual gradient", "naive residual gradient")
    for i, name in enumerate(names):
        look = {"color": style.COLORS[(0, 2, 5, 1, 3)[i]], "linestyle": "--" if name == "TDC" else "-"}
        axes.plot(*data["ways"][i].T, linewidth=1.5, label=name, **look)
    for i, name in enumerate(NAMES):
        axes.plot(*data["points"][i], MARKS[i], color=style.INK, markersize=6)
        words = f"smallest {name}" if name != "PBE" else "PBE = 0"
        axes.annotate(words, data["points"][i], PLACES[i], textcoords="offset points", fontsize=8.5, ha="center")
    axes.plot(*START, "x", color=style.INK)
    axes.annotate("start", START, (6, 4), textcoords="offset points", fontsize=8.5)
    axes.set(xlim=(first[0], first[-1]), ylim=(second[0], second[-1]))
    axes.grid(visible=False)
    axes.legend(frameon=False, fontsize=8, loc="lower left")


def _draw_space(axes: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw values as points of a space in which distances are errors: the plane lies flat."""
    frame, root = _frame(), np.sqrt(MU)

    def at(values: np.ndarray) -> np.ndarray:
        return np.asarray(frame.T @ (root * values))

    middle = np.array([at(X @ w) for w in data["points"]]).mean(axis=0)
    a, b = np.meshgrid(middle[0] + np.array([-1.6, 1.6]), middle[1] + np.array([-1.6, 1.6]))
    axes.plot_surface(a, b, np.zeros_like(a), color=style.COLORS[2], alpha=0.13, linewidth=0)
    for i, name in enumerate(NAMES):
        point = at(X @ data["points"][i])
        axes.plot(*point[:, None], MARKS[i], color=style.INK, markersize=6)
        words = f"   smallest {name}   " if name != "PBE" else "   PBE = 0"
        axes.text(point[0], point[1], 0.0, words, fontsize=8.5, ha="right" if name == "VE" else "left")
    truth = at(data["truth"])
    axes.plot(*truth[:, None], "*", color=style.COLORS[0], markersize=12)
    axes.text(*truth, "  true values", fontsize=9, color=style.COLORS[0])
    foot = at(X @ data["points"][0])
    axes.plot(*np.array([truth, foot]).T, color=style.COLORS[0], linestyle=":", linewidth=1.2)
    P, r, _ = exact_linear.chain(WORLD, ONE)
    for w, color in ((data["points"][1], 2), (data["points"][2], 1)):  # the Bellman operator out of the plane, the projection back
        start, out = at(X @ w), at(r + settings.gamma * P @ X @ w)
        axes.plot(*np.array([start, out]).T, color=style.COLORS[color], linewidth=1.6)
        axes.plot(*np.array([out, [out[0], out[1], 0.0]]).T, color=style.COLORS[color], linestyle=":", linewidth=1.2)
    axes.set_title("values; distances are errors", loc="left", fontsize=10.5, fontweight="bold", color=style.INK)
    axes.set_xticklabels([])
    axes.set_yticklabels([])
    axes.tick_params(labelsize=7)
    axes.set_zlabel("distance from the plane", fontsize=8.5)
    axes.view_init(22, -62)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return where each error is smallest, who goes there, and how far it is from the truth."""
    points, truth, gamma = data["points"], data["truth"], settings.gamma
    table = np.array([errors(w, truth, gamma) for w in points])  # of point i, error j
    found = [true(f"{name} is smallest at its own point", np.all(table[i, i] <= table[:, i] + 1e-12)) for i, name in enumerate(NAMES)]
    found += [
        equal("at the TD fixed point PBE is zero", float(table[1, 1]), 0.0, 1e-18),
        less("there the Bellman error is not, for the features cannot represent it", 0.01, float(table[1, 2])),
        less("the four points are different", 0.05, float(min(np.linalg.norm(points[i] - points[j]) for i in range(4) for j in range(i)))),
    ]
    ends = {"gradient Monte Carlo": 0, "TD": 1, "TDC": 1, "the residual gradient": 2, "the naive residual gradient": 3}
    for i, (name, point) in enumerate(ends.items()):
        text = f"{name} ends where {NAMES[point]} is smallest"
        found.append(equal(text, float(np.abs(data["ways"][i, -1] - points[point]).max()), 0.0, 1e-6))
    w = START
    error = exact_linear.bellman_error(WORLD, ONE, X @ w, gamma)
    rest = error - exact_linear.projection(X, MU) @ error
    _, pbe, be, _ = errors(w, truth, gamma)
    found.append(equal("BE is PBE and the squared distance to the plane, by Pythagoras", pbe + exact_linear.norm(rest, MU), be, 1e-9))
    ve = np.sqrt(table[:, 0])
    return [*found, less("the TD fixed point keeps the bound 1 / (1 - gamma) of the smallest error (9.14)", ve[1], ve[0] / (1.0 - gamma))]
