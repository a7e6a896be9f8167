"""Figure 9.7: generalisation in coarse coding is determined by the fields' size and shape.

Narrow discs, broad discs and long ellipses, as many fields in each panel, on a grid but each moved a little at random. Below is what one
update at the marked state does to the values of all others: each field that holds the state adds its weight wherever it reaches. The book
draws fields alone; their number and sizes are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count
from rlcourse.core.linear import add, v_hat
from rlcourse.features import CoarseCoding, grid
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

SHAPES = {"narrow": (0.1, 0.1), "broad": (0.25, 0.25), "asymmetric": (0.06, 0.3)}  # radii along both coordinates
STATE = (0.5, 0.5)


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    fields: Count = 16  # along each coordinate
    points: Count = 51  # where values are shown, along each coordinate


FAST: dict[str, Any] = {"points": 25}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return the grid's coordinates [P], changes of values by an update [3, P, P], fields that hold the state [3], centres [d, 2]."""
    centres = grid([-0.2, -0.2], [1.2, 1.2], settings.fields)
    centres = centres + 0.02 * lab.rng(0).standard_normal(centres.shape)
    line = np.linspace(0.0, 1.0, settings.points)
    changes, held = [], []
    for radius in SHAPES.values():
        features = CoarseCoding.of(centres, radius)
        w, x = np.zeros(features.size), features.x(STATE)
        held.append(np.count_nonzero(x >= 0))
        add(w, 1.0 / held[-1], x)
        changes.append([[v_hat(features.x((a, b)), w) for b in line] for a in line])
    return {"s": line, "change": np.array(changes), "held": np.array(held), "centres": centres}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the fields that hold the state, dark, among the others; below them the change of all values."""
    from matplotlib.patches import Ellipse

    figure.set_size_inches(9.0, 6.2)
    panels = figure.subplots(2, 3)
    for i, (name, radius) in enumerate(SHAPES.items()):
        top, bottom = panels[:, i]
        for centre in data["centres"]:
            inside = float((((np.array(STATE) - centre) / radius) ** 2).sum()) <= 1
            color, width = (style.COLORS[0], 1.3) if inside else (style.GREY, 0.35)
            top.add_patch(Ellipse(centre, 2 * radius[0], 2 * radius[1], fill=False, edgecolor=color, linewidth=width))
        top.set_title(f"{name}: {data['held'][i]} fields hold the state", fontsize=10, color=style.INK)
        image = bottom.imshow(data["change"][i].T, origin="lower", extent=(0, 1, 0, 1), cmap="Blues", vmin=0, vmax=1)
        for axes in (top, bottom):
            axes.plot(*STATE, "+", color="black", markersize=9, markeredgewidth=1.6)
            axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xticks=[], yticks=[])
    panels[1, 0].set_ylabel("change of the value", color=style.INK)
    figure.colorbar(image, ax=panels[1].tolist(), shrink=0.8, ticks=[0, 0.5, 1])


def spread(change: np.ndarray, line: np.ndarray) -> tuple[float, float]:
    """Return the standard deviation of a change along each coordinate, weighed by it."""
    s = line - 0.5
    weights = change / change.sum()
    return float(np.sqrt((weights.sum(axis=1) * s * s).sum())), float(np.sqrt((weights.sum(axis=0) * s * s).sum()))


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Section 9.5.3 says of fields."""
    change, line = data["change"], data["s"]
    middle, shared = len(line) // 2, change * data["held"][:, None, None]
    narrow, broad, long = (spread(each, line) for each in change)
    outside = []
    for each, radius in zip(change, SHAPES.values(), strict=True):
        a, b = np.meshgrid(line - 0.5, line - 0.5, indexing="ij")
        outside.append(float(each[(a / (2 * radius[0])) ** 2 + (b / (2 * radius[1])) ** 2 > 1].max(initial=0.0)))
    return [
        equal("the update moves the marked state by the whole error", float(np.abs(change[:, middle, middle] - 1).max()), 0.0, 1e-9),
        true("nowhere does a value move more", change.max() <= 1 + 1e-9),
        true("a value moves by the share of the fields that it has in common with the marked one", np.allclose(shared, np.round(shared))),
        equal("beyond the reach of two radii nothing changes", max(outside), 0.0, 1e-12),
        less("broad fields generalise farther than narrow ones", 2 * narrow[0], broad[0]),
        less("long fields generalise farther along their length", 2.5 * long[0], long[1]),
        true("discs generalise alike in all directions", all(0.8 < a / b < 1.25 for a, b in (narrow, broad)), f"{narrow}, {broad}"),
    ]
