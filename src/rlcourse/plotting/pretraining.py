"""Pictures of pre-training: how the loss falls, and observations beside what the decoder makes of their codes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from rlcourse.plotting.curves import BLUE, COLORS, GREEN, ORANGE
from rlcourse.plotting.pictures import save

__all__ = ["loss_curve", "picture_of", "reconstructions", "tiles"]


def loss_curve(path: Path, title: str, epochs: Sequence[Any]) -> None:
    """Draw the loss on the data and on what was held out, and below the accuracy where there is one.

    Parameters
    ----------
    path : Path
        PNG to write.
    title : str
    epochs : sequence of Epoch
    """
    classified = epochs[0].accuracy is not None
    figure = Figure(figsize=(6.4, 4.6 if classified else 3.6), layout="constrained")
    panels = figure.subplots(2 if classified else 1, 1, sharex=True, squeeze=False)[:, 0]
    numbers = [epoch.number for epoch in epochs]
    marker = "o" if len(numbers) < 40 else ""
    panels[0].plot(numbers, [epoch.train for epoch in epochs], color=BLUE, marker=marker, markersize=3.5, label="while learning")
    panels[0].plot(numbers, [epoch.test for epoch in epochs], color=ORANGE, marker=marker, markersize=3.5, label="held out")
    panels[0].set_title(title, loc="left", fontsize=11, fontweight="bold")
    panels[0].set_ylabel("loss")
    panels[0].legend(frameon=False, fontsize=8.5)
    if classified:
        panels[1].plot(numbers, [epoch.accuracy for epoch in epochs], color=GREEN, marker=marker, markersize=3.5)
        panels[1].set_ylabel("accuracy, held out")
        panels[1].set_ylim(0, 1.03)
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#e4e4de", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.xaxis.get_major_locator().set_params(integer=True)
    panels[-1].set_xlabel("epoch")
    save(figure, path)


def reconstructions(path: Path, title: str, rows: Sequence[tuple[str, np.ndarray]]) -> None:
    """Draw observations, and below each what became of it.

    Parameters
    ----------
    path : Path
    title : str
    rows : sequence of (label, observations)
        Images [N, C, H, W] of [0, 1], or vectors [N, numbers], the same N in each row.
    """
    if rows[0][1].ndim == 2:
        _against(path, title, rows)
        return
    figure = Figure(figsize=(8.6, 0.45 + 0.83 * len(rows)), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    panels = figure.subplots(len(rows), 1, squeeze=False)[:, 0]
    for axes, (label, batch) in zip(panels, rows, strict=True):
        axes.imshow(tiles(batch, len(batch)), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axes.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=9)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    save(figure, path)


def _against(path: Path, title: str, rows: Sequence[tuple[str, np.ndarray]]) -> None:
    """Draw decoded numbers against those that were seen, each in its deviations from its mean."""
    seen, decoded = rows[0][1], rows[-1][1]
    mean, scale = seen.mean(0), seen.std(0) + 1e-9
    figure = Figure(figsize=(4.6, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for i in range(seen.shape[1]):
        label = f"number {i}" if seen.shape[1] <= 8 else None
        axes.plot((seen[:, i] - mean[i]) / scale[i], (decoded[:, i] - mean[i]) / scale[i], ".", color=COLORS[i % 8], alpha=0.5, label=label)
    axes.axline((0, 0), slope=1, color="#8a8a85", linestyle="--", linewidth=1)
    axes.set_title(title, loc="left", fontsize=10, fontweight="bold")
    axes.set_xlabel("seen, in deviations")
    axes.set_ylabel("decoded")
    axes.spines[["top", "right"]].set_visible(False)
    if seen.shape[1] <= 8:
        axes.legend(frameon=False, fontsize=8)
    save(figure, path)


def picture_of(image: np.ndarray) -> np.ndarray:
    """Return an image [C, H, W] as it is shown: grey [H, W] of one channel, colour [H, W, 3] of three, the mean of others."""
    return np.clip(np.moveaxis(image, 0, -1), 0, 1) if len(image) == 3 else image[0] if len(image) == 1 else image.mean(0)


def tiles(images: np.ndarray, columns: int, gap: int = 1, blank: float = 0.85) -> np.ndarray:
    """Return images [N, C, H, W] as one picture, in rows of so many, with a light gap between them."""
    pictures = [picture_of(image) for image in images]
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    whole = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, *pictures[0].shape[2:]), blank)
    for i, picture in enumerate(pictures):
        y, x = (height + gap) * (i // columns), (width + gap) * (i % columns)
        whole[y : y + height, x : x + width] = picture
    return whole
