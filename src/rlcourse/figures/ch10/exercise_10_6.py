"""Exercises 10.6 and 10.7: differential values on rings, as the limit of discounting.

On a ring the rewards never settle, so that the sum of what they are above average has no limit. Discounted it has one: v_gamma(s) -
r / (1 - gamma) tends to the differential value of s as gamma tends to one. Rewards +1, 0, +1, 0, ... have average 1/2 and values 1/4
and -1/4; a reward of +1 at each arrival in A, the first of three states, 1/3 and -1/3, 0, 1/3. Everything here is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core import exact, exact_average
from rlcourse.core.config import Config
from rlcourse.envs import ring
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

RINGS = {"10.6": ((1.0, 0.0), 1 / 2, (1 / 4, -1 / 4)), "10.7": ((0.0, 0.0, 1.0), 1 / 3, (-1 / 3, 0.0, 1 / 3))}
HORIZONS = 2.0 ** np.arange(0.25, 12.1, 0.25)  # 1 / (1 - gamma)


@dataclass(frozen=True)
class Settings(Config):
    """Nothing to choose."""


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return for each ring the average reward, the values [n], and discounted values less r / (1 - gamma), shape [horizons, n]."""
    data: dict[str, np.ndarray] = {}
    for name, (rewards, _, _) in RINGS.items():
        world, policy = ring(rewards), np.zeros(len(rewards), int)
        average = exact_average.rate(world, policy)
        discounted = [exact.v_pi(world, policy, 1.0 - 1.0 / horizon) - average * horizon for horizon in HORIZONS]
        data |= {f"average_{name}": np.array(average), f"values_{name}": exact_average.v_pi(world, policy)}
        data[f"discounted_{name}"] = np.array(discounted)
    return data


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the discounted values against the horizon 1 / (1 - gamma)."""
    figure.set_size_inches(9.2, 3.9)
    for axes, name in zip(figure.subplots(1, 2), RINGS, strict=True):
        style.panel(axes, f"Exercise {name}: average reward {data[f'average_{name}']:.4g}", "1 / (1 - γ)", "v_γ(s) - r / (1 - γ)")
        for s, limit in enumerate(data[f"values_{name}"]):
            axes.plot(HORIZONS, data[f"discounted_{name}"][:, s], color=style.COLORS[s], linewidth=1.6)
            axes.axhline(limit, color=style.COLORS[s], linewidth=1.0, linestyle="--")
            axes.annotate(f"state {'ABC'[s]}", (HORIZONS[-1], limit), (0, 4), textcoords="offset points", ha="right", color=style.COLORS[s])
        axes.set_xscale("log", base=2)
        axes.set(xlim=(HORIZONS[0], HORIZONS[-1]))
        axes.set_yticks(data[f"values_{name}"], [f"{value:.3f}" for value in data[f"values_{name}"]])


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return the closed forms, and that discounting tends to them at the rate 1 - gamma."""
    found = []
    for name, (rewards, average, values) in RINGS.items():
        wrong = np.abs(data[f"discounted_{name}"] - values).max(axis=1)
        mine = data[f"values_{name}"]
        bellman = np.array(rewards) - average + np.roll(mine, -1) - mine
        found += [
            equal(f"{name}: the average reward is 1/{round(1 / average)}", float(data[f"average_{name}"]), average, 1e-12),
            true(f"{name}: the values are the closed form", np.allclose(mine, values, atol=1e-12), str(np.round(mine, 4))),
            true(f"{name}: they solve the differential Bellman equations", np.all(np.abs(bellman) < 1e-12)),
            true(f"{name}: discounted values come nearer and nearer", np.all(np.diff(wrong) < 1e-9), f"{wrong[0]:.3f} to {wrong[-1]:.1e}"),
            equal(f"{name}: twice the horizon halves the distance", float(wrong[-5] / wrong[-1]), 2.0, 0.02),
        ]
    return found
