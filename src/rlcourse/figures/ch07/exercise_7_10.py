"""Exercise 7.10: off-policy prediction of state values with control variates is more data efficient.

The small problem that the exercise asks to devise: a walk over 5 states between -1 and 1, discounted by 0.9. The target policy goes
right 19 times in 20, the behaviour policy every other time. The simple algorithm weights each update with the importance sampling ratio
of its n actions (7.1, 7.9); the other puts the ratios into the return, with control variates (7.2, 7.13). Both are right in the long
run. But where a ratio is small the simple one learns next to nothing, and where it is large it leaps; so it needs smaller steps and
several times the episodes, the more so the larger n is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.n_step.n_step_off_policy_td import n_step_off_policy_td
from rlcourse.core import exact
from rlcourse.core.config import Config, Count
from rlcourse.core.runs import Runs
from rlcourse.envs import random_walk
from rlcourse.figures import style
from rlcourse.figures.ch07.figure_7_2 import inside
from rlcourse.figures.claims import Claim, equal, less, mean
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "common_claims", "draw", "run", "study"]

STATES, GAMMA, TARGET, BEHAVIOR = 5, 0.9, (0.05, 0.95), (0.5, 0.5)  # probabilities of left and right
NS = (2, 4, 8)
ALPHAS = np.array([0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5])
LONG, SMALL = 4_000, 0.01  # episodes and step size of the long run


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 400
    episodes: Count = 100


FAST = {"runs": 100}


def study(box: Any, alphas: np.ndarray, settings: Settings, lab: Lab, values: Any, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Run an algorithm without and with control variates; `values` is the truth, `shape` that of its table.

    Returns
    -------
    dict
        n [N], alpha [P], error [2, N, P, runs, episodes + 1]; long [2, 20], errors at the end of a long run with small steps; same
        [2, 20], errors where both policies are the target policy; behavior, the error of the behaviour policy's values.
    """
    world = random_walk(STATES, -1.0, 1.0)
    target, behavior = (np.tile(policy, (STATES + 2, 1)) for policy in (TARGET, BEHAVIOR))
    truth = values(world, target, GAMMA)[:STATES]

    def experiment(parameter: Any, rng: np.random.Generator, size: int) -> np.ndarray:
        variates, n, alpha, b, episodes = parameter
        trial = Runs.of(world, size, episodes, [np.zeros(shape)], truth)
        box(trial, target, b, *trial.tables(shape), n, variates, alpha, GAMMA, rng)
        errors = trial.errors()
        return errors if episodes == settings.episodes else errors[:, -1:]

    grid = [(variates, n, float(alpha), behavior, settings.episodes) for variates in (False, True) for n in NS for alpha in alphas]
    found = np.reshape(lab.study(experiment, grid, settings.runs), (2, len(NS), len(alphas), settings.runs, settings.episodes + 1))
    long = lab.study(experiment, [(variates, 4, SMALL, behavior, LONG) for variates in (False, True)], 20, chunk=10)
    same = lab.study(experiment, [(variates, 4, 0.1, target, 50) for variates in (False, True)], 20)
    wrong = np.sqrt(np.mean((values(world, behavior, GAMMA)[:STATES] - truth) ** 2))
    ends = {"long": np.squeeze(long, 2), "same": np.squeeze(same, 2), "behavior": np.array(wrong)}
    return {"n": np.array(NS), "alpha": alphas, "error": found, **ends}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return errors without and with control variates; see `study`."""
    return study(n_step_off_policy_td, ALPHAS, settings, lab, exact.v_pi, (STATES + 2,))


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the error against the step size, and against episodes at the best step size."""
    figure.set_size_inches(9.5, 4)
    left, right = figure.subplots(1, 2)
    style.panel(left, "Every step size", "step size α", f"RMS error, average of {settings.episodes} episodes")
    style.panel(right, "Each at its best step size", "episodes", "RMS error")
    top = float(data["error"][:, :, 0, 0, 0].mean())
    for i in range(len(data["n"])):
        for variates, line in ((0, ":"), (1, "-")):
            error = data["error"][variates, i]
            look: dict[str, Any] = {"linestyle": line, "linewidth": 1.6 if variates else 2.2}
            style.curve(left, *inside(data["alpha"], error[:, :, 1:].mean(axis=2).T, top), color=style.COLORS[i], **look)
            style.curve(right, np.arange(error.shape[2]), error[best(error)], color=style.COLORS[i], **look)
    left.set(ylim=(0, top), xlim=(0, float(data["alpha"][-1])))
    right.set(ylim=(0, top), xlim=(0, settings.episodes))
    for i, n in enumerate(data["n"]):
        right.plot([], [], color=style.COLORS[i], label=f"n = {n}")
    for line, name in ((":", "ratio weights the update"), ("-", "control variates")):
        right.plot([], [], color=style.INK, linestyle=line, label=name)
    right.legend(frameon=False, fontsize=8.5)


def best(error: np.ndarray) -> int:
    """Return the index of the best step size; error [P, runs, episodes + 1]."""
    return int(np.argmin(error[:, :, 1:].mean(axis=(1, 2))))


def common_claims(data: dict[str, np.ndarray]) -> list[Claim]:
    """Return what holds for state values and for action values."""
    found, gains = [], []
    for i, n in enumerate(data["n"].tolist()):
        simple, better = (data["error"][variates, i] for variates in (0, 1))
        simple, better = simple[best(simple)], better[best(better)]
        gains.append(simple[:, 1:].mean(axis=1) - better[:, 1:].mean(axis=1))
        found.append(less(f"n = {n}: control variates have the smaller error, each at its best step size", 0.0, mean(gains[-1])))
    found.append(less("what control variates gain is larger for n = 8 than for n = 2", 0.0, mean(gains[-1] - gains[0])))
    for variates, name in enumerate(("the simple algorithm", "the one with control variates")):
        long = mean(data["long"][variates])
        found.append(less(f"{name} comes near the target policy's values in the long run", long, float(data["behavior"]) / 5.0))
    simple, better = (data["error"][variates, -1] for variates in (0, 1))
    simple, better = simple[best(simple)].mean(axis=0), better[best(better)].mean(axis=0)
    needed = int(np.argmax(better <= simple[-1])) if np.any(better <= simple[-1]) else len(better)
    found.append(less("n = 8: control variates need less than half of the episodes", float(needed), (len(simple) - 1) / 2.0))
    return found


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return the answer to the exercise."""
    gap = float(np.abs(data["same"][0] - data["same"][1]).max())
    return [*common_claims(data), equal("where both policies are the same, both algorithms are", gap, 0.0, 1e-12)]
