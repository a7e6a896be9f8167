"""The picture of docs/features.md: how each kind of features generalises.

    python docs/build_features.py            # rewrite docs/images/features.png
    python docs/build_features.py --check    # exit with 3 where it is out of date

In a square, with a plus where a state was updated: the change of the value of every state, x(s) . x(plus), as a share of that at the plus.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from gymnasium.spaces import Box
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from rlcourse.features import Dense, make
from rlcourse.figures.style import INK

PICTURE = Path(__file__).resolve().parent / "images/features.png"
SHOWN = (
    ("aggregate:6", "groups"),
    ("tiles:8x4", "8 tilings"),
    ("hashed:8x4:120", "a table too small"),
    ("coarse:9:0.2", "receptive fields"),
    ("rbf:7:0.12", "bumps"),
    ("fourier:5", "cosines"),
    ("poly:5", "powers"),
    ("vector", "the state itself"),
)
PLUS, POINTS = (0.36, 0.62), 90


def picture() -> np.ndarray:
    """Return the picture, uint8 [height, width, 4]."""
    space, line = Box(0, 1, (2,), np.float64), (np.arange(POINTS) + 0.5) / POINTS
    figure = Figure(figsize=(9.2, 5.2), layout="constrained", dpi=110)
    for axes, (text, meaning) in zip(figure.subplots(2, 4).flat, SHOWN, strict=True):
        features = Dense.of(make(text, space))
        X = np.array([[features.x((a, b)) for b in line] for a in line])
        plus = features.x(PLUS)
        change = X @ plus / (plus @ plus)
        image = axes.imshow(change.T, origin="lower", extent=(0, 1, 0, 1), cmap="RdBu_r", vmin=-1, vmax=1)
        axes.plot(*PLUS, "+", color="black", markersize=8, markeredgewidth=1.5)
        axes.set_title(f"{text}\n{meaning}, {features.size} features", fontsize=9, color=INK)
        axes.set(xticks=[], yticks=[])
    figure.colorbar(image, ax=figure.axes, shrink=0.6, ticks=[-1, 0, 1], label="change of the value")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def main() -> int:
    """Write the picture, or check it."""
    made = picture()
    if "--check" in sys.argv:
        same = PICTURE.is_file() and np.array_equal(np.asarray(Image.open(PICTURE).convert("RGBA")), made)
        print("up to date" if same else f"{PICTURE} is out of date: python docs/build_features.py")
        return 0 if same else 3
    Image.fromarray(made).save(PICTURE, optimize=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
