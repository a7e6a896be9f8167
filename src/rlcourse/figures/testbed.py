"""The experiment of chapter 2: methods compared on the same problems of the 10-armed testbed.

The arms of each problem are numbered by their true values. Where ties break at random the numbering means nothing; a learner that
prefers the first of equals would begin with the worst arm, and the figures would show it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from rlcourse.agents.bandits.epsilon_greedy import epsilon_greedy_bandit
from rlcourse.agents.bandits.gradient import gradient_bandit
from rlcourse.agents.bandits.ucb import ucb_bandit
from rlcourse.envs import BanditTestbed
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, Estimate, less, mean
from rlcourse.figures.experiment import Lab

__all__ = ["BEST_OF_TEN", "Method", "ahead", "compare", "curves", "during", "epsilon_greedy", "gradient", "parameter_study", "ucb"]

K = 10
BEST_OF_TEN = 1.538753  # the expected greatest of ten draws from N(0, 1)
BATCHES = 40  # into which the problems are divided; the spread between them gives the errors


class Method(NamedTuple):
    """A box, the initial values of its tables, and its settings."""

    box: Any
    tables: tuple[np.ndarray, ...]
    settings: tuple[Any, ...]


def epsilon_greedy(epsilon: float, alpha: float = 0.0, initial: float = 0.0) -> Method:
    """Return epsilon-greedy action values; alpha = 0 is the sample average."""
    return Method(epsilon_greedy_bandit, (np.full(K, initial), np.zeros(K)), (alpha, epsilon))


def ucb(c: float) -> Method:
    """Return upper confidence bounds on sample averages."""
    return Method(ucb_bandit, (np.zeros(K), np.zeros(K)), (0.0, c))


def gradient(alpha: float, baseline: bool = True) -> Method:
    """Return the gradient bandit."""
    return Method(gradient_bandit, (np.zeros(K), np.zeros(K), np.zeros(2)), (alpha, baseline))


def compare(
    lab: Lab,
    methods: Sequence[Method],
    runs: int,
    steps: int,
    *,
    mean: float = 0.0,
    drift: float = 0.0,
    since: int = 0,
    every: int = 1,
    batches: int = BATCHES,
) -> dict[str, np.ndarray]:
    """Let each method live the same problems.

    Parameters
    ----------
    lab : Lab
    methods : sequence of Method
    runs, steps : int
        Problems, and pulls in each.
    mean : float
        The true values are drawn from N(mean, 1).
    drift : float
        Where positive, they begin at `mean` all and walk by steps of this standard deviation.
    since : int
        The first step that counts for "score" and "best".
    every : int
        Curves are means over so many steps.
    batches : int
        Groups of problems, at most `runs`.

    Returns
    -------
    dict
        "reward" and "optimal" [methods, batches, steps / every]: means over the problems of a batch; "score" and "best"
        [methods, runs]: mean reward, and mean of the greatest true value, of each problem from step `since` on.
    """
    sizes = [len(part) for part in np.array_split(np.arange(runs), min(batches, runs))]

    def batch(job: tuple[Method, int]) -> tuple[np.ndarray, ...]:
        method, j = job
        rng = lab.rng(j)
        true = np.full((sizes[j], K), mean) if drift > 0.0 else np.sort(mean + rng.standard_normal((sizes[j], K)))
        testbed = BanditTestbed.of(true, steps, method.tables, drift, since)
        method.box(testbed, *testbed.tables(*map(len, method.tables)), *method.settings, rng)
        shown = [curve.reshape(-1, every).mean(axis=1).astype(np.float32) for curve in (testbed.rewards(), testbed.optimal())]
        return *shown, testbed.scores(), testbed.bests()

    parts = lab.map(batch, [(method, j) for method in methods for j in range(len(sizes))])
    names, shape = ("reward", "optimal", "score", "best"), (len(methods), len(sizes), -1)
    kinds = [list(kind) for kind in zip(*parts, strict=True)]
    curves_ = {name: np.reshape(kind, shape) for name, kind in zip(names[:2], kinds[:2], strict=True)}
    numbers = {name: np.reshape(np.concatenate(kind), (len(methods), runs)) for name, kind in zip(names[2:], kinds[2:], strict=True)}
    return curves_ | numbers


def during(samples: np.ndarray, first: int, last: int | None = None) -> Estimate:
    """Return the mean of curves [batches, steps] from step `first` to `last`, both counted from 1 as in the book."""
    return mean(samples[:, first - 1 : last or first].mean(axis=1))


def ahead(text: str, better: np.ndarray, worse: np.ndarray, first: int, last: int | None = None) -> Claim:
    """Claim that one method's curve [batches, steps] is above another's from step `first` to `last`, on the same problems."""
    return less(text, 0.0, during(better - worse, first, last))


def curves(axes: Any, samples: np.ndarray, labels: Sequence[str], y: str, colors: Sequence[str] = style.COLORS, x: Any = None) -> Any:
    """Draw curves [methods, batches, steps] over the steps, in per cent where y says so; return the axes."""
    style.panel(axes, "", "steps", y)
    scale = 100.0 if y.startswith("%") else 1.0
    steps = np.arange(1, samples.shape[-1] + 1) if x is None else x
    for rows, label, color in zip(samples, labels, colors, strict=False):
        style.curve(axes, steps, scale * rows, label, color, linewidth=1.1)
    axes.set_xlim(1, steps[-1])
    if scale == 100.0:
        axes.set_ylim(0, 100)
    return axes


def parameter_study(
    axes: Any, data: dict[str, np.ndarray], studies: dict[str, tuple[str, range]], places: dict[str, tuple[float, float]] | None = None
) -> None:
    """Draw mean rewards [parameters, runs] of several algorithms against their own parameters, all on one axis of powers of two.

    Parameters
    ----------
    axes : Axes
    data : dict
        By the algorithm's name.
    studies : dict
        By the algorithm's name: the parameter, and its exponents of 2.
    places : dict, optional
        (exponent, reward) where each name is written instead of in a legend.
    """
    style.panel(axes)
    for (name, (parameter, exponents)), color in zip(studies.items(), style.COLORS, strict=False):
        label = f"{name} ({parameter})"
        style.curve(axes, [2.0**k for k in exponents], data[name].T, label, color, marker="o", markersize=3.5)
        if places is not None:
            axes.text(2.0 ** places[name][0], places[name][1], name.replace(", ", "\n"), color=color, fontsize=9, va="center")
    exponents_ = [k for _, exponents in studies.values() for k in exponents]
    style.log2_axis(axes, range(min(exponents_), max(exponents_) + 1))
    axes.set_xlabel("  ·  ".join(dict.fromkeys(parameter for parameter, _ in studies.values())))
