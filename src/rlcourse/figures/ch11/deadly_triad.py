"""The deadly triad: approximation, bootstrapping and off-policy learning, each on and off.

With linear values any two of the three are safe here, all three together are not (Sec. 11.3). Top: the eight combinations, as expected
updates. Approximation is the eight features of Figure 11.1, or one per state; bootstrapping is TD(0), or the whole return; off-policy
updates all states equally often, as the behaviour does, on-policy only the one where the target policy stays. The error is that of the
updated states; nothing is random. Middle: what rescues the eighth case, all three with another update; left expected, right sampled
(median, and the range of four fifths of the runs). Bottom: none of the three is a matter of yes or no. Drawn is how fast the fastest
direction of the weights grows: the largest real part of the eigenvalues of -A in the expected update w <- w + alpha (b - A w). At zero
divergence ends.

Why these thresholds: after one solid action the target policy stays in the lower state, so n steps act as the discount rate gamma^n, a
lambda-return as (1 - lambda) gamma / (1 - lambda gamma), and all is safe where that is at most 15/17.

Step sizes are 0.01 with features and 0.5 with tables; 0.005 and 0.05 for gradient TD. The policies' expected returns are zero, so values
are errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.off_policy.emphatic_td import emphatic_td
from rlcourse.agents.off_policy.expected_gradient_td import expected_gtd2, expected_tdc
from rlcourse.agents.off_policy.expected_updates import expected_emphatic_td, expected_residual_gradient, expected_td
from rlcourse.agents.off_policy.gtd2 import gtd2
from rlcourse.agents.off_policy.naive_residual_gradient import naive_residual_gradient
from rlcourse.agents.off_policy.semi_gradient_off_policy_td0 import semi_gradient_off_policy_td0
from rlcourse.agents.off_policy.tdc import tdc
from rlcourse.core import exact_linear
from rlcourse.core.config import Config, Count
from rlcourse.features import TableFeatures
from rlcourse.figures import baird, style
from rlcourse.figures.claims import Claim, equal, less, true
from rlcourse.figures.experiment import Lab

__all__ = ["COMBINATIONS", "FAST", "RESCUES", "Settings", "claims", "draw", "growth", "run"]

COMBINATIONS = [(table, mc, on) for table in (True, False) for mc in (True, False) for on in (True, False)]
RESCUES = ("semi-gradient TD", "GTD2", "TDC", "residual gradient", "emphatic TD")
ALONE = np.append(np.zeros(6), 1.0)  # the distribution under the target policy
DIALS = {  # how far each is turned: label, values, threshold where divergence ends
    "solid": ("off-policy: how often b takes solid", np.linspace(1 / 7, 1.0, 121), 94 / 109),
    "lam": ("bootstrapping: λ of the return", np.linspace(0.0, 1.0, 121), 61 / 66),
    "share": ("approximation: share of a table in x", np.linspace(0.0, 1.0, 121), None),
    "gamma": ("and the discount rate γ", np.linspace(0.7, 1.0, 121), 15 / 17),
}


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 200
    steps: Count = 2000  # of the rescues, a multiple of 20
    sweeps: Count = 5000  # of the eight combinations


FAST = {"runs": 40}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return errors of the combinations [8, sweeps + 1], of rescues expected [5, steps + 1] and sampled [5, runs, points], dials."""
    data = {"combinations": np.array([_combination(*which, settings.sweeps) for which in COMBINATIONS])}
    data["growths"] = np.array([growth(**_switches(*which)) for which in COMBINATIONS])
    data["expected"] = baird.root_ve(_expected(settings.steps))
    data["sampled"] = np.array(lab.study(lambda i, rng, n: _sampled(i, rng, n, settings.steps), list(range(5)), settings.runs))
    for dial, (_, values, _) in DIALS.items():
        data[dial] = np.array([growth(**dict[str, Any]({dial: float(value)})) for value in values])
    data["n"] = np.array([growth(n=n) for n in range(1, 31)])
    return data


def _switches(table: bool, mc: bool, on: bool) -> dict[str, Any]:
    """Return the arguments of `growth` for a combination."""
    return {"share": float(table), "lam": float(mc), "solid": 1.0 if on else 1.0 / 7.0}


def growth(solid: float = 1.0 / 7.0, lam: float = 0.0, share: float = 0.0, gamma: float = baird.GAMMA, n: int = 0) -> float:
    """Return the largest real part of the eigenvalues of -A: positive where the expected update diverges.

    Parameters
    ----------
    solid : float
        How often the behaviour takes solid, and hence is in the lower state.
    lam : float
        Of the lambda-return; 0 bootstraps fully, 1 is Monte Carlo.
    share : float
        Of one feature per state in the features; 1 is a table.
    gamma : float
    n : int
        Steps before bootstrapping, instead of lambda, where it is not 0.
    """
    X = np.hstack([np.sqrt(1.0 - share) * baird.X, np.sqrt(5.0 * share) * np.eye(7)])  # all of about the same length
    mu = np.append(np.full(6, (1.0 - solid) / 6.0), solid)
    if n:
        P, _, _ = exact_linear.chain(baird.WORLD, baird.POLICY)
        A = X.T * mu @ (X - np.linalg.matrix_power(gamma * P, n) @ X)
    else:
        A, _ = exact_linear.td_equations(baird.WORLD, baird.POLICY, X, gamma, mu, lam)
    return float(np.max(-np.linalg.eigvals(A).real))


def _combination(table: bool, mc: bool, on: bool, sweeps: int) -> np.ndarray:
    """Return the root of the value error in the updated states, shape [sweeps + 1]; all begin with the same values."""
    X, mu, alpha = np.eye(7) if table else baird.X, ALONE if on else baird.MU, 0.5 if table else 0.01
    w = baird.X @ baird.weights() if table else baird.weights()
    path = np.zeros((sweeps + 1, len(w)))
    if mc:  # the return is the value itself: gradient descent in the value error
        path[0] = w
        for k in range(sweeps):
            path[k + 1] = path[k] - alpha * (X.T * mu) @ (X @ path[k])
    else:
        expected_td(baird.WORLD, baird.POLICY, mu, TableFeatures.of(X), w, alpha, baird.GAMMA, path)
    return np.asarray(np.sqrt((path @ X.T) ** 2 @ mu))


def _expected(steps: int) -> np.ndarray:
    """Return the weights of the rescues over sweeps, shape [5, steps + 1, 8]."""
    paths, mu = np.zeros((5, steps + 1, 8)), baird.MU
    start, features, gamma = baird.weights, baird.FEATURES, baird.GAMMA
    expected_td(baird.WORLD, baird.POLICY, mu, features, start(), 0.01, gamma, paths[0])
    expected_gtd2(baird.WORLD, baird.POLICY, mu, features, start(), np.zeros(8), 0.005, 0.05, gamma, paths[1])
    expected_tdc(baird.WORLD, baird.POLICY, mu, features, start(), np.zeros(8), 0.005, 0.05, gamma, paths[2])
    expected_residual_gradient(baird.WORLD, baird.POLICY, mu, features, start(), 0.01, gamma, paths[3])
    expected_emphatic_td(baird.WORLD, baird.POLICY, mu, 1.0, features, start(), mu.copy(), 0.01, gamma, paths[4])
    return paths


def _sampled(i: int, rng: np.random.Generator, n: int, steps: int) -> np.ndarray:
    """Return errors of runs of one of the rescues, shape [n, steps / 20 + 1]."""
    second = [baird.weights(), np.zeros(8)]
    box, tables, sizes = (
        (semi_gradient_off_policy_td0, second[:1], (0.01,)),
        (gtd2, second, (0.005, 0.05)),
        (tdc, second, (0.005, 0.05)),
        (naive_residual_gradient, second[:1], (0.01,)),  # the target policy is deterministic: one sample is enough
        (emphatic_td, second[:1], (1.0, 0.01)),
    )[i]
    with np.errstate(over="ignore", invalid="ignore"):
        return baird.root_ve(np.nan_to_num(baird.sampled(box, tables, sizes, steps, n, 20, rng)[..., :8], nan=np.inf))


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the eight combinations, the rescues and the dials."""
    figure.set_size_inches(11.6, 12.4)
    parts = figure.add_gridspec(4, 4, height_ratios=(1.0, 1.0, 1.5, 1.2))
    for i, (table, mc, on) in enumerate(COMBINATIONS):
        axes = figure.add_subplot(parts[i // 4, i % 4])
        deadly = data["growths"][i] > 1e-9
        words = ("a table" if table else "APPROXIMATION", "returns" if mc else "BOOTSTRAPPING", "on-policy" if on else "OFF-POLICY")
        style.panel(axes, "", "sweeps", "√VE" if i % 4 == 0 else "")
        look = {"color": style.COLORS[3] if deadly else style.INK, "fontweight": "bold" if deadly else "normal"}
        axes.set_title(f"{words[0]}\n{words[1]}, {words[2]}", fontsize=8.5, **look)
        axes.plot(data["combinations"][i], color=style.COLORS[3 if deadly else 2], linewidth=2.0)
        axes.set(yscale="log", ylim=(1e-3, 1e7), xlim=(0, settings.sweeps))
        axes.set_xticks([0, settings.sweeps // 2, settings.sweeps])
        axes.text(0.95, 0.1 if deadly else 0.85, "diverges" if deadly else "converges", transform=axes.transAxes, ha="right", fontsize=9)
    for column, (key, name) in enumerate((("expected", "all three on, other updates: expected"), ("sampled", "the same, sampled"))):
        axes = style.panel(figure.add_subplot(parts[2, 2 * column : 2 * column + 2]), name, ("sweeps", "steps")[column], "√VE")
        for i, label in enumerate(RESCUES):
            errors, look = data[key][i], {"color": style.COLORS[(3, 0, 2, 1, 4)[i]]}
            middle = np.median(errors, axis=0) if column else errors
            axes.plot(np.linspace(0, settings.steps, len(middle)), middle, label=label, **look)
            if column:
                low, high = (np.minimum(np.quantile(errors, q, axis=0, method="nearest"), 1e12) for q in (0.1, 0.9))
                axes.fill_between(np.linspace(0, settings.steps, len(middle)), low, high, alpha=0.18, linewidth=0, **look)
        axes.set(yscale="log", ylim=(1e-2, 1e5), xlim=(0, settings.steps))
        axes.legend(frameon=False, fontsize=8, loc="upper left", ncols=2)
    for i, (dial, (label, values, _)) in enumerate(DIALS.items()):
        axes = style.panel(figure.add_subplot(parts[3, i]), "", label, "growth: max Re eig(−A)" if i == 0 else "")
        axes.xaxis.label.set_size(9)
        axes.fill_between(values, 0.0, np.maximum(data[dial], 0.0), color=style.COLORS[3], alpha=0.35, linewidth=0)
        axes.plot(values, np.maximum(data[dial], 0.0), color=style.COLORS[3])
        end = values[int(np.argmax(data[dial] < 1e-9))] if dial != "gamma" else values[int(np.argmax(data[dial] > 1e-9))]
        word, at, side = ("deadly from", 0.05, "left") if dial == "gamma" else ("safe from", 0.97, "right")
        axes.text(at, 0.9, f"{word} {end:.2f}", transform=axes.transAxes, ha=side, fontsize=9)
        axes.set(ylim=(0.0, 0.26), xlim=(values[0], values[-1]))


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return which combination diverges, what rescues it, and where danger ends."""
    errors, sampled, expected = data["combinations"], data["sampled"], data["expected"]
    middle = np.median(sampled[:, :, -1], axis=1)
    found = [
        true("of the eight combinations the last alone has a growing direction", np.array_equal(data["growths"] > 1e-9, np.arange(8) == 7)),
        less("with all three the error grows more than a thousandfold", 1000.0 * errors[7, 0], float(errors[7, -1])),
        *(true(f"combination {i + 1} of 8: the error falls below its start", errors[i, -1] < 0.9 * errors[i, 0]) for i in range(7)),
        less("semi-gradient TD: expected, it diverges", 1000.0, float(expected[0, -1])),
        less("in more than nine of ten sampled runs too", 100.0, float(np.quantile(sampled[0, :, -1], 0.1))),
    ]
    for i, name in enumerate(RESCUES[1:], 1):
        found.append(less(f"{name}: expected, the error falls below half its start", float(expected[i, -1]), 0.5 * float(expected[i, 0])))
        if name != "emphatic TD":
            found.append(less(f"{name}: so it does in most sampled runs", float(middle[i]), 0.5 * float(expected[i, 0])))
            found.append(true(f"{name}: no sampled run exceeds three times its start", np.all(sampled[i] < 3.0 * sampled[i, :, :1])))
    wild = np.mean(np.any(~(sampled[4] < 100.0), axis=1))
    found.append(less("emphatic TD: the variance throws most sampled runs far off all the same", 0.5, float(wild)))
    for dial, (label, values, threshold) in DIALS.items():
        unsafe = data[dial] > 1e-9
        found.append(true(f"{label}: there is one threshold", np.sum(np.diff(unsafe.astype(int)) != 0) == 1))
        if threshold is not None:
            found.append(
                true(
                    f"{label}: it is {threshold:.4f}", np.array_equal(unsafe, values > threshold if dial == "gamma" else values < threshold)
                )
            )
    safe = np.flatnonzero(data["n"] <= 1e-9) + 1
    found.append(equal("with n-step returns it is safe from n = 13", float(safe[0]) if len(safe) else 0.0, 13.0))
    return found
