"""Figure 2.5: the gradient bandit with and without a reward baseline on the 10-armed testbed.

The true values are drawn around +4 instead of 0. With the average reward as baseline the algorithm adapts at once to the new level, on
which nothing depends; without it, any arm that is taken looks good, and performance suffers a good deal. Step sizes 0.1 and 0.4. The
average is over all rewards up to and with the present one. That the level has no effect is checked on the same problems around 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, mean
from rlcourse.figures.experiment import Lab
from rlcourse.figures.testbed import ahead, compare, curves, during, gradient

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

LABELS = ("α = 0.1 with baseline", "α = 0.4 with baseline", "α = 0.1 without", "α = 0.4 without")


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 2000  # problems
    steps: Count = 1000  # pulls in each
    mean: float = 4.0  # of the true values


FAST = {"runs": 600}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return shares of optimal actions [4, batches, steps]; those of the first method around 0 and around the mean [2, batches, steps]."""
    methods = [gradient(0.1), gradient(0.4), gradient(0.1, False), gradient(0.4, False)]
    optimal = compare(lab, methods, settings.runs, settings.steps, mean=settings.mean)["optimal"]
    levels = [compare(lab, methods[:1], max(settings.runs // 10, 2), settings.steps, mean=m)["optimal"][0] for m in (0.0, settings.mean)]
    return {"optimal": optimal, "levels": np.array(levels)}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw % optimal action over the steps."""
    blue, orange = style.COLORS[:2]
    axes = curves(figure.subplots(), data["optimal"], ("",) * 4, "% optimal action", (blue, blue, orange, orange))
    for i, (name, color) in enumerate(zip(LABELS, (blue, blue, orange, orange), strict=True)):
        height = 100 * data["optimal"][i].mean(axis=0)[int(0.62 * settings.steps) :].mean()
        axes.annotate(name, (0.64 * settings.steps, height - (4.5 if i == 1 else -3.5)), fontsize=9, color=color, va="center")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Section 2.8 says of the figure."""
    small, large, small_without, large_without = data["optimal"]
    last = (settings.steps - 19, settings.steps)
    return [
        ahead("with α = 0.1, performance suffers without the baseline", small, small_without, *last),
        ahead("with α = 0.4 too", large, large_without, *last),
        ahead("the larger step size is faster at first", large, small, 20, 60),
        ahead("and ends lower", small, large, *last),
        ahead("without the baseline a large step size is worse still", small_without, large_without, *last),
        equal("with the baseline α = 0.1 ends at 85 %", during(small, *last), 0.855, 0.02),
        equal("with the baseline α = 0.4 ends at 74 %", during(large, *last), 0.74, 0.02),
        equal("without it α = 0.1 ends at 49 %", during(small_without, *last), 0.49, 0.02),
        equal("without it α = 0.4 ends at 28 %", during(large_without, *last), 0.28, 0.02),
        equal(
            "with the baseline the level of the rewards has no effect",
            mean(np.abs(np.diff(data["levels"].mean(axis=2), axis=0)[0])),
            0.0,
            1e-6,
        ),
    ]
