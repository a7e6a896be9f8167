"""Figure 9.12: tilings need not be grids: irregular ones, log stripes and diagonal stripes.

Stripes across one dimension generalise along it without end; log stripes do so too, and distinguish more finely where the coordinate is
small; diagonal stripes generalise along a diagonal. Grids of both dimensions are added to stripes so that what they cannot tell apart can
still be learned (conjunctions). The irregular tiling here is the Voronoi diagram of random points; the book draws one by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count
from rlcourse.features import Stripes, Tiles, stack
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

NAMES = ("irregular", "log stripes", "diagonal stripes")
EDGES = 2.0 ** np.arange(-5, 0)  # of the log stripes: 1/32 ... 1/2
CUTS = np.linspace(-0.77, 0.77, 7)  # of the diagonal stripes


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    points: Count = 120  # along each dimension
    cells: Count = 14  # of the irregular tiling


FAST: dict[str, Any] = {"points": 60}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return coordinates [P], the active tile of each tiling [3, P, P], and how many stripes and grids of a stack are active [P, P]."""
    line = (np.arange(settings.points) + 0.5) / settings.points
    states = [(a, b) for a in line for b in line]
    seeds = lab.rng(0).random((settings.cells, 2))
    irregular = ((np.array(states)[:, None] - seeds) ** 2).sum(axis=-1).argmin(axis=1)
    logarithmic, diagonal = Stripes.of([(1.0, 0.0)], [EDGES]), Stripes.of([(1.0, -1.0)], [CUTS])
    both = stack(diagonal, Tiles.of([0.0, 0.0], [1.0, 1.0], 4, 2))
    shape = (settings.points, settings.points)
    found = [irregular, [logarithmic.x(s)[0] for s in states], [diagonal.x(s)[0] for s in states]]
    return {
        "s": line,
        "tile": np.array([np.reshape(each, shape) for each in found]),
        "active": np.reshape([np.count_nonzero(both.x(s) >= 0) for s in states], shape),
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw a panel for each tiling."""
    figure.set_size_inches(9.0, 3.4)
    for name, tile, axes in zip(NAMES, data["tile"], figure.subplots(1, 3), strict=True):
        colors = np.where(tile % 2 == 0, 0.35, 0.75) if name != "irregular" else tile / tile.max()
        axes.imshow(colors.T, origin="lower", extent=(0, 1, 0, 1), cmap="Blues", vmin=-0.4, vmax=1.3, interpolation="nearest")
        middles = data["s"]
        for k in range(1, int(tile.max()) + 1):
            if name == "irregular":
                axes.contour(middles, middles, (tile == k).T.astype(float), levels=[0.5], colors=style.INK, linewidths=0.9)
            else:
                axes.contour(middles, middles, (tile >= k).T.astype(float), levels=[0.5], colors=style.INK, linewidths=0.9)
        axes.set_title(name, fontsize=10.5, color=style.INK)
        axes.set(xticks=[], yticks=[])


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Section 9.5.4 says of such tilings."""
    irregular, logs, diagonal = data["tile"]
    line, wide = data["s"], 1.5 / settings.points
    found = line[:-1][np.diff(logs[:, 0]) != 0] + 0.5 / settings.points
    a, b = np.meshgrid(line, line, indexing="ij")
    return [
        true("each state is in one tile of an irregular tiling, and all tiles are met", len(np.unique(irregular)) == settings.cells),
        equal("log stripes generalise along the second dimension without end", int(np.ptp(logs, axis=1).max()), 0),
        true("their widths double", found.shape == EDGES.shape and bool(np.all(np.abs(found - EDGES) < wide)), str(found)),
        true("diagonal stripes generalise along the diagonal", all(np.ptp(np.diagonal(diagonal, k)) == 0 for k in (-9, 0, 30))),
        equal("and distinguish across it", int(np.ptp(np.diagonal(diagonal[:, ::-1]))), len(CUTS)),
        true("a stripe is where its cuts say", np.array_equal(diagonal, np.searchsorted(CUTS, a - b, side="right"))),
        equal(
            "with a grid of two tilings stacked on it, three features are active everywhere",
            int(np.ptp(data["active"])) + int(data["active"].min()),
            3,
        ),
    ]
