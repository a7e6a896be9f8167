"""How figures look: colours, curves with intervals, tables of values with arrows, surfaces; matplotlib's Figure, no display needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

__all__ = ["COLORS", "GREY", "INK", "curve", "finish", "grid", "log2_axis", "new_figure", "panel", "reference", "surface"]

INK, GREY, LIGHT = "#282c34", "#8a8a85", "#e4e4de"
COLORS = ("#3465a4", "#de781f", "#4e8c50", "#a43434", "#7a5195", "#1f9c9c", "#b08f26", "#8a8a85", "#d45087", "#282c34")


def new_figure() -> Figure:
    """Return an empty figure; `draw` sets its size where it needs another one."""
    return Figure(figsize=(7.2, 4.4), layout="constrained")


def finish(figure: Figure, footer: str) -> None:
    """Write the line below the picture that says how it was made."""
    engine: Any = figure.get_layout_engine()
    height = 0.24 / figure.get_size_inches()[1]
    engine.set(rect=(0.005, height, 0.99, 1 - height - 0.005))
    figure.text(0.012, 0.25 * height, footer, fontsize=7.5, color=GREY, va="bottom")


def panel(axes: Any, title: str = "", x: str = "", y: str = "") -> Any:
    """Give axes their title, labels and the common look; return them."""
    if title:
        axes.set_title(title, loc="left", fontsize=10.5, fontweight="bold", color=INK)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=LIGHT, linewidth=0.8)
    axes.set_axisbelow(True)
    return axes


def curve(axes: Any, x: Any, samples: Any, label: str = "", color: Any = None, interval: bool = True, **style: Any) -> None:
    """Draw the mean of samples [runs, points] over x [points], and its 95 % interval as a band.

    One row is drawn as it is.
    """
    rows = np.atleast_2d(samples)
    center = rows.mean(axis=0)
    (line,) = axes.plot(x, center, label=label or None, color=color, **{"linewidth": 1.6, **style})
    if interval and len(rows) > 1:
        half = 1.96 * rows.std(axis=0, ddof=1) / np.sqrt(len(rows))
        axes.fill_between(x, center - half, center + half, color=line.get_color(), alpha=0.22, linewidth=0)


def reference(axes: Any, y: float, label: str, side: str = "right", above: bool = True) -> None:
    """Draw a dashed horizontal line with its name on it, readable on curves too: an exact value."""
    axes.axhline(y, color=GREY, linestyle="--", linewidth=1)
    low, high = (0.01, "left") if side == "left" else (0.99, "right")
    axes.annotate(
        label, (low, y), (0, 3 if above else -3), xycoords=("axes fraction", "data"), textcoords="offset points", ha=high,
        va="bottom" if above else "top", fontsize=8, color=GREY, bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.5},
    )  # fmt: skip


def log2_axis(axes: Any, exponents: Sequence[int]) -> None:
    """Make x logarithmic with ticks at powers of two, written as the book does: 1/128 ... 1/2, 1, 2, 4."""
    axes.set_xscale("log", base=2)
    axes.set_xticks([2.0**k for k in exponents], [f"1/{2**-k}" if k < 0 else str(2**k) for k in exponents])
    axes.minorticks_off()


def grid(
    axes: Any,
    values: np.ndarray | None = None,
    *,
    shape: tuple[int, int],
    texts: Any = None,
    arrows: np.ndarray | None = None,
    moves: Sequence[tuple[float, float]] = ((0, -1), (1, 0), (0, 1), (-1, 0)),
    shade: bool = True,
    size: float = 9.0,
    title: str = "",
) -> Any:
    """Draw a grid of cells.

    Parameters
    ----------
    axes : Axes
    values : ndarray, shape [rows * columns] or [rows, columns], optional
        Shade, and text of one decimal where `texts` is None; nan stays blank.
    shape : (rows, columns)
    texts : sequence of str, optional
        What is written instead of the values; "" for none.
    arrows : ndarray of bool, shape [rows * columns, A], optional
        Actions drawn as arrows: all of them, so ties are seen.
    moves : sequence of (dx, dy)
        Direction of each action; y grows downwards.
    shade : bool
    size : float
        Of the text, points.
    title : str

    Returns
    -------
    The image, for a colour bar, or None.
    """
    rows, columns = shape
    image = None
    if values is not None and shade:
        image = axes.imshow(np.reshape(values, shape), cmap=_warm(), aspect="equal")
    axes.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5), aspect="equal")
    axes.set_xticks(np.arange(-0.5, columns), [""] * (columns + 1))
    axes.set_yticks(np.arange(-0.5, rows), [""] * (rows + 1))
    axes.tick_params(length=0)
    axes.grid(color=GREY, linewidth=0.6)
    axes.set_title(title, fontsize=10.5, loc="left", fontweight="bold", color=INK)
    for s in range(rows * columns):
        y, x = divmod(s, columns)
        value = None if values is None else float(np.ravel(values)[s])
        text = texts[s] if texts is not None else "" if value is None or np.isnan(value) else f"{value:.1f}"
        if text:
            axes.text(x, y, text, ha="center", va="center", fontsize=size, color=INK)
        for a in np.flatnonzero(arrows[s]) if arrows is not None else ():
            dx, dy = moves[int(a)]
            axes.annotate(
                "", (x + 0.38 * dx, y + 0.38 * dy), (x + 0.06 * dx, y + 0.06 * dy),
                arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 8},
            )  # fmt: skip
    return image


def surface(axes: Any, x: np.ndarray, y: np.ndarray, z: np.ndarray, title: str = "", labels: tuple[str, str, str] = ("", "", "")) -> None:
    """Draw a function of two variables z [len(y), len(x)] as a surface; axes have projection="3d"."""
    X, Y = np.meshgrid(x, y)
    axes.plot_surface(X, Y, z, cmap=_warm(), edgecolor=INK, linewidth=0.25, antialiased=True, rcount=len(y), ccount=len(x))
    axes.set_title(title, fontsize=10, color=INK)
    axes.set_xlabel(labels[0], fontsize=8.5)
    axes.set_ylabel(labels[1], fontsize=8.5)
    axes.set_zlabel(labels[2], fontsize=8.5)
    axes.tick_params(labelsize=7.5)


def _warm() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("warm", ["#faf9f5", "#f1dcb8", "#dba558"])
