"""Figure 7.2: n-step TD on the 19-state random walk, for every n and step size.

Neither end of the scale is best. One-step TD carries a reward back by one state an episode; Monte Carlo returns, which the longest n
come to, carry it at once but with all the noise of the walk. The best of all is in between, at n = 4. Measured is the root-mean-square
error over the 19 states at the end of each of the first 10 episodes, averaged over these episodes and 100 repetitions; all curves live
through the same 100 sets of walks. Each begins at the error of the initial values V = 0, exactly the square root of 0.3.

The book does not print its grid of step sizes; here they are 0.01 apart below 0.1, 0.02 up to 0.3 and 0.05 beyond.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.n_step.n_step_td import n_step_td
from rlcourse.core import exact
from rlcourse.core.config import Config, Count
from rlcourse.core.runs import Runs
from rlcourse.envs import random_walk
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, Estimate, equal, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "errors", "inside", "run"]

STATES = 19
ALPHAS = np.concatenate([np.arange(0, 10) / 100, np.arange(5, 15) / 50, np.arange(6, 21) / 20])
COARSE = np.array([0.0, 0.02, 0.04, 0.08, 0.14, 0.22, 0.4, 0.6, 0.8, 1.0])
BOOK = {1: 0.347, 2: 0.280, 4: 0.267, 8: 0.279, 16: 0.312, 32: 0.361, 64: 0.413, 128: 0.459, 256: 0.485, 512: 0.491}  # lowest points


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 100
    episodes: Count = 10
    longest: Count = 512  # the largest n; the others are powers of two below it
    fine: bool = True  # 35 step sizes; else 10


FAST = {"fine": False}


def errors(
    ns: Sequence[float],
    alphas: np.ndarray,
    runs: int,
    episodes: int,
    lab: Lab,
    box: Any = n_step_td,
    states: int = STATES,
    left: float = -1.0,
    initial: float = 0.0,
) -> np.ndarray:
    """Return the root-mean-square error averaged over the episodes, shape [n, alpha, runs]; also for other walks and algorithms."""
    world, walk = random_walk(states, left, 1.0), np.full((states + 2, 2), 0.5)
    truth = exact.v_pi(world, walk, 1.0)[:states]
    V = np.where(np.arange(states + 2) < states, initial, 0.0)

    def experiment(parameter: Any, rng: np.random.Generator, size: int) -> np.ndarray:
        n, alpha = parameter
        trial = Runs.of(world, size, episodes, [V], truth)
        box(trial, walk, *trial.tables(V.shape), n, alpha, 1.0, rng)
        return trial.errors()[:, 1:].mean(axis=1)

    parameters = [(n, float(alpha)) for n in ns for alpha in alphas]
    return np.reshape(lab.study(experiment, parameters, runs, chunk=100), (len(ns), len(alphas), runs))


def inside(alphas: np.ndarray, samples: np.ndarray, top: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a curve up to where it leaves the picture; there, samples [runs, alpha] are replaced by their mean: no band fills the page."""
    heights = samples.mean(axis=0)
    if np.all(heights < top):
        return alphas, samples
    last = int(np.argmax(heights >= top))
    ends = np.full((len(samples), 1), min(heights[last], 3.0 * top))
    return alphas[: last + 1], np.hstack([samples[:, :last], ends])


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return n [N], step sizes [P], and errors [N, P, runs]."""
    ns = [n for n in BOOK if n <= settings.longest]
    alphas = ALPHAS if settings.fine else COARSE
    return {"n": np.array(ns), "alpha": alphas, "error": errors(ns, alphas, settings.runs, settings.episodes, lab)}


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the error against the step size, one curve per n, named where it leaves the picture, as the book does."""
    axes = style.panel(figure.subplots(), "", "step size α", f"RMS error, average of {STATES} states and {settings.episodes} episodes")
    low, high, label_at = 0.25, 0.55, -1.0
    for i, n in reversed(list(enumerate(data["n"]))):  # from left to right
        style.curve(axes, data["alpha"], data["error"][i].T, color=style.COLORS[i])
        heights = data["error"][i].mean(axis=1)
        name, look = (f"n = {n}" if n < 128 else str(n)), {"color": style.COLORS[i], "fontsize": 9, "fontweight": "bold"}
        if heights[-1] < high:
            axes.annotate(name, (1.0, heights[-1]), (4, 0), textcoords="offset points", va="center", annotation_clip=False, **look)
            continue
        rising = int(np.argmin(heights))
        crossing = float(np.interp(high, heights[rising:], data["alpha"][rising:]))
        label_at = max(crossing, label_at + (0.052 if n >= 128 else 0.068))
        axes.annotate(name, (label_at, high), (0, 3), textcoords="offset points", ha="center", annotation_clip=False, **look)
    axes.set(xlim=(0, 1), ylim=(low, high))
    axes.axhline(np.sqrt(0.3), color=style.GREY, linestyle="--", linewidth=1)
    axes.annotate(
        "V = 0, exact: √0.3", (0.56, np.sqrt(0.3)), (0, -11), textcoords="offset points", ha="center", fontsize=8, color=style.GREY
    )


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Section 7.1 says of the figure, and its lowest points as printed."""
    error, alphas, ns = data["error"], data["alpha"], data["n"].tolist()
    best = [int(np.argmin(error[i].mean(axis=1))) for i in range(len(ns))]
    lowest = {n: error[i, best[i]] for i, n in enumerate(ns)}  # per run, at the best step size
    found = [
        equal("before any learning the error is exactly the root of 0.3", Estimate(float(error[:, 0].max())), np.sqrt(0.3), 1e-9),
        true(
            "the best step size never grows with n", np.all(np.diff(alphas[best]) <= 0), ", ".join(f"{alpha:.2f}" for alpha in alphas[best])
        ),
    ]
    for n in (n for n in ns if n != 4 and 4 in ns):
        found.append(less(f"n = 4 learns faster than n = {n}, each at its best step size", 0.0, mean(lowest[n] - lowest[4])))
    for n in ns:
        found.append(equal(f"n = {n}: the lowest error is {BOOK[n]} as printed", mean(lowest[n]), BOOK[n], 0.008))
    for n, end in ((1, 0.3896), (2, 0.4395), (4, 0.5107)):
        if n in ns:
            found.append(equal(f"n = {n}: the error at a step size of 1 is {end}", mean(error[ns.index(n), -1]), end, 0.008))
    return found
