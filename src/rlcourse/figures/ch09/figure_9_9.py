"""Figure 9.9: multiple, overlapping grid-tilings on a limited two-dimensional space.

Four tilings of 4 x 4 tiles, each offset by a quarter of a tile in each dimension. Each state is in one tile of each tiling, so that
always exactly four features are active; where tiles of different tilings overlap, states are told apart four times as finely along each
dimension.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count
from rlcourse.features import Tiles
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

STATE = (0.6, 0.47)


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    tilings: Count = 4
    tiles: Count = 4  # along each dimension
    points: Count = 96  # along each dimension, where features are looked at


FAST: dict[str, Any] = {"points": 48}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return coordinates [P], the active features [P, P, tilings], those of the marked state [tilings], the number of features."""
    tiles = Tiles.of([0.0, 0.0], [1.0, 1.0], settings.tiles, settings.tilings, displacement=(1, 1))
    line = (np.arange(settings.points) + 0.5) / settings.points
    return {
        "s": line,
        "active": np.array([[tiles.x((a, b)) for b in line] for a in line]),
        "marked": tiles.x(STATE),
        "size": np.array(tiles.size),
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the space with all tilings around it and the active tiles; beside it, how many tiles each state shares with the marked one."""
    from matplotlib.patches import Rectangle

    figure.set_size_inches(9.4, 4.6)
    left, right = figure.subplots(1, 2)
    n, m = settings.tilings, settings.tiles
    for t in range(n):
        low, color = -t / (n * m), style.COLORS[t % len(style.COLORS)]
        for i in range(m + 2):
            at = low + i / m
            left.plot([at, at], [low, low + (m + 1) / m], color=color, linewidth=0.9)
            left.plot([low, low + (m + 1) / m], [at, at], color=color, linewidth=0.9)
        corner = (low + np.floor((STATE[0] - low) * m) / m, low + np.floor((STATE[1] - low) * m) / m)
        left.add_patch(Rectangle(corner, 1 / m, 1 / m, facecolor=color, edgecolor=color, alpha=0.25, linewidth=2))
    left.add_patch(Rectangle((0, 0), 1, 1, fill=False, edgecolor=style.INK, linewidth=2.4))
    left.set_title(f"{n} tilings, offset by 1/{n} of a tile", fontsize=10.5, color=style.INK)
    shared = (data["active"] == data["marked"]).sum(axis=-1)
    image = right.imshow(shared.T, origin="lower", extent=(0, 1, 0, 1), cmap="Blues", vmin=0, vmax=n)
    right.set_title("tiles shared with the marked state", fontsize=10.5, color=style.INK)
    for axes in (left, right):
        axes.plot(*STATE, "o", color="black", markersize=5)
        axes.set(aspect="equal", xticks=[], yticks=[], frame_on=False)
    figure.colorbar(image, ax=right, shrink=0.7, ticks=range(n + 1))


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Section 9.5.4 says of tilings."""
    n, m, active = settings.tilings, settings.tiles, data["active"]
    per_tiling = int(data["size"]) // n
    first = active[..., 0].reshape(-1)
    codes = {tuple(code) for code in active.reshape(-1, n).tolist()}
    along = len({tuple(code) for code in active[:, 0].tolist()})
    shared = (active == data["marked"]).sum(axis=-1)
    near = (np.abs(data["s"] - STATE[0]) < 1 / m)[:, None] & (np.abs(data["s"] - STATE[1]) < 1 / m)[None, :]
    return [
        true(
            "each state is in exactly one tile of each tiling",
            np.array_equal(active // per_tiling, np.broadcast_to(np.arange(n), active.shape)),
        ),
        true(f"the tiling that is not offset has {m} x {m} tiles in the space, the whole of them", len(set(first.tolist())) == m * m),
        equal("a tiling has one more tile along each dimension, to cover the space when it is offset", per_tiling, (m + 1) ** 2),
        equal(f"along a dimension {n} tilings tell {n * m} places apart, one alone {m}", along, n * m),
        true("and more states than all tiles are features", len(codes) > int(data["size"]), f"{len(codes)} of {data['size']}"),
        true("a state a tile or more away shares nothing", int(shared[~near].max()) == 0),
        true(
            "the marked state shares all its tiles with some neighbour, and fewer with others",
            set(range(n + 1)) <= set(shared.reshape(-1).tolist()),
        ),
    ]
