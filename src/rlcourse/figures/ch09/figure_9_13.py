"""Figure 9.13: one-dimensional radial basis functions.

Three Gaussian bumps around c_{i-1}, c_i, c_{i+1}: features between 0 and 1 that say how near a state is, in place of whether it is
within. Estimates are smooth functions of the state. Normalised by their sum (dashed) bumps share every place among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count, Positive
from rlcourse.features import RadialBasis
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

CENTRES = (-1.0, 0.0, 1.0)


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    sigma: Positive = 0.42  # distances between centres
    points: Count = 401


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return states [P], bumps and normalised bumps [P, 3], and bumps at a centre, one sigma from it, and half-way to the next [3, 3]."""
    plain = RadialBasis.of(CENTRES, settings.sigma)
    shares = RadialBasis.of(CENTRES, settings.sigma, normalised=True)
    states = np.linspace(-2.2, 2.2, settings.points)
    return {
        "s": states,
        "x": np.array([plain.x((s,)) for s in states]),
        "share": np.array([shares.x((s,)) for s in states]),
        "marks": np.array([plain.x((s,)) for s in (0.0, settings.sigma, 0.5)]),
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw bumps, their centres and the width of the middle one."""
    figure.set_size_inches(8.0, 3.2)
    axes = style.panel(figure.subplots(), "", "s", "feature")
    for i in range(3):
        axes.plot(data["s"], data["x"][:, i], color=style.COLORS[0], linewidth=1.8, label="bumps" if i == 0 else None)
        axes.plot(data["s"], data["share"][:, i], color=style.GREY, linewidth=1.0, linestyle="--", label="normalised" if i == 0 else None)
    axes.annotate("", (0.0, np.exp(-0.5)), (settings.sigma, np.exp(-0.5)), arrowprops={"arrowstyle": "<->", "color": style.INK})
    axes.text(settings.sigma / 2, np.exp(-0.5) + 0.03, "$\\sigma_i$", ha="center", color=style.INK)
    axes.set_xticks(CENTRES, ["$c_{i-1}$", "$c_i$", "$c_{i+1}$"])
    axes.set_yticks([0, 0.5, 1])
    axes.legend(frameon=False, fontsize=8, loc="center right")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Section 9.5.5 says of bumps."""
    x, s = data["x"], data["s"]
    width = s[1] - s[0]
    slope = np.abs(np.diff(x, axis=0)).max() / width
    above = float(np.count_nonzero(x[:, 1] >= 0.5) * width)
    return [
        equal("a bump is 1 at its centre", float(data["marks"][0, 1]), 1.0, 1e-12),
        equal("one sigma from it, exp(-1/2)", float(data["marks"][1, 1]), float(np.exp(-0.5)), 1e-12),
        equal("half-way between two centres both are alike", float(data["marks"][2, 1] - data["marks"][2, 2]), 0.0, 1e-12),
        equal("a bump is above a half over 2.355 sigma", above, 2 * np.sqrt(2 * np.log(2)) * settings.sigma, 2 * width),
        true("bumps are smooth: nowhere steeper than exp(-1/2) / sigma", slope <= np.exp(-0.5) / settings.sigma + 1e-9, f"{slope:.3f}"),
        true("bumps lie between 0 and 1", 0.0 < x.min() and x.max() <= 1.0),
        equal("normalised ones sum to 1 everywhere", float(np.abs(data["share"].sum(axis=1) - 1).max()), 0.0, 1e-12),
    ]
