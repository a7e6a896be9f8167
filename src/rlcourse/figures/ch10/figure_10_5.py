"""Figure 10.5: the policy and the values that differential Sarsa finds on the access-control task.

One feature per state, alpha = beta = 0.01, epsilon = 0.1, 2 million steps; the best epsilon-soft policy and its differential values
are exact. Values are drawn with mean zero over the states as they are visited. With eight and more free servers they are wrong, and so is
the policy: such states hardly ever come.

The book's run ended at R_bar = 2.31 and accepted priority 1 with six or more free servers, 2 with four, 4 with two and 8 with one. R_bar
goes up and down by about 0.2 with a step size of 0.01, so that this says little of the average that is earned, 2.64. Nor does the
printed policy lose much: among states that are worth nearly the same, or rarely met, single runs differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.approximation.differential_sarsa import differential_sarsa
from rlcourse.core import exact, exact_average
from rlcourse.core.config import Config, Count, Probability, StepSize
from rlcourse.core.trial import Trial
from rlcourse.envs import access_control
from rlcourse.features import OneHot
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, Estimate, equal, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

FREE, KINDS = 11, 4  # numbers of free servers, priorities
PAYS = (1, 2, 4, 8)
PRINTED = (6, 4, 2, 1)  # free servers from which on the book's policy accepts each priority
COMMON = 8  # with fewer free servers than this, states are met often enough


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 12  # the book shows one
    steps: Count = 2_000_000
    alpha: StepSize = 0.01
    beta: StepSize = 0.01
    epsilon: Probability = 0.1


FAST = {"runs": 4}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return per run: weights [runs, 2, 44], R_bar, and the mean reward of the second half; and what is exact."""
    world, c = access_control(), settings
    S = FREE * KINDS

    def experiment(_: Any, rng: np.random.Generator, n: int) -> tuple[np.ndarray, ...]:
        found = []
        for _ in range(n):
            w, R_bar = np.zeros((2, S)), np.zeros(1)
            for steps in (c.steps // 2, c.steps - c.steps // 2):  # the second half begins with all servers free, once more
                trial = Trial.of(world, steps=steps)
                differential_sarsa(trial, OneHot(S), w, R_bar, c.alpha, c.beta, c.epsilon, rng)
                earned = trial.take_rows()[0, 0] / steps
            found.append((w, R_bar[0], earned))
        return tuple(map(np.array, zip(*found, strict=True)))

    w, R_bar, earned = lab.study(experiment, [None], c.runs, chunk=1)[0]
    best, Q = exact_average.optimal(world, c.epsilon)
    policy = exact.greedy_policy(Q, c.epsilon)
    accept = np.array([free >= PRINTED[kind] for free in range(FREE) for kind in range(KINDS)], dtype=int)
    printed = (1 - c.epsilon) * np.eye(2)[accept] + c.epsilon / 2
    return {
        "w": w,
        "R_bar": R_bar,
        "earned": earned,
        "best": np.array([best, exact_average.optimal(world)[0], exact_average.rate(world, printed)]),
        "Q": Q,
        "mu": exact_average.distribution(world, policy),
        "rates": np.array([exact_average.rate(world, exact.greedy_policy(each.T, c.epsilon)) for each in w]),
    }


def _values(data: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return values of the best action, learned [runs, free, kinds] with the exact mean, and exact [free, kinds]."""
    right = data["Q"].max(axis=1)
    learned = data["w"].max(axis=1)
    learned = learned + data["mu"] @ right - (learned @ data["mu"])[:, None]
    return learned.reshape(-1, FREE, KINDS), right.reshape(FREE, KINDS)


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the first run's policy and the exact one, and its values beside the exact ones."""
    figure.set_size_inches(10.2, 4.6)
    left, right = figure.subfigures(1, 2, width_ratios=(1.0, 1.25))
    for axes, accept, name in zip(
        left.subplots(2, 1),
        (data["w"][0][1] > data["w"][0][0], data["Q"][:, 1] > data["Q"][:, 0]),
        ("learned in one run", "exact"),
        strict=True,
    ):
        table = accept.reshape(FREE, KINDS).T.astype(float)
        table[:, 0] = np.nan  # nobody can be let in
        axes.imshow(table, cmap="RdYlGn", vmin=-0.6, vmax=1.6, aspect="auto")
        for (y, x), accepted in np.ndenumerate(table):
            axes.text(x, y, "" if np.isnan(accepted) else "accept" if accepted else "reject", ha="center", va="center", fontsize=6.5)
        axes.set_title(f"Policy, {name}", loc="left", fontsize=10.5, fontweight="bold", color=style.INK)
        axes.set_yticks(range(KINDS), [str(pays) for pays in PAYS])
        axes.set_xticks(range(FREE))
        axes.set_ylabel("priority")
    axes.set_xlabel("free servers")
    axes = style.panel(right.subplots(), "Differential value of the best action", "free servers", "")
    learned, truth = _values(data)
    for kind, pays in enumerate(PAYS):
        axes.plot(range(FREE), learned[0, :, kind], color=style.COLORS[kind], linewidth=1.6, label=f"priority {pays}")
        axes.plot(range(FREE), truth[:, kind], color=style.COLORS[kind], linewidth=1.2, linestyle=(0, (1, 1.2)))
    axes.plot([], [], color=style.GREY, linewidth=1.2, linestyle=(0, (1, 1.2)), label="exact")
    axes.axhline(0.0, color=style.GREY, linewidth=0.8)
    axes.set_xticks(range(FREE))
    axes.legend(frameon=False, loc="upper left")
    text = f"R̄ = {data['R_bar'][0]:.2f} in this run\nearned on average {data['earned'].mean():.3f}\nbest possible {data['best'][0]:.3f}"
    axes.text(0.98, 0.04, text, transform=axes.transAxes, ha="right", va="bottom", fontsize=9, color=style.INK)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return that learning comes to the exact solution, and what the printed run says."""
    learned, truth = _values(data)
    best, optimum, printed = data["best"]
    gap = data["Q"][:, 1] - data["Q"][:, 0]
    clear = (np.abs(gap) > 1.0) & (data["mu"] > 0.01)
    chosen = data["w"][:, 1] > data["w"][:, 0]
    wrong = np.abs(learned - truth)[:, :COMMON]
    slope, steep = learned[:, 7, 3] - learned[:, 0, 3], truth[7, 3] - truth[0, 3]
    return [
        equal("the best epsilon-soft policy earns 2.6469 a step", best, 2.6469, 5e-5),
        equal("without exploration 2.7476 can be earned", optimum, 2.7476, 5e-5),
        equal("learning earns nearly as much", mean(data["earned"]), best, 0.015),
        less("but no more", mean(data["earned"]), best),
        equal("greedily, with its epsilon, what was learned earns as much too", mean(data["rates"]), best, 0.015),
        true(
            "R_bar is near the average in every run",
            np.all(np.abs(data["R_bar"] - best) < 0.6),
            np.array2string(data["R_bar"], precision=2),
        ),
        equal("R_bar is right on average", mean(data["R_bar"]), best, 0.1),
        true(
            "every run decides as the exact solution where it matters, and states are met",
            np.all(chosen[:, clear] == (gap[clear] > 0)),
            f"{clear.sum()} states",
        ),
        less(f"values are right where less than {COMMON} servers are free, to 0.6 on average", mean(wrong.mean(axis=(1, 2))), 0.6),
        equal("with priority 8, seven free servers are worth as much more than none as they should", mean(slope), steep, 2.5),
        equal("which is about the 23.2 that the book's run found", float(steep), 23.2, 2.5),
        equal("nine and more free servers hardly ever come", float(data["mu"][-2 * KINDS :].sum()), 0.0, 2e-4),
        less("the printed policy loses less than half a percent", 0.995 * best, printed),
        equal("a customer who is turned away leaves the same state, whatever he would pay", float(np.ptp(data["Q"][:KINDS, 0])), 0.0, 1e-9),
        equal("exact values have mean zero as the states are visited", Estimate(float(data["mu"] @ _of_policy(data, settings))), 0.0, 1e-9),
    ]


def _of_policy(data: dict[str, np.ndarray], settings: Settings) -> np.ndarray:
    """Return the exact differential state values of the best epsilon-soft policy, shape [44]."""
    return np.asarray((exact.greedy_policy(data["Q"], settings.epsilon) * data["Q"]).sum(axis=1))
