"""Pictures of what a network has learned: filters, feature maps, codes, saliency, memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from rlcourse.plotting.curves import BLUE, GREY, ORANGE
from rlcourse.plotting.pictures import save
from rlcourse.plotting.pretraining import picture_of

__all__ = ["draw_codes", "draw_filters", "draw_maps", "draw_memory", "draw_probe", "draw_saliency", "draw_weights"]

_BOTH = "RdBu_r"  # negative to positive
_MOST = 64  # filters or maps in a picture


def draw_filters(path: Path, title: str, weights: np.ndarray) -> None:
    """Draw filters [units, C, h, w]: red is positive, blue negative, each on its own scale; of three channels the colours."""
    shown = weights[:_MOST]
    columns = min(16, max(4, round(len(shown) ** 0.5 * 1.4)))
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(max(4.6, 0.62 * columns + 0.2), 0.62 * rows + 0.7), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=10.5, fontweight="bold")
    for axes, weight in zip(_blank(figure, rows, columns), shown, strict=False):
        bound = np.abs(weight).max() + 1e-12
        if len(weight) == 3:
            axes.imshow(np.moveaxis(0.5 + 0.5 * weight / bound, 0, -1), interpolation="nearest")
        else:
            mean = weight.mean(0)
            bound = np.abs(mean).max() + 1e-12
            axes.imshow(mean, cmap=_BOTH, vmin=-bound, vmax=bound, interpolation="nearest")
    save(figure, path)


def draw_weights(path: Path, title: str, weights: np.ndarray) -> None:
    """Draw the weights of a layer that sees a vector, [units, inputs], units in the order of their largest weight's input."""
    order = np.lexsort((-np.abs(weights).max(1), np.abs(weights).argmax(1)))
    figure = Figure(figsize=(7.2, min(6.0, 1.4 + 0.28 * weights.shape[1])), layout="constrained")
    axes = figure.add_subplot()
    bound = np.abs(weights).max() + 1e-12
    image = axes.imshow(weights[order].T, cmap=_BOTH, vmin=-bound, vmax=bound, aspect="auto", interpolation="nearest")
    axes.set_title(title, loc="left", fontsize=10.5, fontweight="bold")
    axes.set_xlabel("unit, in the order of the input that it weighs most")
    axes.set_ylabel("input")
    if weights.shape[1] <= 12:
        axes.set_yticks(range(weights.shape[1]))
    figure.colorbar(image, ax=axes, label="weight", shrink=0.9)
    save(figure, path)


def draw_maps(path: Path, title: str, seen: np.ndarray, layers: list[Any]) -> None:
    """Draw an observation [C, H, W] and what each layer makes of it: the maps of a layer on one scale, black is nothing."""
    columns = 16
    rows = [-(-min(len(layer.maps), _MOST) // columns) for layer in layers]
    figure = Figure(figsize=(9.6, 1.5 + sum(0.56 * count + 0.42 for count in rows)), layout="constrained")
    divided: Any = figure.subfigures(1 + len(layers), 1, height_ratios=[1.5, *(0.56 * count + 0.42 for count in rows)])
    top, *parts = divided
    top.suptitle(title, x=0.01, ha="left", fontsize=10.5, fontweight="bold")
    (axes,) = _blank(top, 1, 1)
    axes.imshow(picture_of(seen), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    for part, layer, count in zip(parts, layers, rows, strict=True):
        part.suptitle(f"{layer.name}: {layer.maps.shape[1]} x {layer.maps.shape[2]}", x=0.01, ha="left", fontsize=9)
        low, high = min(0.0, float(layer.maps.min())), float(layer.maps.max()) + 1e-12
        for axes, each in zip(_blank(part, count, columns), layer.maps[:_MOST], strict=False):
            axes.imshow(each, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
    save(figure, path)


def draw_codes(path: Path, title: str, codes: Any) -> None:
    """Draw features in two dimensions, coloured by value."""
    figure = Figure(figsize=(6.2, 4.8), layout="constrained")
    axes = figure.add_subplot()
    points = axes.scatter(codes.points[:, 0], codes.points[:, 1], c=codes.values, s=9, cmap="viridis", alpha=0.8, linewidths=0)
    axes.set_title(title, loc="left", fontsize=10.5, fontweight="bold")
    axes.set_xlabel(f"first component, {codes.explained[0]:.0%} of the variance")
    axes.set_ylabel(f"second component, {codes.explained[1]:.0%}")
    axes.spines[["top", "right"]].set_visible(False)
    figure.colorbar(points, ax=axes, label="value")
    save(figure, path)


def draw_saliency(path: Path, title: str, saliency: Any) -> None:
    """Draw each observation, its saliency by gradient and by perturbation, and both with all weights drawn anew."""
    rows = [
        ("seen", None),
        ("gradient", saliency.gradient),
        ("perturbation", saliency.perturbation),
        (f"gradient,\nweights redrawn\n{_rho(saliency, 'gradient')}", saliency.gradient_redrawn),
        (f"perturbation,\nweights redrawn\n{_rho(saliency, 'perturbation')}", saliency.perturbation_redrawn),
    ]
    if saliency.gradient.ndim != 3:
        _draw_bars(path, title, saliency)
        return
    K = len(saliency.seen)
    figure = Figure(figsize=(1.55 * K + 1.3, 1.5 * len(rows) + 0.4), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=10.5, fontweight="bold")
    panels = figure.subplots(len(rows), K, squeeze=False)
    for row, (label, maps) in zip(panels, rows, strict=True):
        for k, axes in enumerate(row):
            grey = picture_of(saliency.seen[k])
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_color("#c8c8c0")
            if maps is None:
                axes.imshow(grey, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
                continue
            axes.imshow(maps[k], cmap="inferno", vmin=0, vmax=maps[k].max() + 1e-12, interpolation="nearest")
            for top, bottom, left, right in saliency.boxes[k] if saliency.boxes else ():
                ring = [
                    [left - 0.5, right - 0.5, right - 0.5, left - 0.5, left - 0.5],
                    [top - 0.5, top - 0.5, bottom - 0.5, bottom - 0.5, top - 0.5],
                ]
                axes.plot(*ring, color="#ffffff", linewidth=0.8)
            axes.set_xlim(-0.5, maps.shape[2] - 0.5)
            axes.set_ylim(maps.shape[1] - 0.5, -0.5)
        row[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=9)
    save(figure, path)


def _draw_bars(path: Path, title: str, saliency: Any) -> None:
    """Draw the saliency of the numbers of a vector, the mean over observations, each measure in its largest."""
    figure = Figure(figsize=(7.2, 3.6), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=10.5, fontweight="bold")
    for axes, name in zip(figure.subplots(1, 2, sharey=True), ("gradient", "perturbation"), strict=True):
        trained, redrawn = (getattr(saliency, each).reshape(len(saliency.seen), -1).mean(0) for each in (name, f"{name}_redrawn"))
        places = np.arange(len(trained))
        axes.barh(places - 0.19, trained / (trained.max() + 1e-12), 0.36, color=BLUE, label="trained")
        axes.barh(places + 0.19, redrawn / (redrawn.max() + 1e-12), 0.36, color=GREY, label="weights drawn anew")
        axes.set_title(f"{name}, {_rho(saliency, name)}", loc="left", fontsize=9.5)
        axes.set_xlabel("share of the largest")
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_ylim(len(trained) - 0.5, -0.5)
        if len(trained) <= 20:
            axes.set_yticks(places)
    figure.axes[0].set_ylabel("input")
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", frameon=False, fontsize=8.5, ncols=2)
    save(figure, path)


def _rho(saliency: Any, name: str) -> str:
    value = saliency.correlations[name]
    return f"ρ = {value:.2f}" if np.isfinite(value) else "ρ undefined"


def draw_memory(path: Path, title: str, traces: np.ndarray, starts: np.ndarray, gates: dict[str, np.ndarray]) -> None:
    """Draw the state of a memory over time [T, units], units in the order of their mean, and how saturated its gates are, if it has any."""
    figure = Figure(figsize=(9.6, 5.4), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=10.5, fontweight="bold")
    divided: Any = figure.subfigures(2, 1, height_ratios=(1.5, 1)) if gates else (figure, None)
    above, below = divided
    axes = above.add_subplot()
    bound = np.abs(traces).max() + 1e-12
    image = axes.imshow(
        traces[:, np.argsort(traces.mean(0))].T, cmap=_BOTH, vmin=-bound, vmax=bound, aspect="auto", interpolation="nearest"
    )
    for start in np.flatnonzero(starts[1:]) + 1:
        axes.axvline(start - 0.5, color="#282c34", linewidth=0.9)
    axes.set_xlabel("step; a line where an episode begins")
    axes.set_ylabel("unit, in the order\nof its mean")
    above.colorbar(image, ax=axes, label="state")
    panels = below.subplots(1, len(gates), sharex=True, sharey=True, squeeze=False)[0] if gates else ()
    for panel, (name, shares) in zip(panels, gates.items(), strict=True):
        panel.plot(shares[:, 0], shares[:, 1], "o", color=BLUE, alpha=0.55, markersize=4, markeredgewidth=0)
        panel.plot([0, 1], [1, 0], color=GREY, linewidth=0.8, linestyle="--")
        panel.set_title(f"{name} gate", loc="left", fontsize=9.5)
        panel.set_xlabel("share of steps below 0.1", fontsize=8.5)
        panel.set(xlim=(-0.04, 1.04), ylim=(-0.04, 1.04))
        panel.spines[["top", "right"]].set_visible(False)
    if gates:
        below.axes[0].set_ylabel("share above 0.9", fontsize=8.5)
    save(figure, path)


def draw_probe(path: Path, title: str, probes: list[Any]) -> None:
    """Draw how well each fact is read from the memory, and from one observation."""
    figure = Figure(figsize=(6.4, 1.3 + 0.5 * len(probes)), layout="constrained")
    axes = figure.add_subplot()
    places = np.arange(len(probes))
    for offset, name, color in ((-0.19, "memory", BLUE), (0.19, "observation", ORANGE)):
        scores = np.array([getattr(each, name) for each in probes])
        axes.barh(places + offset, np.maximum(scores, 0.0), 0.36, color=color, label=f"from the {name}")
        for y, score in zip(places + offset, scores, strict=True):
            axes.text(max(score, 0.0) + 0.01, y, f"{score:.2f}", va="center", fontsize=8)
    axes.set_yticks(places, [f"{each.name}, {'R²' if each.measure == 'R2' else each.measure}" for each in probes])
    axes.set_ylim(len(probes) - 0.5, -0.5)
    axes.set_xlim(0, 1.12)
    axes.set_title(title, loc="left", fontsize=10.5, fontweight="bold")
    axes.set_xlabel("on copies of which nothing was fitted")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", frameon=False, fontsize=8.5, ncols=2)
    save(figure, path)


def _blank(figure: Any, rows: int, columns: int) -> list[Any]:
    """Return axes without ticks and frames."""
    panels = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for axes in panels:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    return panels
