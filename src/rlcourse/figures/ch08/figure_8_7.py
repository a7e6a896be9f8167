"""Figure 8.7: expected against sample updates, in the same computation.

A state-action pair with b equally likely next states, whose values are taken to be right. An expected update costs b computations of
max_a' Q(s', a') and takes the error from 1 to 0; a sample update costs one, and after t of them, with sample averages, the
root-mean-square error is sqrt((b - 1) / (b t)). For large b a small share of one expected update removes most of the error. The
curves are this closed form; the dots check it: values of next states from N(0, 1), sample averages over so many runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, Estimate, equal, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

BRANCHES = (2, 10, 100, 1000, 10_000)
SHARES = np.linspace(0.0, 2.0, 401)  # computations in units of b


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 2000


FAST = {"runs": 400}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return shares [P]; per b the closed form [P], and times [T] with squared errors of simulated runs [runs, T]."""

    def simulated(b: int, rng: np.random.Generator, n: int) -> np.ndarray:
        times = _times(b)
        values = rng.standard_normal((n, b))
        samples = values[np.arange(n)[:, None], rng.integers(0, b, (n, times[-1]))]  # [runs, t]
        averages = np.cumsum(samples, axis=1)[:, times - 1] / times
        squares: np.ndarray = (averages - values.mean(axis=1, keepdims=True)) ** 2
        return squares

    data = {"share": SHARES}
    for b, squares in zip(BRANCHES, lab.study(simulated, BRANCHES, settings.runs), strict=True):
        t = np.maximum(SHARES * b, 1.0)
        data[f"sample_{b}"] = np.where(SHARES * b < 1.0, 1.0, np.sqrt((b - 1) / (b * t)))
        data[f"times_{b}"], data[f"squares_{b}"] = _times(b), squares
    return data


def _times(b: int) -> np.ndarray:
    """Return after how many sample updates the error is measured."""
    return np.unique(np.rint(b * np.array([1 / b, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 1.5, 2.0])).astype(int).clip(1))


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw error against computation, as the book does."""
    axes = style.panel(figure.subplots(), "", "number of max Q(s', a') computations", "RMS error in value estimate")
    axes.plot([0, 1, 1, 2], [1, 1, 0, 0], color=style.INK, linewidth=2.2, label="expected updates", clip_on=False)
    for i, b in enumerate(BRANCHES):
        axes.plot(data["share"], data[f"sample_{b}"], color=style.COLORS[i], linewidth=1.6, label=f"sample updates, b = {b:,}")
        error = np.sqrt(data[f"squares_{b}"].mean(axis=0))
        shown = (data[f"times_{b}"] / b >= 0.02) & (error <= 1.0)
        axes.plot(data[f"times_{b}"][shown] / b, error[shown], "o", color=style.COLORS[i], markersize=3.5, clip_on=False)
    axes.set(xlim=(0, 2), ylim=(0, 1))
    axes.set_xticks([0, 1, 2], ["0", "1b", "2b"])
    axes.set_yticks([0, 1])
    axes.legend(frameon=False, fontsize=8.5)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Section 8.5 says of the figure: the closed form at printed points, and that simulations agree."""
    found = []
    for b in BRANCHES:
        times, squares = data[f"times_{b}"], data[f"squares_{b}"]
        right = (b - 1) / (b * times)
        error = squares.std(axis=0, ddof=1) / np.sqrt(len(squares))
        off = np.abs(squares.mean(axis=0) - right) / error
        found.append(true(f"b = {b:,}: simulated sample averages agree with the closed form", off.max() < 4.0, f"{off.max():.1f} errors"))
    at = {(b, share): float(np.interp(share, SHARES, data[f"sample_{b}"])) for b in BRANCHES for share in (0.1, 1.0)}
    last = {b: Estimate(float(np.sqrt(data[f"squares_{b}"][:, -1].mean()))) for b in BRANCHES}
    return [
        *found,
        equal("b = 2: error 0.5 after b sample updates", at[2, 1.0], 0.5, 1e-12),
        equal("b = 10: error 0.3 after b sample updates", at[10, 1.0], 0.3, 1e-12),
        equal("b = 100: error 0.0995 after b sample updates", at[100, 1.0], 0.0995, 5e-5),
        equal("b = 1,000: error 0.0316 after b sample updates", at[1000, 1.0], 0.0316, 5e-5),
        equal("b = 10,000: error 0.0100 after b sample updates", at[10_000, 1.0], 0.01, 5e-5),
        true(
            "for b = 1,000 and more a tenth of an expected update's computation removes nine tenths of the error",
            max(at[1000, 0.1], at[10_000, 0.1]) <= 0.1,
            f"{at[1000, 0.1]:.4f}, {at[10_000, 0.1]:.4f} are left",
        ),
        true(
            "the more branches, the better sample updates are in the same computation",
            all(a.mean > b.mean for a, b in zip(list(last.values())[:-1], list(last.values())[1:], strict=True)),
            ", ".join(str(estimate) for estimate in last.values()),
        ),
    ]
