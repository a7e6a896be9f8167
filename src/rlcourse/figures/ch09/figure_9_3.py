"""Figure 9.3: one-dimensional Fourier cosine features.

x_i(s) = cos(i pi s) on [0, 1], i = 1 to 4: half of an even function of period 2, so that nothing has to be periodic on the interval
itself. With the constant x_0 they are orthogonal, and sums of them come as near to any continuous function as one likes.
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


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    order: Count = 4
    points: Count = 400  # of the curves


FAST: dict[str, Any] = {}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return states [P], features at them [P, order + 1], features at 0, 1/2 and 1 [3, order + 1], mean products [order + 1, order + 1]."""
    features = Fourier.of([0.0], [1.0], settings.order)
    states = np.linspace(0.0, 1.0, settings.points)
    middles = (np.arange(settings.points) + 0.5) / settings.points
    X = np.array([features.x((s,)) for s in middles])
    return {
        "s": states,
        "x": np.array([features.x((s,)) for s in states]),
        "marks": np.array([features.x((s,)) for s in (0.0, 0.5, 1.0)]),
        "products": X.T @ X / settings.points,
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw features 1 to the order, a panel each."""
    figure.set_size_inches(10.0, 2.7)
    for i, axes in enumerate(np.atleast_1d(figure.subplots(1, settings.order, sharey=True)), start=1):
        style.panel(axes, f"$x_{i}(s) = \\cos({'' if i == 1 else i}\\pi s)$", "s", "")
        axes.axhline(0.0, color=style.GREY, linewidth=0.8)
        axes.plot(data["s"], data["x"][:, i], color=style.COLORS[0], linewidth=1.8)
        axes.set_yticks([-1, 0, 1])
        axes.set_xticks([0, 0.5, 1], ["0", "½", "1"])


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Section 9.5.2 says of the basis."""
    x, i = data["x"], np.arange(settings.order + 1)
    crossings = np.count_nonzero(np.diff(np.sign(x), axis=0), axis=0)
    expected = np.where(i == 0, 1.0, 0.5)
    return [
        equal("every feature is 1 at s = 0", float(np.abs(data["marks"][0] - 1).max()), 0.0, 1e-12),
        equal("at s = 1 features are 1 and -1 in turn", float(np.abs(data["marks"][2] - (-1.0) ** i).max()), 0.0, 1e-12),
        equal("odd features are 0 in the middle", float(np.abs(data["marks"][1][1::2]).max()), 0.0, 1e-12),
        equal("even features mirror in the middle", float(np.abs(x[:, ::2] - x[::-1, ::2]).max()), 0.0, 1e-12),
        equal("odd features change their sign there", float(np.abs(x[:, 1::2] + x[::-1, 1::2]).max()), 0.0, 1e-12),
        true("feature i crosses zero i times", np.array_equal(crossings, i), str(crossings)),
        equal(
            "features are orthogonal, with mean squares 1, ½, ½, ...", float(np.abs(data["products"] - np.diag(expected)).max()), 0.0, 1e-9
        ),
    ]
