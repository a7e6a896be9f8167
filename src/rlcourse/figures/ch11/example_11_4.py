"""Example 11.4: the Bellman error cannot be learned: the same data, and different minima.

An A, then some Bs: the reward after A is 0, after a B it is -1, after the last one +1, and k Bs have probability 2^-k. So it is with two
states A and B, and with three, A, B and B', of which the last two look alike. No data can tell which one it is. Yet at w = 0 the Bellman
error is 0 in the one and 2/3 in the other, and its minima lie elsewhere. What TD learns is the same in both (so are the TD error and the
projected Bellman error, drawn dotted). Left, the smaller example of Section 11.6, in which the value error differs and at least its
minimum does not.

The book gives (-1/2, 0) as the limit of the minimum in the three states as gamma goes to 1. At gamma = 1 every w with w_B - w_A = 1/2 is
one, this among them; the limit of those with gamma < 1 is (-1/3, 1/6), by algebra and in the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core import exact, exact_linear
from rlcourse.core.config import Config, Count, Discount
from rlcourse.envs import one_or_two_states, one_or_two_states_features, two_or_three_states, two_or_three_states_features
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

GAMMAS = np.array([0.0, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999])
W = np.linspace(-1.0, 3.0, 81)  # of the one weight in the smaller example
A_RANGE, B_RANGE = np.linspace(-1.0, 0.6, 41), np.linspace(-0.8, 0.8, 41)
LIMIT = np.array([-1.0 / 3.0, 1.0 / 6.0])


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    gamma: Discount = 0.9  # of the maps
    length: Count = 8  # of the sequences whose probabilities are compared


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return probabilities of what is seen, errors as functions of the weights, and where they are smallest, for both of each pair."""
    data: dict[str, Any] = {
        "rewards": [],
        "looks": [],
        "ve": [],
        "be": [],
        "pbe": [],
        "tde": [],
        "minimum": [],
        "at_zero": [],
        "fixed": [],
        "mu": [],
    }
    for distinct in (False, True):
        small, large = one_or_two_states(distinct), two_or_three_states(distinct)
        x, rows = one_or_two_states_features(distinct), two_or_three_states_features(distinct)
        policy, seen = np.ones((len(rows), 1)), np.array([0, 1, 1])[: len(rows)]
        data["rewards"].append(_probabilities(small, np.zeros(len(x), int), settings.length))
        data["looks"].append(_probabilities(large, seen, settings.length))
        one = np.ones((len(x), 1))
        truth, half = exact.v_pi(small, one, 0.0), exact_linear.mu(small, one)
        data["ve"].append([exact_linear.value_error(x @ [w], truth, half) for w in W])
        mu = exact_linear.mu(large, policy)
        project = exact_linear.projection(rows, mu)
        maps = np.zeros((3, len(B_RANGE), len(A_RANGE)))
        for i, b in enumerate(B_RANGE):
            for j, a in enumerate(A_RANGE):
                error = exact_linear.bellman_error(large, policy, rows @ [a, b], settings.gamma)
                maps[:, i, j] = (
                    exact_linear.norm(error, mu),
                    exact_linear.norm(project @ error, mu),
                    exact_linear.td_error(large, policy, rows @ [a, b], settings.gamma, mu),
                )
        for key, values in zip(("be", "pbe", "tde"), maps, strict=True):
            data[key].append(values)
        data["minimum"].append([_least_bellman(large, policy, rows, mu, gamma) for gamma in GAMMAS])
        data["at_zero"].append(exact_linear.norm(exact_linear.bellman_error(large, policy, rows @ np.zeros(2), settings.gamma), mu))
        data["fixed"].append(exact_linear.td_fixed_point(large, policy, rows, settings.gamma))
        data["mu"].append(np.bincount(seen, mu))
    return {key: np.array(values) for key, values in data.items()}


def _least_bellman(world: Any, policy: np.ndarray, rows: np.ndarray, mu: np.ndarray, gamma: float) -> np.ndarray:
    """Return the weights that minimise the Bellman error."""
    P, r, _ = exact_linear.chain(world, policy)
    root = np.sqrt(mu)
    return np.asarray(np.linalg.lstsq(root[:, None] * (rows - gamma * P @ rows), root * r, rcond=None)[0])


def _probabilities(world: Any, seen: np.ndarray, length: int) -> np.ndarray:
    """Return the probability of every sequence of rewards -1, 0, 1, 2 and of looks, in the long run, of those that happen, in order."""
    S = len(seen)
    steps = np.zeros((8, S, S))  # of each reward and each look of the next state
    for s in range(S):
        for k in range(world.successor.shape[2]):
            s_ = world.successor[s, 0, k]
            steps[int(world.reward[s, 0, k] + 1) + 4 * seen[s_], s, s_] += world.probability[s, 0, k]
    found = exact_linear.mu(world, np.ones((S, 1)))[None]
    for _ in range(length):
        found = np.einsum("ns,ist->nit", found, steps).reshape(-1, S)
        found = found[found.sum(axis=1) > 0.0]  # the others never happen
    return np.asarray(found.sum(axis=1))


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the value error of the smaller pair, and the Bellman errors of the larger one."""
    figure.set_size_inches(11.6, 4.0)
    left, *maps = figure.subplots(1, 3)
    style.panel(left, "value error, γ = 0", "w", "VE")
    for i, name in enumerate(("one state", "two that look alike")):
        left.plot(W, data["ve"][i], color=style.COLORS[i], label=name)
    left.axvline(1.0, color=style.GREY, linestyle="--", linewidth=1)
    left.set_ylim(0, 5)
    left.legend(facecolor="white", edgecolor="none", framealpha=1.0, loc="upper center")
    for i, axes in enumerate(maps):
        style.panel(axes, f"Bellman error, {('two', 'three')[i]} states, γ = {settings.gamma:g}", "w of A", "w of B")
        lines = axes.contour(
            A_RANGE, B_RANGE, data["be"][i], levels=[0.02, 0.1, 0.3, 0.55, 0.7, 1.0, 1.4], colors=style.GREY, linewidths=0.9
        )
        axes.clabel(lines, fontsize=7)
        axes.contour(A_RANGE, B_RANGE, data["pbe"][i], levels=[0.02, 0.1], colors=style.COLORS[2], linewidths=0.9, linestyles=":")
        path = data["minimum"][i]
        axes.plot(path[:, 0], path[:, 1], ".-", color=style.COLORS[3], linewidth=1, label="smallest BE, γ from 0 to 1")
        axes.plot(*data["fixed"][i], "x", color=style.COLORS[2], markersize=9, label="TD fixed point, PBE = 0")
        axes.grid(visible=False)
        axes.set(xlim=(-1.0, 0.6), ylim=(-0.8, 0.8))
    maps[1].plot([-1.0, 0.3], [-0.5, 0.8], color=style.COLORS[3], linewidth=0.9, linestyle="--", label="smallest BE, γ = 1: a line")
    maps[1].plot(-0.5, 0.0, "o", color=style.COLORS[1], markersize=5, label="(−1/2, 0)")
    maps[1].legend(facecolor="white", edgecolor="none", framealpha=0.9, fontsize=7.5, loc="lower right")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the section says of both pairs."""
    low = W[np.argmin(data["ve"], axis=1)]
    two, three = data["minimum"]
    return [
        true("smaller pair: all sequences of rewards have the same probability in both", _alike(data["rewards"])),
        true("larger pair: so have all sequences of looks and rewards", _alike(data["looks"])),
        equal("value error at w = 1 in one state", float(data["ve"][0].min()), 0.0, 1e-12),
        equal("value error at w = 1 in two", float(data["ve"][1].min()), 1.0, 1e-12),
        true("both are smallest at w = 1", np.allclose(low, 1.0)),
        true("A is seen a third of the time, Bs for two thirds, in both", np.allclose(data["mu"], [1 / 3, 2 / 3])),
        equal("Bellman error at w = 0 in the two states", float(data["at_zero"][0]), 0.0, 1e-12),
        equal("Bellman error at w = 0 in the three states", float(data["at_zero"][1]), 2 / 3, 1e-12),
        equal("two states: w = 0 is the minimum for every gamma", float(np.abs(two).max()), 0.0, 1e-9),
        true("three states: it is not for any gamma above 0", np.all(np.abs(three[1:]).max(axis=1) > 0.1)),
        equal("towards gamma = 1 it tends to (-1/3, 1/6)", float(np.abs(three[-1] - LIMIT).max()), 0.0, 1e-3),
        true("the TD error is the same function in both", _alike(data["tde"])),
        true("the projected Bellman error is too", _alike(data["pbe"])),
        true("TD finds w = 0 in both", np.allclose(data["fixed"], 0.0, rtol=0, atol=1e-12)),
        *_at_gamma_1(),
    ]


def _alike(pair: np.ndarray) -> bool:
    """Whether both of a pair are the same."""
    return np.allclose(pair[0], pair[1], rtol=0, atol=1e-12)


def _at_gamma_1() -> list[Claim]:
    """Return what holds in the three states without discount."""
    world, rows = two_or_three_states(True), two_or_three_states_features(True)
    policy, third = np.ones((3, 1)), np.full(3, 1 / 3)
    at = [exact_linear.norm(exact_linear.bellman_error(world, policy, rows @ w, 1.0), third) for w in (np.array([-0.5, 0.0]), LIMIT)]
    least = _least_bellman(world, policy, rows, third, 1.0)
    smallest = exact_linear.norm(exact_linear.bellman_error(world, policy, rows @ least, 1.0), third)
    return [equal("at gamma = 1 the book's (-1/2, 0) has the smallest error, as (-1/3, 1/6) has", max(at), smallest, 1e-12)]
