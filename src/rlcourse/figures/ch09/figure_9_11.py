"""Figure 9.11: why tile asymmetrical offsets are preferred in tile coding.

Eight tilings in two dimensions. What is learned at a plus generalises to a state by the share of the tilings in which both are in one
tile. Above, tilings are offset uniformly, by (1, 1) eighths of a tile from one to the next: patterns have diagonal artifacts and differ
from place to place. Below, offsets by (1, 3) make them nearly the same everywhere, and rounder. On average over all places both patterns
are the same product of two triangles; what differs is how far each strays from it. Eight of the 64 different places in a tile are drawn;
the book does not say which it shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count
from rlcourse.features import Tiles
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

OFFSETS = {"uniformly offset: (1, 1)": (1, 1), "asymmetrically offset: (1, 3)": (1, 3)}
SHOWN = ((0, 0), (1, 3), (2, 6), (3, 1), (4, 4), (5, 7), (6, 2), (7, 5))  # places of the plus in its tile, eighths


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    tilings: Count = 8


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return shares of tilings in common, [offsets, places, places, 2 n + 1, 2 n + 1], within a tile's width of each place of the plus."""
    n = settings.tilings
    middles = (np.arange(8 * n) + 0.5) / n  # of the cells in which all states have the same tiles, in tiles
    found = np.zeros((len(OFFSETS), n, n, 2 * n + 1, 2 * n + 1))
    for k, offset in enumerate(OFFSETS.values()):
        tiles = Tiles.of([0.0, 0.0], [8.0, 8.0], 8, n, displacement=offset)
        active = np.array([[tiles.x((a, b)) for b in middles] for a in middles])
        for p in range(n):
            for q in range(n):
                i, j = 3 * n + p, 3 * n + q
                around = active[i - n : i + n + 1, j - n : j + n + 1]
                found[k, p, q] = (around == active[i, j]).mean(axis=-1)
    return {"shared": found}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw patterns at eight places for each kind of offset."""
    n = settings.tilings
    figure.set_size_inches(9.6, 5.6)
    panels = figure.subplots(4, 4)
    for k, name in enumerate(OFFSETS):
        for i, (p, q) in enumerate(SHOWN):
            axes = panels[2 * k + i // 4, i % 4]
            image = axes.imshow(data["shared"][k, p % n, q % n].T, origin="lower", cmap="Blues", vmin=0, vmax=1)
            axes.plot(n, n, "+", color="black", markersize=8, markeredgewidth=1.5)
            axes.set(xticks=[], yticks=[])
        panels[2 * k, 0].set_title(name, loc="left", fontsize=10.5, fontweight="bold", color=style.INK)
    figure.colorbar(image, ax=panels, shrink=0.7, ticks=[0, 0.5, 1], label="share of tilings in common")


def stretch(pattern: np.ndarray) -> float:
    """Return how many times longer than wide a pattern is: the ratio of variances along its principal axes."""
    s = np.arange(len(pattern)) - len(pattern) // 2
    weights = pattern / pattern.sum()
    crossed = s @ weights @ s
    matrix = np.array([[(weights.sum(axis=1) * s * s).sum(), crossed], [crossed, (weights.sum(axis=0) * s * s).sum()]])
    low, high = np.linalg.eigvalsh(matrix)
    return float(high / low)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the caption says, and the exact mean of the patterns."""
    shared, n = data["shared"], settings.tilings
    triangle = np.maximum(0.0, 1.0 - np.abs(np.arange(-n, n + 1)) / n)
    mean = shared.mean(axis=(1, 2))
    uniform, odd = (each.reshape(-1, 2 * n + 1, 2 * n + 1) for each in shared)
    stretches = [np.array([stretch(pattern) for pattern in each]) for each in (uniform, odd)]
    varied = [float(each.var(axis=0).sum()) for each in (uniform, odd)]
    return [
        equal("a plus shares all tilings with itself", float(np.abs(shared[..., n, n] - 1).max()), 0.0),
        equal(
            "on average uniform offsets give the product of two triangles",
            float(np.abs(mean[0] - np.outer(triangle, triangle)).max()),
            0.0,
            1e-12,
        ),
        equal("on average so do asymmetrical ones", float(np.abs(mean[1] - np.outer(triangle, triangle)).max()), 0.0, 1e-12),
        less("uniform offsets vary more from place to place", 2 * varied[1], varied[0]),
        equal("their variance, summed over the pattern, is 105/64", varied[0], 105 / 64, 1e-9),
        equal("that of offsets (1, 3) is 41/64", varied[1], 41 / 64, 1e-9),
        equal("uniform offsets have diagonal artifacts: the most stretched pattern has a ratio of 3", float(stretches[0].max()), 3.0, 1e-9),
        less("with asymmetrical ones no pattern is stretched much", float(stretches[1].max()), 1.6),
        less("they are rounder on average too", float(stretches[1].mean()), 0.9 * float(stretches[0].mean())),
    ]
