"""Figure 9.4: six two-dimensional Fourier cosine features.

x(s) = cos(pi c . s) on the unit square, for c = (0, 1), (1, 0), (1, 1), (0, 5), (2, 5), (5, 2). Where an entry of c is zero the feature
does not change along that coordinate; where neither is, it says something about how the two go together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count
from rlcourse.features import Fourier
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

SHOWN = ((0, 1), (1, 0), (1, 1), (0, 5), (2, 5), (5, 2))


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    points: Count = 121  # along each coordinate


FAST: dict[str, Any] = {"points": 61}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return the grid's coordinates [P], and the features there [6, P, P], over s_1 and s_2."""
    features = Fourier.of([0.0, 0.0], [1.0, 1.0], c=SHOWN)
    line = np.linspace(0.0, 1.0, settings.points)
    x = np.array([[features.x((a, b)) for b in line] for a in line])
    return {"s": line, "x": np.moveaxis(x, -1, 0)}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw a panel for each feature, as the book does, in grey: white is 1, black is -1."""
    figure.set_size_inches(8.6, 6.0)
    for c, x, axes in zip(SHOWN, data["x"], figure.subplots(2, 3).flat, strict=True):
        image = axes.imshow(x.T, origin="lower", extent=(0, 1, 0, 1), cmap="gray", vmin=-1, vmax=1, interpolation="bilinear")
        axes.set_title(f"c = ({c[0]}, {c[1]})", fontsize=10.5, color=style.INK)
        axes.set_xlabel("$s_1$")
        axes.set_ylabel("$s_2$", rotation=0)
        axes.set_xticks([0, 1])
        axes.set_yticks([0, 1])
    figure.colorbar(image, ax=figure.axes, shrink=0.6, ticks=[-1, 0, 1])


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the figure shows, exactly."""
    x = data["x"]
    corners = x[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    signs = np.array([[1, (-1) ** b, (-1) ** a, (-1) ** (a + b)] for a, b in SHOWN])
    along = [tuple(int(np.count_nonzero(np.diff(np.sign(row)))) for row in (x[i][:, 0], x[i][0])) for i in range(6)]
    flat = [float(np.ptp(x[i], axis=axis).max()) for i, axis in ((0, 0), (3, 0), (1, 1))]
    s1, s2 = np.meshgrid(data["s"], data["s"], indexing="ij")
    waves = np.cos(np.pi * s1) * np.cos(np.pi * s2) - np.sin(np.pi * s1) * np.sin(np.pi * s2)
    return [
        equal("at the corners each feature is 1 or -1, by the parity of c . s", float(np.abs(corners - signs).max()), 0.0, 1e-12),
        true("along each edge a feature crosses zero as often as its entry of c says", along == list(SHOWN), str(along)),
        equal("a feature with a zero in c is constant along that coordinate", max(flat), 0.0, 1e-12),
        equal("(5, 2) is (2, 5) with the coordinates exchanged", float(np.abs(x[5] - x[4].T).max()), 0.0, 1e-12),
        true("(1, 1) is an interaction, no function of one coordinate", min(np.ptp(x[2], axis=a).max() for a in (0, 1)) > 1.9),
        equal("(1, 1) is constant along s_1 + s_2", float(np.abs(x[2] - waves).max()), 0.0, 1e-12),
    ]
